//! Filling the memory at start, so that the first checks after it need no reading: the newest live tokens, a small
//! page at a time, beside the checks that are answered meanwhile.
//!
//! The rule of [`super::index`] holds for each page by itself: the lock of installers is held from before the page is
//! read until its last entry is in. Between two pages whoever waits for the lock has it, so that a revocation waits
//! for one page at most.

use super::entry::{TokenEntry, UserEntry};
use super::index::Installing;
use super::{Verify, load};
use crate::authn::Digest;
use crate::db::{self, DbError, Tx};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tegata_core::credential::CredentialState;
use tegata_core::ids::TokenId;
use tegata_core::owner::Owner;

/// Tokens that are read while changes wait. Their owners may all be others, and are read one by one.
const PAGE: i64 = 40;

impl Verify {
    /// Reads the newest live tokens until so many are in memory, or there are no more. What fails here is only
    /// slower later: a token that is not in memory is read when it is shown.
    pub async fn preload(self: Arc<Self>, wanted: usize) {
        let mut before = None;
        loop {
            match self.preload_page(&mut before, wanted).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    tracing::warn!(%error, "the newest tokens could not all be read ahead");
                    return;
                }
            }
        }
        tracing::debug!(tokens = self.tokens_in_memory(), "the newest tokens are in memory");
    }

    /// Reads the page of tokens older than `before`, which it moves on. Tells whether there may be more to do.
    async fn preload_page(&self, before: &mut Option<TokenId>, wanted: usize) -> Result<bool, DbError> {
        let mut installing = self.index.installing.lock().await;
        let mut tx = self.db.read().await?;
        let now = self.clock.now();
        // The dead are left out here and not by the statement: it would have to walk over all of them at once.
        let page = db::tokens::newest(&mut tx, *before, PAGE).await?;
        let Some(last) = page.last() else { return Ok(false) };
        *before = Some(last.id);
        for (digest, entry) in load::page(&mut tx, &self.catalogues, &page).await?.into_iter().rev() {
            if self.index.tokens.len() >= wanted {
                return Ok(false);
            }
            let lives = entry.state == CredentialState::Active && entry.expires_at > now;
            if lives && !self.index.tokens.contains(&digest) {
                // Nobody has shown it yet: where room runs short, it goes before those that were.
                entry.used.store(false, Ordering::Relaxed);
                self.keep_token(&mut tx, &mut installing, digest, entry).await?;
            }
        }
        Ok(true)
    }

    /// Puts tokens into memory that their maker answers for, with what the database says of their owners.
    ///
    /// For benchmarks, which fill the memory without as many rows. The entries must be of tokens that the database
    /// does not have: of others it would be an older reading, and could cover a newer change.
    pub async fn install(&self, tokens: impl IntoIterator<Item = (Digest, TokenEntry)> + Send) -> Result<(), DbError> {
        let mut installing = self.index.installing.lock().await;
        let mut tx = self.db.read().await?;
        let tokens: Vec<_> = tokens.into_iter().collect();
        for (digest, entry) in tokens {
            self.keep_token(&mut tx, &mut installing, digest, entry).await?;
        }
        Ok(())
    }

    /// Installs a token with its owner and their memberships. Those that are in memory are kept true by the feed.
    async fn keep_token(
        &self,
        tx: &mut Tx,
        installing: &mut Installing,
        digest: Digest,
        entry: TokenEntry,
    ) -> Result<(), DbError> {
        let owner = entry.owner;
        let orgs = || entry.parts.iter().map(|part| part.org);
        let is_known = |users: &UserEntry| orgs().all(|org| users.member(org).is_some());
        if let Owner::User(owner) = owner
            && !self.index.users.look(owner, is_known).unwrap_or(false)
        {
            self.read_user(tx, owner, orgs()).await?;
        }
        self.index.install_token(installing, digest, entry);
        Ok(())
    }
}

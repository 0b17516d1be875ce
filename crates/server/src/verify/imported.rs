//! Keys that were made elsewhere and imported by their hashes. See docs/import.md.
//!
//! Only what has not the form of our own secrets comes here, and only where something was imported at all: to everybody else it
//! costs one look at a number. A key whose fast hash finds itself is looked for by a few digests, in memory like any token. A key
//! whose hash is salted or slow is led to one credential by its visible beginning, compared off this way, a few at a time, and
//! from then on has our digest, which takes the place of the hash.

use super::check::Question;
use super::entry::{VerifierEntry, Warm};
use super::unknown::{AGAIN, LookedUp, PATIENCE, read};
use super::{Verify, load};
use crate::authn::imported::{Fast, KEY_MAX_BYTES, Sha, Stored};
use crate::authn::{Digest, Hasher};
use crate::db::feed::Topic;
use crate::db::imports::Waiting;
use crate::db::{self, DbError, Tx};
use crate::imports::Shape;
use crate::maintenance::note::note;
use arc_swap::ArcSwap;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use smallvec::SmallVec;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tegata_core::ids::TokenId;
use tegata_core::owner::Owner;

/// How imported keys are recognized here.
#[derive(Debug, Default)]
pub struct Imported {
    ways: ArcSwap<Ways>,
}

#[derive(Debug, Default)]
struct Ways {
    fast: Vec<Fast>,
    shapes: Vec<Shape>,
}

impl Ways {
    fn none(&self) -> bool {
        self.fast.is_empty() && self.shapes.is_empty()
    }

    /// The digests under which a key can be stored, the one of its own text first.
    fn digests(&self, hasher: &Hasher, key: &str) -> SmallVec<[Digest; 6]> {
        let mut digests = SmallVec::new();
        digests.push(hasher.digest(key));
        digests.extend(hasher.previous_digest(key));
        for fast in &self.fast {
            let hash = fast.hash(key);
            digests.push(hasher.imported(&fast.format, &hash));
            digests.extend(hasher.previous_imported(&fast.format, &hash));
        }
        digests
    }
}

/// What comparing came to.
pub(super) enum Compared {
    /// It is the key of this credential.
    Right(Box<Waiting>),
    /// It is nobody's.
    Wrong,
    /// It was not compared; a try makes sense after this time.
    Wait(Duration),
}

impl Verify {
    /// Reads how imported keys are recognized.
    pub(super) async fn load_imported(&self, tx: &mut Tx) -> Result<(), DbError> {
        let mut ways = Ways::default();
        for profile in db::imports::profiles(tx).await? {
            if profile.kind == "shape" {
                let shape = serde_json::from_str(&profile.document).map_err(|_| DbError::Corrupt(profile.document))?;
                ways.shapes.push(shape);
                continue;
            }
            let sha = if profile.document == "sha-512" { Sha::Sha512 } else { Sha::Sha256 };
            match &profile.sealed {
                None => ways.fast.push(Fast::new(sha, None)),
                Some(sealed) => match self.sealer.open(&profile.id, sealed) {
                    Ok(key) => ways.fast.push(Fast::new(sha, Some((&profile.id, &key)))),
                    // Nobody is let in by it; all else works.
                    Err(error) => {
                        tracing::error!(%error, profile = profile.id, "keys of an import cannot be recognized");
                    }
                },
            }
        }
        self.imported.ways.store(Arc::new(ways));
        Ok(())
    }

    /// The digest by which to look for what has not the form of our secrets; none where no import can have brought it.
    pub(super) fn seek_imported(&self, key: &str) -> Option<Digest> {
        let ways = self.imported.ways.load();
        if ways.none() || key.is_empty() || key.len() > KEY_MAX_BYTES {
            return None;
        }
        let digests = ways.digests(&self.hasher, key);
        let there = digests.iter().find(|digest| self.index.tokens.contains(digest));
        there.or(digests.first()).copied()
    }

    /// The digests under which somebody may have what was shown, in whatever form.
    pub(super) fn digests_of(&self, shown: &str) -> SmallVec<[Digest; 6]> {
        self.imported.ways.load().digests(&self.hasher, shown)
    }

    /// Compares what was shown with the hash that its visible beginning leads to, if it has one.
    pub(super) async fn compare_leaked(&self, shown: &str, address: Option<IpAddr>) -> Result<Compared, DbError> {
        let ways = self.imported.ways.load_full();
        self.compare_imported(&ways, shown, address).await
    }

    /// Reads the credential that an imported key shows, if its caller may cause that.
    pub(super) async fn look_up_imported(
        &self,
        verifier: &VerifierEntry,
        question: &Question<'_>,
    ) -> Result<LookedUp, DbError> {
        let ways = self.imported.ways.load_full();
        let digests = ways.digests(&self.hasher, question.token);
        let Some(own) = digests.first().copied() else { return Ok(LookedUp::Absent) };
        for known in &digests {
            // Its owner is what is not in memory. No one is slowed down by what is known.
            if self.index.tokens.contains(known) {
                return Ok(self.refill_token(*known).await?.map_or(LookedUp::Absent, read));
            }
        }
        if self.is_unknown(&own) {
            return Ok(LookedUp::Absent);
        }
        let unknown = self.unknown();
        let taken = match unknown.try_of(verifier, question.address, self.clock.now()) {
            Ok(taken) => taken,
            Err(after) => return Ok(unknown.throttled(after)),
        };
        let Some(reading) = unknown.reading(PATIENCE).await else {
            unknown.give_back(&taken);
            return Ok(unknown.throttled(AGAIN));
        };
        // From before the reading: what is imported meanwhile moves it on, and then nothing is remembered.
        let generation = unknown.digests().generation();
        for digest in &digests {
            if self.is_stored(*digest).await? {
                unknown.give_back(&taken);
                return Ok(self.refill_token(*digest).await?.map_or(LookedUp::Absent, read));
            }
        }
        drop(reading);
        match self.compare_imported(&ways, question.token, question.address).await? {
            Compared::Right(waiting) => {
                unknown.give_back(&taken);
                let warm = self.settle_imported(&waiting, own).await?;
                Ok(warm.map_or(LookedUp::Absent, read))
            }
            Compared::Wrong => {
                unknown.counts().absent.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                unknown.digests().remember(own, generation, self.clock.now());
                Ok(LookedUp::Absent)
            }
            Compared::Wait(after) => {
                unknown.give_back(&taken);
                Ok(unknown.throttled(after))
            }
        }
    }

    /// Compares a key with the hash that its visible beginning leads to.
    async fn compare_imported(&self, ways: &Ways, key: &str, address: Option<IpAddr>) -> Result<Compared, DbError> {
        for (identifier, secret) in ways.shapes.iter().filter_map(|shape| shape.split(key)) {
            let mut tx = self.db.read().await?;
            let waiting = db::imports::waiting(&mut tx, identifier).await?;
            drop(tx);
            let now = self.clock.now();
            let Some(waiting) = waiting.filter(|waiting| waiting.valid_until.is_none_or(|until| now < until)) else {
                continue;
            };
            let Some(stored) = Stored::read(&waiting.hash) else {
                return Err(DbError::Corrupt(waiting.token.to_string()));
            };
            let names = super::clients::names("imported", identifier, address);
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            if let Some(wait) = self.clients.throttle.wait(&names, now) {
                return Ok(Compared::Wait(wait));
            }
            let Some(_turn) = self.clients.turn().await else { return Ok(Compared::Wait(AGAIN)) };
            // Again, since tries that came at the same time have failed by now: they share one allowance.
            if let Some(wait) = self.clients.throttle.wait(&names, self.clock.now()) {
                return Ok(Compared::Wait(wait));
            }
            let shown = SecretString::from(if stored.secret_only { secret } else { key });
            let fits = tokio::task::spawn_blocking(move || stored.hashed.fits(shown.expose_secret().as_bytes()));
            if fits.await.unwrap_or(false) {
                self.clients.throttle.succeeded(names.first().copied().unwrap_or_default());
                return Ok(Compared::Right(Box::new(waiting)));
            }
            self.clients.throttle.failed(&names, self.clock.now());
            return Ok(Compared::Wrong);
        }
        Ok(Compared::Wrong)
    }

    /// Puts our digest in the place of a hash whose key was shown, and reads its credential. Where that cannot be stored now, the
    /// next call tries again: this one was right all the same.
    async fn settle_imported(&self, waiting: &Waiting, digest: Digest) -> Result<Option<Warm>, DbError> {
        match self.store_settled(waiting, digest).await {
            // Or another call with the same key was first.
            Ok(()) | Err(DbError::Changed | DbError::Duplicate) => self.refill_token(digest).await,
            Err(error) => {
                tracing::warn!(%error, token = %waiting.token, "an imported hash is kept; the next call tries again to replace it");
                self.read_waiting(waiting.token).await
            }
        }
    }

    async fn store_settled(&self, waiting: &Waiting, digest: Digest) -> Result<(), DbError> {
        let mut tx = self.db.write().await?;
        let (now, key_id, subject) = (self.clock.now(), self.hasher.key_id(), waiting.token.to_string());
        db::imports::settle(&mut tx, waiting).await?;
        match waiting.valid_until {
            Some(until) => db::secrets::insert_until(&mut tx, digest, key_id, &subject, now, until).await?,
            None => db::secrets::insert(&mut tx, digest, key_id, &subject, now).await?,
        }
        let after = json!({"hash": "replaced"});
        note(&mut tx, now, Some(waiting.org), "credential.import.settle", &subject, after).await?;
        tx.feed(Topic::Token, None, &subject).await?;
        tx.commit().await.map(drop)
    }

    /// Reads a credential whose key was right and is not stored, for one answer.
    async fn read_waiting(&self, id: TokenId) -> Result<Option<Warm>, DbError> {
        let _installing = self.index.installing.lock().await;
        let mut tx = self.db.read().await?;
        let Some(token) = load::entry_of(&mut tx, &self.catalogues, id).await? else { return Ok(None) };
        let user = match token.owner {
            Owner::User(owner) => self.read_user(&mut tx, owner, token.parts.iter().map(|part| part.org)).await?,
            _ => None,
        };
        Ok(Some(Warm { token, user }))
    }
}

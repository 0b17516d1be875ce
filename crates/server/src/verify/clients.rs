//! Client ids with secrets, shown in place of a token. The secret is one that people choose, so it is stored as Argon2id, which
//! is slow on purpose and never stands on the way of a check: a pair is compared once, on threads of its own and a few at a time,
//! and is then known by its keyed digest, under which its access key lies in memory like any token.
//!
//! A pair that was found right is known until its secret changes; one that was not is known to nobody, and each further try
//! for its client id or from its address waits longer. What is known already never waits.

use super::entry::{VerifierEntry, Warm};
use super::index::Installing;
use super::unknown::LookedUp;
use super::{Verify, load};
use crate::app::Entropy;
use crate::authn::imported::Stored;
use crate::authn::throttle::Throttle;
use crate::authn::{Digest, password};
use crate::db::access_keys::{AccessKey, IMPORTED};
use crate::db::feed::Topic;
use crate::db::{self, DbError, Tx};
use crate::maintenance::note::note;
use crate::verify::check::Question;
use parking_lot::Mutex;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tegata_core::ids::TokenId;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Stands between client id and secret where both are one text; neither holds it.
const BETWEEN: char = '\0';
/// Longest client id.
const CLIENT_ID_MAX_BYTES: usize = 200;
/// Longest secret, in bytes: 30 characters.
const SECRET_MAX_BYTES: usize = 120;
/// Pairs that are compared at a time: each takes 19 MiB and a core for some ten milliseconds.
const COMPARISONS: usize = 2;
/// Those that wait for it; beyond it the answer is `rate_limited`.
const WAITING: usize = 256;
/// How long one waits.
const PATIENCE: Duration = Duration::from_secs(2);
/// When to try again where too many wait.
const AGAIN: Duration = Duration::from_secs(1);
/// Most pairs that are known.
const KNOWN_MAX: usize = 50_000;

/// Client id and secret as one text, as a check takes it in place of a token.
pub fn pair(client_id: &str, secret: &str) -> String {
    format!("{client_id}{BETWEEN}{secret}")
}

/// Whether a text is such a pair.
pub fn is_pair(text: &str) -> bool {
    text.contains(BETWEEN)
}

/// Client id and secret of a pair.
pub fn split(text: &str) -> Option<(&str, &str)> {
    text.split_once(BETWEEN)
}

/// The pairs that were found right.
#[derive(Debug)]
pub struct Clients {
    known: Mutex<Known>,
    pub(super) throttle: Throttle,
    comparisons: Semaphore,
    waiting: AtomicUsize,
}

/// For each pair the token that it shows, and the stored hash that it was compared with.
#[derive(Debug, Default)]
struct Known {
    pairs: HashMap<Digest, (TokenId, String)>,
    of_token: HashMap<TokenId, Digest>,
}

/// What comparing came to.
#[derive(Debug)]
pub enum Compared {
    /// It is the secret of this key.
    Right(AccessKey),
    /// It is nobody's.
    Wrong,
    /// It was not compared; a try makes sense after this time.
    Wait(Duration),
}

impl Default for Clients {
    fn default() -> Self {
        Self {
            known: Mutex::default(),
            throttle: Throttle::default(),
            comparisons: Semaphore::new(COMPARISONS),
            waiting: AtomicUsize::new(0),
        }
    }
}

impl Clients {
    fn known(&self, digest: &Digest) -> Option<(TokenId, String)> {
        self.known.lock().pairs.get(digest).cloned()
    }

    fn of_token(&self, token: TokenId) -> Option<(Digest, String)> {
        let known = self.known.lock();
        let digest = known.of_token.get(&token)?;
        Some((*digest, known.pairs.get(digest)?.1.clone()))
    }

    fn forget(&self, token: TokenId) -> Option<Digest> {
        let mut known = self.known.lock();
        let digest = known.of_token.remove(&token)?;
        known.pairs.remove(&digest);
        Some(digest)
    }

    /// Remembers a pair. Returns those that are known no more, and have to leave the memory of tokens: changes no longer reach
    /// them there.
    #[must_use]
    fn remember(&self, digest: Digest, token: TokenId, hash: &str) -> Vec<Digest> {
        let mut gone = Vec::new();
        let mut known = self.known.lock();
        if let Some(before) = known.of_token.insert(token, digest).filter(|before| *before != digest) {
            known.pairs.remove(&before);
            gone.push(before);
        }
        if known.pairs.len() >= KNOWN_MAX && !known.pairs.contains_key(&digest) {
            let some = known.pairs.iter().next().map(|(digest, (token, _))| (*digest, *token));
            if let Some((other, of)) = some {
                known.pairs.remove(&other);
                known.of_token.remove(&of);
                gone.push(other);
            }
        }
        known.pairs.insert(digest, (token, hash.to_owned()));
        gone
    }

    /// Waits for its turn to compare; none where too many wait, or it waited too long.
    pub(super) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        if let Ok(permit) = self.comparisons.try_acquire() {
            return Some(permit);
        }
        let _waiting = Waiting::begin(&self.waiting)?;
        tokio::time::timeout(PATIENCE, self.comparisons.acquire()).await.ok()?.ok()
    }
}

/// One who waits; counted until it is dropped, whatever ends the waiting.
struct Waiting<'w>(&'w AtomicUsize);

impl<'w> Waiting<'w> {
    fn begin(waiting: &'w AtomicUsize) -> Option<Self> {
        let one = Self(waiting);
        (waiting.fetch_add(1, Ordering::Relaxed) < WAITING).then_some(one)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The names under which failures are counted. One customer has a whole /64 of IPv6.
pub(super) fn names(what: &str, client_id: &str, address: Option<IpAddr>) -> Vec<String> {
    let address = address.map(|address| match address.to_canonical() {
        IpAddr::V4(address) => format!("address {address}"),
        IpAddr::V6(address) => format!("address {:x}", address.to_bits() >> 64),
    });
    std::iter::once(format!("{what} {client_id}")).chain(address).collect()
}

/// Whether a secret is the stored one, hashed here or elsewhere. Without a stored one it takes as long and is false.
fn fits(shown: &SecretString, stored: Option<String>) -> bool {
    match stored.as_deref().and_then(|text| text.strip_prefix(IMPORTED)) {
        Some(imported) => {
            Stored::read(imported).is_some_and(|stored| stored.hashed.fits(shown.expose_secret().as_bytes()))
        }
        None => password::fits(shown, stored),
    }
}

impl Verify {
    /// Puts our hash in the place of an imported one whose secret was right. Where that cannot be stored now, the next comparison
    /// tries again.
    async fn settle_client(&self, key: AccessKey, secret: &str) -> AccessKey {
        if !key.secret_hash.starts_with(IMPORTED) {
            return key;
        }
        match self.store_client(&key, secret).await {
            Ok(hash) => AccessKey { secret_hash: hash, ..key },
            Err(error) => {
                let token = key.token;
                tracing::warn!(%error, %token, "an imported hash is kept; the next comparison tries again to replace it");
                key
            }
        }
    }

    async fn store_client(&self, key: &AccessKey, secret: &str) -> Result<String, DbError> {
        let hash = password::hash(SecretString::from(secret), &Entropy::System).await;
        let hash = hash.map_err(|error| DbError::Corrupt(error.to_string()))?;
        let (mut tx, now, subject) = (self.db.write().await?, self.clock.now(), key.token.to_string());
        db::access_keys::replace_secret(&mut tx, key, &hash).await?;
        note(&mut tx, now, Some(key.org), "credential.import.settle", &subject, json!({"hash": "replaced"})).await?;
        tx.feed(Topic::Token, None, &subject).await?;
        tx.commit().await?;
        Ok(hash)
    }

    /// Compares a secret with that of a client id. Unknown ids cost as much time as wrong secrets.
    pub async fn compare_client(
        &self,
        client_id: &str,
        secret: &str,
        address: Option<IpAddr>,
    ) -> Result<Compared, DbError> {
        let clients = &self.clients;
        if client_id.is_empty() || client_id.len() > CLIENT_ID_MAX_BYTES || secret.len() > SECRET_MAX_BYTES {
            return Ok(Compared::Wrong);
        }
        let names = names("client", client_id, address);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        if let Some(wait) = clients.throttle.wait(&names, self.clock.now()) {
            return Ok(Compared::Wait(wait));
        }
        let Some(_turn) = clients.turn().await else { return Ok(Compared::Wait(AGAIN)) };
        // Again, since tries that came at the same time have failed by now: they share one allowance.
        if let Some(wait) = clients.throttle.wait(&names, self.clock.now()) {
            return Ok(Compared::Wait(wait));
        }
        let mut tx = self.db.read().await?;
        let key = db::access_keys::by_client(&mut tx, client_id).await?;
        drop(tx);
        let stored = key.as_ref().map(|key| key.secret_hash.clone()).filter(|hash| !hash.is_empty());
        let shown = SecretString::from(secret);
        let fits = tokio::task::spawn_blocking(move || fits(&shown, stored)).await.unwrap_or(false);
        match key {
            Some(key) if fits => {
                clients.throttle.succeeded(names.first().copied().unwrap_or_default());
                Ok(Compared::Right(self.settle_client(key, secret).await))
            }
            _ => {
                clients.throttle.failed(&names, self.clock.now());
                Ok(Compared::Wrong)
            }
        }
    }

    /// Reads the key that a pair shows, if its caller may cause that.
    pub(super) async fn look_up_client(
        &self,
        verifier: &VerifierEntry,
        question: &Question<'_>,
        client_id: &str,
        secret: &str,
    ) -> Result<LookedUp, DbError> {
        let digest = self.hasher.digest(question.token);
        if let Some((token, hash)) = self.clients.known(&digest)
            && let Some(warm) = self.refill_client(digest, token, &hash).await?
        {
            return Ok(LookedUp::Read(Box::new(warm)));
        }
        let taken = match self.unknown.try_of(verifier, question.address, self.clock.now()) {
            Ok(taken) => taken,
            Err(after) => return Ok(self.unknown.throttled(after)),
        };
        let compared = self.compare_client(client_id, secret, question.address).await;
        if !matches!(compared, Ok(Compared::Wrong)) {
            self.unknown.give_back(&taken);
        }
        match compared? {
            Compared::Right(key) => {
                let warm = self.refill_client(digest, key.token, &key.secret_hash).await?;
                Ok(warm.map_or(LookedUp::Absent, |warm| LookedUp::Read(Box::new(warm))))
            }
            Compared::Wrong => Ok(LookedUp::Absent),
            Compared::Wait(after) => Ok(self.unknown.throttled(after)),
        }
    }

    /// Reads a key whose pair was found right, and installs it under the digest of the pair; none where the secret was replaced
    /// meanwhile.
    async fn refill_client(&self, digest: Digest, token: TokenId, hash: &str) -> Result<Option<Warm>, DbError> {
        // Under the lock of installers, like every reading of a token.
        let mut installing = self.index.installing.lock().await;
        let mut tx = self.db.read().await?;
        let key = db::access_keys::of_token(&mut tx, token).await?;
        if key.is_none_or(|key| key.secret_hash != hash) {
            return Ok(None);
        }
        let Some(entry) = load::entry_of(&mut tx, &self.catalogues, token).await? else {
            return Ok(None);
        };
        for gone in self.clients.remember(digest, token, hash) {
            self.index.tokens.remove(&gone);
        }
        self.index.install_token(&mut installing, digest, entry.clone());
        Ok(Some(Warm { token: entry, user: None }))
    }

    /// Follows a change of a token that a known pair shows.
    pub(super) async fn install_client(
        &self,
        installing: &mut Installing,
        tx: &mut Tx,
        token: TokenId,
    ) -> Result<(), DbError> {
        let Some((digest, hash)) = self.clients.of_token(token) else {
            return Ok(());
        };
        let key = db::access_keys::of_token(tx, token).await?;
        let entry = match key {
            Some(key) if key.secret_hash == hash => load::entry_of(tx, &self.catalogues, token).await?,
            _ => None,
        };
        match entry {
            Some(entry) if self.index.tokens.contains(&digest) => {
                self.index.install_token(installing, digest, entry);
            }
            Some(_) => {}
            None => {
                self.clients.forget(token);
                self.index.tokens.remove(&digest);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_reads_back() {
        let text = pair("ci_0a", "Se cret");
        assert!(is_pair(&text) && !is_pair("tegata_pat_x"));
        assert_eq!(split(&text), Some(("ci_0a", "Se cret")));
    }

    #[test]
    fn a_token_is_known_by_one_pair_and_what_goes_is_told() {
        let clients = Clients::default();
        let (token, first, second) = (TokenId::from_u128(1), Digest([1; 32]), Digest([2; 32]));
        assert!(clients.remember(first, token, "old").is_empty());
        assert!(clients.remember(first, token, "old").is_empty());
        assert_eq!(clients.known(&first), Some((token, "old".to_owned())));
        assert_eq!(clients.remember(second, token, "new"), [first]);
        assert_eq!((clients.known(&first), clients.of_token(token)), (None, Some((second, "new".to_owned()))));
        assert_eq!(clients.forget(token), Some(second));
        assert_eq!((clients.known(&second), clients.forget(token)), (None, None));
    }

    #[test]
    fn what_is_known_is_bounded() {
        let clients = Clients::default();
        let digest = |number: usize| {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&number.to_le_bytes());
            Digest(bytes)
        };
        let mut gone = 0;
        for number in 0..KNOWN_MAX + 100 {
            gone += clients.remember(digest(number), TokenId::from_u128(number as u128), "h").len();
        }
        assert_eq!(gone, 100);
        let known = clients.known.lock();
        assert_eq!((known.pairs.len(), known.of_token.len()), (KNOWN_MAX, KNOWN_MAX));
    }
}

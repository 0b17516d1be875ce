//! What tokens cost that nobody has.
//!
//! Junk costs no reading at all: it has no form (`malformed`). A token, or a verifier's credential, with the right form that nobody has costs one
//! bounded reading; then its digest is remembered ([`digests`]), and it is `unknown` without another. Readings that
//! find nothing are counted against whoever called ([`rate`]): an address, or the verifier where no address is told.
//! Beyond the rate nothing is read, and the answer is `rate_limited` with the time after which a try makes sense. It is
//! not `unknown`, because that is not known: behind the same address there may be a good token that is not in memory,
//! and whoever holds it has to know that a second try helps. A token that is in memory is never slowed down, and a
//! reading that finds one costs its caller nothing.
//!
//! Denials of nobody known are recorded in full up to a rate, and then counted in summaries
//! ([`tegata_record::AccessLog::sum_up`]).

pub mod digests;
pub mod rate;

use super::check::{Cold, Found, Question};
use super::entry::{VerifierEntry, Warm};
use super::{Verify, clients};
use crate::app::App;
use crate::authn::Digest;
use crate::db::DbError;
use crate::failing::{Failing, reasons};
use digests::Digests;
use rate::{Buckets, Rate};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use tegata_core::decide::Reason;
use tegata_core::ids::{OrgId, VerifierId};
use tegata_core::secret::classify;
use tegata_core::time::Timestamp;
use tegata_record::AccessLog;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Readings for tokens that may be unknown, at a time.
const READINGS: usize = 8;
/// Checks that wait for one of them; beyond it the answer is `rate_limited`.
const WAITING: usize = 4_096;
/// How long a check waits.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
/// When to try again where there are too many readings altogether.
pub(super) const AGAIN: Duration = Duration::from_secs(1);
/// A summary is written when it is this old.
const SUMMARY: Duration = Duration::from_secs(1);
/// How often it is looked for summaries.
const ROUND: Duration = Duration::from_millis(250);

/// What unknown tokens may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Unknown tokens that are looked up for one address a second, and ten times as many at once.
    pub lookups_per_second: NonZeroU32,
    /// Denials of nobody known that are recorded in full, a second, of one verifier and in one organization's log; and ten
    /// times as many at once.
    pub recorded_per_second: NonZeroU32,
}

impl Default for Limits {
    fn default() -> Self {
        let number = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        Self { lookups_per_second: number(20), recorded_per_second: number(100) }
    }
}

/// The state of it. Bounded: four megabytes, whatever comes.
#[derive(Debug)]
pub struct Unknown {
    digests: Digests,
    lookups: Buckets,
    recorded: Buckets,
    readings: Semaphore,
    waiting: AtomicUsize,
    counts: Counts,
}

/// Numbers for the metrics, since the start.
#[derive(Debug, Default)]
pub struct Counts {
    /// Tokens that were looked up and that nobody has.
    pub absent: AtomicU64,
    /// Checks that were answered `rate_limited` in place of a reading.
    pub throttled: AtomicU64,
    /// Checks that were counted in a summary.
    pub summed_up: AtomicU64,
}

/// Against whom an unknown token is counted.
#[derive(Debug, Hash)]
enum Caller {
    Address(u128),
    Verifier(VerifierId),
}

/// Against what a record of nobody known is counted.
#[derive(Debug, Hash)]
enum Log {
    Of(Option<OrgId>),
    From(VerifierId),
}

/// Who has a secret.
#[derive(Debug, Clone, Copy)]
pub enum Holder {
    /// Somebody, under this digest.
    Stored(Digest),
    /// Nobody.
    Nobody,
}

/// What a reading of a cold credential came to.
#[derive(Debug)]
pub enum LookedUp {
    /// It is there.
    Read(Box<Warm>),
    /// Nobody has it.
    Absent,
    /// It was not read; a try makes sense after this time.
    Throttled(Duration),
}

impl LookedUp {
    /// As the decision reads it.
    pub(super) fn cold(&self) -> Cold<'_> {
        match self {
            Self::Read(warm) => Cold::Read(warm),
            Self::Absent => Cold::Absent,
            Self::Throttled(after) => Cold::Throttled(*after),
        }
    }
}

impl Unknown {
    /// Nothing is known to be unknown.
    pub fn new(limits: Limits) -> Self {
        Self {
            digests: Digests::default(),
            lookups: Buckets::new(Rate::per_second(limits.lookups_per_second)),
            recorded: Buckets::new(Rate::per_second(limits.recorded_per_second)),
            readings: Semaphore::new(READINGS),
            waiting: AtomicUsize::new(0),
            counts: Counts::default(),
        }
    }

    /// The digests that nobody has.
    pub const fn digests(&self) -> &Digests {
        &self.digests
    }

    /// Numbers for the metrics.
    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Takes a try of an unknown credential out of what its caller may cause.
    pub(super) fn try_of(
        &self,
        verifier: &VerifierEntry,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<rate::Taken, Duration> {
        self.lookups.take(&caller(verifier, address), now)
    }

    /// Gives it back: it was none.
    pub(super) fn give_back(&self, taken: &rate::Taken) {
        self.lookups.give_back(taken);
    }

    /// Waits for a reading; none where too many wait, or waited too long.
    pub(super) async fn reading(&self, patience: Duration) -> Option<SemaphorePermit<'_>> {
        if let Ok(permit) = self.readings.try_acquire() {
            return Some(permit);
        }
        let _waiting = Waiting::begin(&self.waiting)?;
        tokio::time::timeout(patience, self.readings.acquire()).await.ok()?.ok()
    }

    pub(super) fn throttled(&self, after: Duration) -> LookedUp {
        self.counts.throttled.fetch_add(1, Ordering::Relaxed);
        LookedUp::Throttled(after)
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

/// Whoever has an IPv6 address has the 2^64 others of its network, too.
fn caller(verifier: &VerifierEntry, address: Option<IpAddr>) -> Caller {
    match address {
        Some(IpAddr::V4(address)) => Caller::Address(address.to_ipv6_mapped().to_bits()),
        Some(IpAddr::V6(address)) => Caller::Address(address.to_bits() >> 64 << 64),
        None => Caller::Verifier(verifier.id),
    }
}

impl Verify {
    /// Whether nobody has a token, as far as that is remembered.
    pub(super) fn is_unknown(&self, digest: &Digest) -> bool {
        self.unknown.digests.contains(digest, self.clock.now())
    }

    /// Reads a credential that is not in memory, or something of it, if its caller may cause that.
    pub(super) async fn look_up(&self, verifier: &VerifierEntry, question: &Question<'_>) -> Result<LookedUp, DbError> {
        if let Some((client_id, secret)) = clients::split(question.token) {
            return self.look_up_client(verifier, question, client_id, secret).await;
        }
        if classify(&self.product, question.token).is_none() {
            return self.look_up_imported(verifier, question).await;
        }
        let digest = self.hasher.digest(question.token);
        let previous = self.hasher.previous_digest(question.token);
        for known in [Some(digest), previous].into_iter().flatten() {
            // Its owner is what is not in memory. No one is slowed down by what is known.
            if self.index.tokens.contains(&known) {
                return Ok(self.refill_token(known).await?.map_or(LookedUp::Absent, read));
            }
        }
        let unknown = &self.unknown;
        let caller = caller(verifier, question.address);
        let taken = match unknown.lookups.take(&caller, self.clock.now()) {
            Ok(taken) => taken,
            Err(after) => return Ok(unknown.throttled(after)),
        };
        let stored = match self.holder_of(digest, previous).await {
            Ok(Some(Holder::Stored(stored))) => stored,
            Ok(Some(Holder::Nobody)) => return Ok(LookedUp::Absent),
            // Not its caller's doing.
            Ok(None) => {
                unknown.lookups.give_back(&taken);
                return Ok(unknown.throttled(AGAIN));
            }
            Err(error) => {
                unknown.lookups.give_back(&taken);
                return Err(error);
            }
        };
        unknown.lookups.give_back(&taken);
        Ok(self.refill_token(stored).await?.map_or(LookedUp::Absent, read))
    }

    /// Asks the database whether anybody has a secret with one of these digests, unless it is remembered that nobody has.
    /// None where too many such questions are under way.
    pub(super) async fn holder_of(&self, digest: Digest, previous: Option<Digest>) -> Result<Option<Holder>, DbError> {
        if self.is_unknown(&digest) {
            return Ok(Some(Holder::Nobody));
        }
        let unknown = &self.unknown;
        let Some(_reading) = unknown.reading(PATIENCE).await else { return Ok(None) };
        // From before the reading: what is created meanwhile moves it on, and then nothing is remembered.
        let generation = unknown.digests.generation();
        // Others may have asked for the same while this one waited.
        if self.is_unknown(&digest) {
            return Ok(Some(Holder::Nobody));
        }
        for digest in [Some(digest), previous].into_iter().flatten() {
            if self.is_stored(digest).await? {
                return Ok(Some(Holder::Stored(digest)));
            }
        }
        unknown.counts.absent.fetch_add(1, Ordering::Relaxed);
        unknown.digests.remember(digest, generation, self.clock.now());
        Ok(Some(Holder::Nobody))
    }

    /// Where a denial may be counted in place of being recorded: what nobody known was denied, beyond a rate.
    pub(super) fn sums_up(&self, verifier: &VerifierEntry, found: &Found<'_>, now: Timestamp) -> Option<&AccessLog> {
        let of_nobody = matches!(found.decision.reason(), Reason::Malformed | Reason::Unknown | Reason::RateLimited);
        if found.token.is_some() || !of_nobody {
            return None;
        }
        // Both are charged: a verifier with many organizations fills no log, and many verifiers fill none together.
        let recorded = &self.unknown.recorded;
        let from = recorded.take(&Log::From(verifier.id), now).is_ok();
        let of = recorded.take(&Log::Of(found.org), now).is_ok();
        (!(from && of)).then_some(&*self.journal)
    }

    /// Counts checks that went into a summary.
    pub(super) fn summed_up(&self, checks: usize) {
        if checks > 0 {
            self.unknown.counts.summed_up.fetch_add(checks as u64, Ordering::Relaxed);
        }
    }

    /// What is known of unknown tokens, for the metrics.
    pub const fn unknown(&self) -> &Unknown {
        &self.unknown
    }
}

pub(super) fn read(warm: Warm) -> LookedUp {
    LookedUp::Read(Box::new(warm))
}

/// Writes summaries that are old enough, until the task is dropped.
pub async fn summing_up(app: Arc<App>) {
    let failing = Failing::default();
    loop {
        tokio::time::sleep(ROUND).await;
        settle(&app, app.clock.now().minus(SUMMARY), &failing).await;
    }
}

/// Writes the summaries that were begun before a moment; `failing` keeps what goes wrong for long from being said each time.
pub async fn settle(app: &App, before: Timestamp, failing: &Failing) {
    let log = Arc::clone(app.verify.journal());
    match tokio::task::spawn_blocking(move || log.settle_summaries(before.as_micros())).await {
        Ok(Ok(_)) => drop(failing.over()),
        Ok(Err(error)) => {
            if failing.note(app.clock.now(), &error) {
                tracing::error!(error = reasons(&error), "counts of denied checks are kept; it is tried again");
            }
        }
        Err(error) => tracing::error!(%error, "writing summaries was interrupted"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verifier(number: u128) -> VerifierEntry {
        let apis = std::iter::empty().collect();
        VerifierEntry { id: VerifierId::from_u128(number), revoked: false, valid_until: None, apis }
    }

    #[test]
    fn a_network_is_one_caller_and_so_is_a_verifier_that_tells_no_address() {
        let of = |number, address: Option<&str>| {
            format!("{:?}", caller(&verifier(number), address.map(|text| text.parse().unwrap())))
        };
        assert_eq!(of(1, Some("2001:db8::1")), of(2, Some("2001:db8::ffff:1")));
        assert_ne!(of(1, Some("2001:db8::1")), of(1, Some("2001:db8:0:1::1")));
        assert_ne!(of(1, Some("203.0.113.1")), of(1, Some("203.0.113.2")));
        assert_ne!(of(1, None), of(2, None));
    }

    #[tokio::test]
    async fn readings_are_bounded_and_so_is_waiting_for_them() {
        let unknown = Unknown::new(Limits::default());
        let soon = Duration::from_millis(20);
        let mut held = Vec::new();
        for _ in 0..READINGS {
            held.push(unknown.reading(soon).await.unwrap());
        }
        assert!(unknown.reading(soon).await.is_none(), "after some patience");
        assert_eq!(unknown.waiting.load(Ordering::Relaxed), 0);
        unknown.waiting.store(WAITING, Ordering::Relaxed);
        let at_once = tokio::time::timeout(Duration::from_mins(1), unknown.reading(Duration::MAX)).await;
        assert!(at_once.unwrap().is_none(), "nobody waits behind so many");
        assert_eq!(unknown.waiting.load(Ordering::Relaxed), WAITING);
        held.pop();
        assert!(unknown.reading(soon).await.is_some());
    }
}

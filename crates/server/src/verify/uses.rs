//! When credentials were last used: noted in memory by what lets them in, written behind by a job.
//!
//! A check that says yes notes the use of its credential in the organization of the call, and not again within
//! [`STEP`]: the entry in memory remembers the step, so that most checks see with a word that they have already read that
//! there is nothing to do. Noting never waits and takes bounded room; what finds none is noted by a later check. A job
//! writes what was noted, some rows at a time. A use becomes visible after some seconds, and is then true to
//! [`STEP`]; what the end of the process by force takes away is what was noted in the last seconds.

use super::Verify;
use super::entry::TokenEntry;
use crate::app::App;
use crate::authn::Digest;
use crate::db::{self, DbError};
use crate::failing::Failing;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tegata_core::ids::{OrgId, TokenId};
use tegata_core::time::Timestamp;

/// How long a use that was noted stands for those after it.
pub const STEP: Duration = Duration::from_mins(5);
/// Uses that wait to be written.
const WAITING_MAX: usize = 50_000;
/// How many are written in one transaction: every change waits for it.
const ROWS: usize = 250;
/// How many are written in a row; the others wait for the next time.
const ROWS_PER_ROUND: usize = 10_000;
/// Between two transactions, so that changes come between.
const PAUSE: Duration = Duration::from_millis(10);

/// Uses that wait to be written.
#[derive(Debug, Default)]
pub struct Uses {
    waiting: Mutex<Waiting>,
    is_full: AtomicBool,
}

type Waiting = HashMap<(TokenId, OrgId), Timestamp, foldhash::fast::RandomState>;

impl Uses {
    /// Notes a use, if that can be done at once. Tells whether it was.
    pub fn note(&self, token: TokenId, org: OrgId, now: Timestamp) -> bool {
        if self.is_full.load(Ordering::Relaxed) {
            return false;
        }
        let Some(mut waiting) = self.waiting.try_lock() else { return false };
        let noted = waiting.entry((token, org)).or_insert(now);
        *noted = now.max(*noted);
        self.is_full.store(waiting.len() >= WAITING_MAX, Ordering::Relaxed);
        true
    }

    /// Whether a use waits to be written.
    pub fn is_waiting(&self, token: TokenId, org: OrgId) -> bool {
        self.waiting.lock().contains_key(&(token, org))
    }

    /// Takes out what is to be written next, oldest uses first.
    fn take(&self, most: usize) -> Vec<((TokenId, OrgId), Timestamp)> {
        let mut waiting = self.waiting.lock();
        let mut taken: Vec<_> = waiting.iter().map(|(who, when)| (*who, *when)).collect();
        taken.sort_unstable_by_key(|(_, when)| *when);
        taken.truncate(most);
        for (who, _) in &taken {
            waiting.remove(who);
        }
        self.is_full.store(waiting.len() >= WAITING_MAX, Ordering::Relaxed);
        taken
    }
}

/// The step of time that a use falls into. Steps of different tokens begin at different moments, so that not all of them
/// are noted at once. Never 0.
fn step(token: TokenId, now: Timestamp) -> u32 {
    let [shift, ..] = token.as_u128().to_le_bytes();
    let seconds = now.as_micros() / 1_000_000 + i64::from(shift);
    let step = seconds / i64::try_from(STEP.as_secs()).unwrap_or(i64::MAX);
    u32::try_from(step).unwrap_or(0).saturating_add(1)
}

impl Verify {
    /// Uses that wait to be written.
    pub const fn uses(&self) -> &Uses {
        &self.uses
    }

    /// Notes that a check let a token in, unless that was noted of late.
    #[inline]
    pub(super) fn used(&self, token: &TokenEntry, digest: Option<&Digest>, org: OrgId, now: Timestamp) {
        let Some(part) = token.part(org) else { return };
        let step = step(token.id, now);
        if part.noted.step() != step {
            self.note_use(token.id, digest, org, step, now);
        }
    }

    #[cold]
    fn note_use(&self, token: TokenId, digest: Option<&Digest>, org: OrgId, step: u32, now: Timestamp) {
        if self.uses.note(token, org, now)
            && let Some(digest) = digest
        {
            self.index.tokens.note(digest, org, step);
        }
    }
}

/// Writes what was noted, again and again, until the task is dropped.
pub async fn writing(app: Arc<App>, every: Duration) {
    let failing = Failing::default();
    loop {
        tokio::time::sleep(every).await;
        write(&app, &failing).await;
    }
}

/// Writes what was noted. What cannot be written waits for the next time.
pub async fn write(app: &App, failing: &Failing) {
    let taken = app.verify.uses.take(ROWS_PER_ROUND);
    for some in taken.chunks(ROWS) {
        if let Err(error) = write_some(app, some).await {
            if failing.note(app.clock.now(), &error) {
                tracing::warn!(%error, "when credentials were last used could not be written; it is tried again");
            }
            // They are still known to have been used; a later use has covered them where one was noted meanwhile.
            for ((token, org), when) in some {
                app.verify.uses.note(*token, *org, *when);
            }
            continue;
        }
        if let Some(since) = failing.over() {
            tracing::warn!(%since, "when credentials were last used is written again");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn write_some(app: &App, some: &[((TokenId, OrgId), Timestamp)]) -> Result<(), DbError> {
    let mut tx = app.db.write().await?;
    db::uses::put(&mut tx, some.iter().map(|((token, org), when)| (*org, *token, *when))).await?;
    tx.commit().await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn uses_are_taken_out_oldest_first_and_the_latest_of_each_counts() {
        let (uses, org) = (Uses::default(), OrgId::from_u128(1));
        for (token, seconds) in [(1, 30), (2, 10), (3, 20), (2, 40), (1, 5)] {
            assert!(uses.note(TokenId::from_u128(token), org, at(seconds)));
        }
        let tokens = |taken: Vec<((TokenId, OrgId), Timestamp)>| -> Vec<_> {
            taken.into_iter().map(|((token, _), when)| (token.as_u128(), when)).collect()
        };
        assert_eq!(tokens(uses.take(2)), [(3, at(20)), (1, at(30))]);
        assert_eq!(tokens(uses.take(2)), [(2, at(40))]);
        assert!(uses.take(2).is_empty());
    }

    #[test]
    fn room_is_bounded_and_comes_back() {
        let (uses, org) = (Uses::default(), OrgId::from_u128(1));
        let noted = (0..2 * WAITING_MAX as u128).filter(|token| uses.note(TokenId::from_u128(*token), org, at(0)));
        assert_eq!(noted.count(), WAITING_MAX);
        assert_eq!(uses.take(10).len(), 10);
        assert!(uses.note(TokenId::from_u128(u128::MAX), org, at(1)));
    }

    #[test]
    fn steps_are_as_long_as_they_say_and_begin_apart() {
        let token = TokenId::from_u128(7);
        let length = i64::try_from(STEP.as_secs()).unwrap();
        let steps: Vec<u32> = (0..3 * length).map(|second| step(token, at(1_000_000 + second))).collect();
        let changes = steps.windows(2).filter(|pair| pair[0] != pair[1]).count();
        assert!((2..=3).contains(&changes), "{changes}");
        assert!(steps.iter().all(|step| *step > 0));
        let begins = |token: u128| (0..length).position(|second| step(TokenId::from_u128(token), at(second)) == 2);
        assert_ne!(begins(1), begins(100));
    }
}

//! Those who wait for a decision about a credential: they are woken when a change of it was applied, and look again. Few
//! wait at a time, fewer for one credential, and nobody when the server stops.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tegata_core::ids::TokenId;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// Most that wait at a time.
const ALL_MAX: usize = 1_000;
/// Most that wait for one credential.
const OF_ONE_MAX: usize = 16;

/// Those who wait.
#[derive(Debug, Default)]
pub struct Waiting(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    of: Mutex<Waiters>,
    closed: AtomicBool,
}

#[derive(Debug, Default)]
struct Waiters {
    all: usize,
    of: HashMap<TokenId, (usize, Arc<Notify>)>,
}

/// Somebody who waits, as long as it lives.
#[derive(Debug)]
pub struct Waiter {
    token: TokenId,
    changed: Arc<Notify>,
    inner: Arc<Inner>,
}

impl Waiting {
    /// Begins to wait for a credential; none where too many do already, or the server stops.
    pub fn enter(&self, token: TokenId) -> Option<Waiter> {
        let mut waiters = self.0.of.lock();
        if self.0.closed.load(Ordering::Acquire) || waiters.all >= ALL_MAX {
            return None;
        }
        let (count, changed) = waiters.of.entry(token).or_default();
        if *count >= OF_ONE_MAX {
            return None;
        }
        *count += 1;
        let changed = Arc::clone(changed);
        waiters.all += 1;
        Some(Waiter { token, changed, inner: Arc::clone(&self.0) })
    }

    /// Whether anybody waits for a credential.
    pub fn is_awaited(&self, token: TokenId) -> bool {
        self.0.of.lock().of.contains_key(&token)
    }

    /// Wakes those who wait for a credential.
    pub fn wake(&self, token: TokenId) {
        if let Some((_, changed)) = self.0.of.lock().of.get(&token) {
            changed.notify_waiters();
        }
    }

    /// Wakes all of them for good: the server stops.
    pub fn close(&self) {
        self.0.closed.store(true, Ordering::Release);
        for (_, changed) in self.0.of.lock().of.values() {
            changed.notify_waiters();
        }
    }
}

impl Waiter {
    /// Ends with the next change after this call, whenever it is waited for.
    pub fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }

    /// Whether waiting is over, because the server stops.
    pub fn is_over(&self) -> bool {
        self.inner.closed.load(Ordering::Acquire)
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut waiters = self.inner.of.lock();
        waiters.all = waiters.all.saturating_sub(1);
        if let Some((count, _)) = waiters.of.get_mut(&self.token) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                waiters.of.remove(&self.token);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn a_change_after_the_look_is_not_missed() {
        let waiting = Waiting::default();
        let (token, other) = (TokenId::from_u128(1), TokenId::from_u128(2));
        let waiter = waiting.enter(token).unwrap();
        let changed = waiter.changed();
        waiting.wake(other);
        assert!(waiting.is_awaited(token) && !waiting.is_awaited(other));
        assert!(tokio::time::timeout(Duration::from_millis(1), waiter.changed()).await.is_err());
        waiting.wake(token);
        changed.await;
        let changed = waiter.changed();
        assert!(!waiter.is_over());
        waiting.close();
        changed.await;
        assert!(waiter.is_over() && waiting.enter(token).is_none());
    }

    #[test]
    fn few_wait_and_room_is_given_back() {
        let waiting = Waiting::default();
        let token = TokenId::from_u128(1);
        let mut held: Vec<_> = (0..OF_ONE_MAX).map(|_| waiting.enter(token).unwrap()).collect();
        assert!(waiting.enter(token).is_none());
        held.pop();
        held.push(waiting.enter(token).unwrap());
        for number in 2.. {
            let Some(waiter) = waiting.enter(TokenId::from_u128(number)) else { break };
            held.push(waiter);
        }
        assert_eq!(held.len(), ALL_MAX);
        held.clear();
        assert!(waiting.0.of.lock().of.is_empty() && waiting.0.of.lock().all == 0);
    }
}

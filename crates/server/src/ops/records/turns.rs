//! Who may ask the log now. Long questions take processor time and memory: few run at once, and fewer of one
//! organization, so that nobody's reports hold up anybody else's.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tegata_core::problem::{Code, Problem};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Long questions at once, and of one organization.
const QUESTIONS: (usize, usize) = (4, 2);
/// Readers that follow the log, and of one organization.
const TAILS: (usize, usize) = (64, 8);
/// How long a question waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// The turns of an installation.
#[derive(Debug, Clone)]
pub struct Turns {
    all: Arc<Semaphore>,
    of_one: usize,
    taken: Arc<Mutex<HashMap<String, usize>>>,
}

/// A turn. Given back when it is dropped.
#[derive(Debug)]
pub struct Turn {
    org: String,
    taken: Arc<Mutex<HashMap<String, usize>>>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Turns {
    /// For questions.
    pub fn of_questions() -> Self {
        Self::new(QUESTIONS)
    }

    /// For those who follow the log.
    pub fn of_tails() -> Self {
        Self::new(TAILS)
    }

    fn new((at_once, of_one): (usize, usize)) -> Self {
        Self { all: Arc::new(Semaphore::new(at_once)), of_one, taken: Arc::default() }
    }

    /// Gives no more turns: the server stops.
    pub fn close(&self) {
        self.all.close();
    }

    /// Whether there are no more turns, so that those who hold one had better end.
    pub fn are_closed(&self) -> bool {
        self.all.is_closed()
    }

    /// Waits for a turn of an organization (its id).
    pub async fn take(&self, org: &str) -> Result<Turn, Problem> {
        let mut turn = self.enter(org)?;
        let permit = tokio::time::timeout(PATIENCE, Arc::clone(&self.all).acquire_owned()).await;
        let Ok(Ok(permit)) = permit else {
            let detail = "many questions are asked of the access log at this moment; ask again";
            return Err(later(Code::Unavailable, detail));
        };
        turn.permit = Some(permit);
        Ok(turn)
    }

    fn enter(&self, org: &str) -> Result<Turn, Problem> {
        let mut taken = self.taken.lock();
        let own = taken.entry(org.to_owned()).or_default();
        if *own >= self.of_one {
            let detail = format!("an organization asks its access log at most {} of these at once", self.of_one);
            return Err(later(Code::TooManyRequests, detail));
        }
        *own += 1;
        Ok(Turn { org: org.to_owned(), taken: Arc::clone(&self.taken), permit: None })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.permit = None;
        let mut taken = self.taken.lock();
        if let Some(own) = taken.get_mut(&self.org) {
            *own -= 1;
            if *own == 0 {
                taken.remove(&self.org);
            }
        }
    }
}

fn later(code: Code, detail: impl Into<String>) -> Problem {
    Problem { retry_after_seconds: Some(1), ..Problem::new(code, detail) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_organization_has_few_turns_and_gets_them_back() {
        let turns = Turns::of_questions();
        let (first, _second) = (turns.take("org_a").await.unwrap(), turns.take("org_a").await.unwrap());
        assert_eq!(turns.take("org_a").await.unwrap_err().code, Code::TooManyRequests);
        let _other = turns.take("org_b").await.unwrap();
        drop(first);
        drop(turns.take("org_a").await.unwrap());
        assert_eq!(turns.taken.lock().get("org_a"), Some(&1));
    }

    #[tokio::test]
    async fn nobody_waits_for_turns_that_no_longer_come() {
        let turns = Turns::of_questions();
        let mut held = Vec::new();
        for org in ["org_a", "org_a", "org_b", "org_b"] {
            held.push(turns.take(org).await.unwrap());
        }
        let waiting = tokio::spawn({
            let turns = turns.clone();
            async move { turns.take("org_c").await.map(drop) }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished() && !turns.are_closed());
        turns.close();
        assert_eq!(waiting.await.unwrap().unwrap_err().code, Code::Unavailable);
        held.clear();
        assert!(turns.are_closed() && turns.taken.lock().is_empty());
    }
}

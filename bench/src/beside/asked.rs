//! What a server is asked about its one key, and the load of asking it.

use crate::Fallible;
use crate::in_process::as_f64;
use crate::load::{CONNECTIONS, Connection, Place, gather};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Requests about one key, and how the bodies of their answers begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// With the key.
    pub right: Vec<u8>,
    /// With a key of the same form that nobody has.
    pub wrong: Vec<u8>,
    /// How a yes begins.
    pub yes: Vec<u8>,
    /// How a no begins.
    pub no: Vec<u8>,
}

/// What one round of load saw.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    /// Requests that were answered, all with a yes.
    pub requests: u64,
    /// In how many seconds.
    pub seconds: f64,
    /// Half of the answers took at most so many milliseconds.
    pub p50_ms: f64,
    /// 99 of 100 answers took at most so many milliseconds.
    pub p99_ms: f64,
}

impl Asked {
    /// Asks with both keys, in turn: the right one has to get a yes, and the wrong one a no.
    pub async fn try_out(&self, place: &Place) -> Fallible<()> {
        let mut connection = Connection::open(place).await?;
        for (what, request, begin) in [
            ("the key", &self.right, &self.yes),
            ("a wrong key", &self.wrong, &self.no),
            ("the key", &self.right, &self.yes),
        ] {
            let answer = connection.exchange(request).await?;
            if !says(answer, begin) {
                return Err(unexpected(what, answer));
            }
        }
        Ok(())
    }
}

/// Whether an answer is a success whose body begins so.
fn says(answer: &[u8], begin: &[u8]) -> bool {
    let body = answer.windows(4).position(|window| window == b"\r\n\r\n").and_then(|head| answer.get(head + 4..));
    answer.starts_with(b"HTTP/1.1 200 ") && body.is_some_and(|body| body.starts_with(begin))
}

fn unexpected(what: &str, answer: &[u8]) -> Box<dyn std::error::Error + Send + Sync> {
    format!("{what} was answered with: {}", String::from_utf8_lossy(answer)).into()
}

/// Asks about the key over all connections for a while; every answer has to be a yes. `before` runs when all of them are open.
pub async fn round(
    place: &Place,
    asked: &Arc<Asked>,
    duration: Duration,
    awake: bool,
    before: impl FnOnce() -> Fallible<()>,
) -> Fallible<Seen> {
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        connections.push(Connection::open(place).await?);
    }
    before()?;
    let began = Instant::now();
    let tasks = connections.into_iter().map(|mut connection| {
        let asked = Arc::clone(asked);
        async move {
            let mut milliseconds = Vec::new();
            let mut sent = began.elapsed();
            while sent < duration {
                let answer = connection.exchange(&asked.right).await?;
                if !says(answer, &asked.yes) {
                    return Err(unexpected("the key", answer));
                }
                let answered = began.elapsed();
                milliseconds.push(answered.saturating_sub(sent).as_secs_f64() * 1e3);
                sent = answered;
            }
            Ok(milliseconds)
        }
    });
    let mut all = gather(tasks, awake).await?.concat();
    let seconds = began.elapsed().as_secs_f64();
    all.sort_by(f64::total_cmp);
    Ok(Seen { requests: all.len() as u64, seconds, p50_ms: percentile(&all, 50), p99_ms: percentile(&all, 99) })
}

impl Seen {
    /// Requests a second.
    pub fn per_second(&self) -> f64 {
        as_f64(self.requests) / self.seconds
    }
}

/// The smallest of the sorted values that this share of all does not exceed.
fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_success_with_the_right_body_counts() {
        let yes = b"{\"active\":true,";
        assert!(says(b"HTTP/1.1 200 OK\r\nx: y\r\n\r\n{\"active\":true,\"scope\":\"a\"}", yes));
        for other in [
            &b"HTTP/1.1 500 Internal Server Error\r\n\r\n{\"active\":true,"[..],
            b"HTTP/1.1 200 OK\r\n\r\n{\"active\":false}",
            b"HTTP/1.1 200 OK\r\nx: {\"active\":true,\r\n\r\n",
            b"HTTP/1.1 200 OK\r\n",
            b"",
        ] {
            assert!(!says(other, yes), "{}", String::from_utf8_lossy(other));
        }
    }

    #[test]
    fn percentiles_are_values_that_occurred() {
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        for (values, percent, expected) in [(&hundred[..], 50, 50.0), (&hundred, 99, 99.0), (&hundred[..1], 99, 1.0)] {
            assert!((percentile(values, percent) - expected).abs() < f64::EPSILON, "{percent} of {}", values.len());
        }
        assert!(percentile(&[], 50).is_nan());
    }
}

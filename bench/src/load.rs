//! The load: connections that are kept open, each asking the next check when the last one is answered. Requests are
//! written and answers are read by hand, so that the processor of the load is not what is measured.

use crate::Fallible;
use crate::fill::{Call, Numbers};
use serde_json::json;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Connections at the same time.
pub const CONNECTIONS: u64 = 64;

/// How the body of a yes begins, after the head.
const YES: &[u8] = b"\r\n\r\n{\"allowed\":true,";

/// What every request begins with.
#[derive(Debug, Clone)]
pub struct Asking {
    /// The secret of a verifier.
    pub verifier: String,
    /// Tokens that are in memory.
    pub tokens: u64,
}

impl Asking {
    /// A request about one token.
    pub fn request(&self, number: u64) -> Vec<u8> {
        let call = Call::of(number);
        let body = json!({"token": call.token, "api": crate::world::API, "method": "GET", "path": call.path,
            "ip": "203.0.113.9", "user_agent": "octokit-rest.js/21.0.2", "request_id": "0f6c7a52b4d14a7f"})
        .to_string();
        format!(
            "POST /v1/verify HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.verifier,
            body.len()
        )
        .into_bytes()
    }
}

/// An open connection.
pub struct Connection {
    stream: TcpStream,
    /// What was read and not yet looked at.
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects.
    pub async fn open(address: SocketAddr) -> Fallible<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(4096) })
    }

    /// Asks, and returns the whole answer, which has to be a yes.
    pub async fn ask(&mut self, request: &[u8]) -> Fallible<&[u8]> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let end = loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err("the server closed the connection".into());
            }
            if let Some(end) = answer_end(&self.buffer)? {
                break end;
            }
        };
        let answer = &self.buffer[..end];
        let allowed = answer.windows(YES.len()).any(|window| window == YES);
        if allowed { Ok(answer) } else { Err(String::from_utf8_lossy(answer).into_owned().into()) }
    }
}

/// Where an answer ends, once all of it is there.
fn answer_end(read: &[u8]) -> Fallible<Option<usize>> {
    const LENGTH: &[u8] = b"\r\ncontent-length: ";
    let Some(head_end) = read.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let head = &read[..head_end + 2];
    let at = head.windows(LENGTH.len()).position(|window| window.eq_ignore_ascii_case(LENGTH));
    let value = &head[at.ok_or("an answer without a length")? + LENGTH.len()..];
    let digits = value.iter().take_while(|byte| byte.is_ascii_digit());
    let length = digits.fold(0, |length, digit| length * 10 + usize::from(digit - b'0'));
    let end = head_end + 4 + length;
    Ok((read.len() >= end).then_some(end))
}

/// What a round of load did.
#[derive(Debug, Clone, Copy)]
pub struct Round {
    /// Requests that were answered.
    pub requests: u64,
    /// In how many seconds.
    pub seconds: f64,
}

/// Loads a server for a while; what it is asked depends on `seed` alone. `before` runs when all connections are open.
pub async fn round(
    address: SocketAddr,
    asking: &Asking,
    seed: u64,
    duration: Duration,
    before: impl FnOnce() -> Fallible<()>,
) -> Fallible<Round> {
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        connections.push(Connection::open(address).await?);
    }
    before()?;
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for (number, mut connection) in (0_u64..).zip(connections) {
        let (asking, mut numbers) = (asking.clone(), Numbers::new(seed ^ (number << 40)));
        tasks.spawn(async move {
            let mut requests = 0_u64;
            while began.elapsed() < duration {
                connection.ask(&asking.request(numbers.below(asking.tokens))).await?;
                requests += 1;
            }
            Fallible::Ok(requests)
        });
    }
    // The load never sleeps: a server that had to wake it with every answer would pay for that, and the slower server more often.
    let awake = tokio::spawn(async {
        loop {
            tokio::task::yield_now().await;
        }
    });
    let mut requests = 0;
    while let Some(done) = tasks.join_next().await {
        requests += done??;
    }
    awake.abort();
    Ok(Round { requests, seconds: began.elapsed().as_secs_f64() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_ends_where_its_length_says() {
        let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
        assert_eq!(answer_end(whole).unwrap(), Some(whole.len()));
        assert_eq!(answer_end(&whole[..whole.len() - 1]).unwrap(), None);
        assert_eq!(answer_end(&whole[..20]).unwrap(), None);
        assert!(answer_end(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}

//! The load: connections that are kept open, each asking the next check when the last one is answered. Requests are
//! written and answers are read by hand, so that the processor of the load is not what is measured.

use crate::Fallible;
use crate::fill::{Call, Numbers};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::JoinSet;

/// Connections at the same time.
pub const CONNECTIONS: u64 = 64;

/// How the body of a yes begins, after the head.
const YES: &[u8] = b"\r\n\r\n{\"allowed\":true,";

/// Connections that ask batches at the same time.
pub const BATCH_CONNECTIONS: u64 = 4;
/// Checks in a batch: as many as there may be.
pub const BATCH: u64 = 1_000;
/// Different batches that are asked in turn; making them is not part of what is measured.
const BATCHES: u64 = 16;

/// Where a server listens.
#[derive(Debug, Clone)]
pub enum Place {
    /// An address.
    Tcp(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
}

/// What is read from and written to.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// What every request begins with.
#[derive(Debug, Clone)]
pub struct Asking {
    /// The secret of a verifier.
    pub verifier: String,
    /// Tokens that are in memory.
    pub tokens: u64,
}

impl Asking {
    /// The check of one token.
    pub fn check(number: u64) -> Value {
        let call = Call::of(number);
        json!({"token": call.token, "api": crate::world::API, "method": "GET", "path": call.path,
            "ip": "203.0.113.9", "user_agent": "octokit-rest.js/21.0.2", "request_id": "0f6c7a52b4d14a7f"})
    }

    /// A request about one token.
    pub fn request(&self, number: u64) -> Vec<u8> {
        self.post("/v1/verify", &Self::check(number).to_string())
    }

    /// A request about many random tokens.
    pub fn batch(&self, numbers: &mut Numbers) -> Vec<u8> {
        let checks: Vec<_> = (0..BATCH).map(|_| Self::check(numbers.below(self.tokens))).collect();
        self.post("/v1/verify/batch", &json!({"checks": checks}).to_string())
    }

    fn post(&self, path: &str, body: &str) -> Vec<u8> {
        let authorization = format!("Bearer {}", self.verifier);
        post(path, &[("authorization", &authorization), ("content-type", "application/json")], body)
    }
}

/// A request over HTTP/1.1.
pub fn post(path: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut request = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\n");
    for (name, value) in headers {
        request.extend([*name, ": ", *value, "\r\n"]);
    }
    request.extend(["content-length: ", &body.len().to_string(), "\r\n\r\n", body]);
    request.into_bytes()
}

/// An open connection.
pub struct Connection {
    stream: Box<dyn Stream>,
    /// What was read and not yet looked at.
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects.
    pub async fn open(place: &Place) -> Fallible<Self> {
        let stream: Box<dyn Stream> = match place {
            Place::Tcp(address) => {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                Box::new(stream)
            }
            Place::Unix(path) => Box::new(UnixStream::connect(path).await?),
        };
        Ok(Self { stream, buffer: Vec::with_capacity(4096) })
    }

    /// Asks, and returns the whole answer, which has to be a yes.
    pub async fn ask(&mut self, request: &[u8]) -> Fallible<&[u8]> {
        let answer = self.exchange(request).await?;
        let allowed = answer.windows(YES.len()).any(|window| window == YES);
        if allowed { Ok(answer) } else { Err(String::from_utf8_lossy(answer).into_owned().into()) }
    }

    /// Asks, and returns the whole answer.
    pub async fn exchange(&mut self, request: &[u8]) -> Fallible<&[u8]> {
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
        Ok(&self.buffer[..end])
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
    place: &Place,
    asking: &Asking,
    seed: u64,
    duration: Duration,
    before: impl FnOnce() -> Fallible<()>,
) -> Fallible<Round> {
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        connections.push(Connection::open(place).await?);
    }
    before()?;
    let began = Instant::now();
    let tasks = (0_u64..).zip(connections).map(|(number, mut connection)| {
        let (asking, mut numbers) = (asking.clone(), Numbers::new(seed ^ (number << 40)));
        async move {
            let mut requests = 0_u64;
            while began.elapsed() < duration {
                connection.ask(&asking.request(numbers.below(asking.tokens))).await?;
                requests += 1;
            }
            Ok(requests)
        }
    });
    awake(tasks, began).await
}

/// The same over HTTP/2: as many requests under way at a time, on a few connections.
pub async fn round_http2(
    place: &Place,
    asking: &Asking,
    seed: u64,
    duration: Duration,
    before: impl FnOnce() -> Fallible<()>,
) -> Fallible<Round> {
    let Place::Tcp(address) = place else { return Err("HTTP/2 is asked over TCP".into()) };
    let url = format!("http://{address}/v1/verify");
    let mut clients = Vec::new();
    for _ in 0..BATCH_CONNECTIONS {
        let client = reqwest::Client::builder().http2_prior_knowledge().build()?;
        client.post(&url).bearer_auth(&asking.verifier).json(&Asking::check(0)).send().await?;
        clients.push(client);
    }
    before()?;
    let began = Instant::now();
    let tasks = (0..CONNECTIONS).zip(clients.iter().cycle().cloned()).map(|(number, client)| {
        let (asking, url, mut numbers) = (asking.clone(), url.clone(), Numbers::new(seed ^ (number << 40)));
        async move {
            let mut requests = 0_u64;
            while began.elapsed() < duration {
                let check = Asking::check(numbers.below(asking.tokens));
                let text = client.post(&url).bearer_auth(&asking.verifier).json(&check).send().await?.text().await?;
                if !text.starts_with("{\"allowed\":true,") {
                    return Err(text.into());
                }
                requests += 1;
            }
            Ok(requests)
        }
    });
    awake(tasks, began).await
}

/// Loads a server with batches; what is counted are checks.
pub async fn round_batches(
    place: &Place,
    asking: &Asking,
    seed: u64,
    duration: Duration,
    before: impl FnOnce() -> Fallible<()>,
) -> Fallible<Round> {
    let mut numbers = Numbers::new(seed);
    let batches: Arc<Vec<_>> = Arc::new((0..BATCHES).map(|_| asking.batch(&mut numbers)).collect());
    let mut connections = Vec::new();
    for _ in 0..BATCH_CONNECTIONS {
        let mut connection = Connection::open(place).await?;
        let answer = String::from_utf8(connection.exchange(&batches[0]).await?.to_vec())?;
        if answer.matches("\"allowed\":true,").count() as u64 != BATCH {
            return Err(answer.into());
        }
        connections.push(connection);
    }
    before()?;
    let began = Instant::now();
    let tasks = connections.into_iter().enumerate().map(|(number, mut connection)| {
        let batches = Arc::clone(&batches);
        async move {
            let mut checks = 0_u64;
            for batch in batches.iter().cycle().skip(number) {
                if began.elapsed() >= duration {
                    break;
                }
                connection.exchange(batch).await?;
                checks += BATCH;
            }
            Ok(checks)
        }
    });
    // The server has both processors here, and the load takes what it must of one: it sleeps while it waits.
    let requests = gather(tasks, false).await?.iter().sum();
    Ok(Round { requests, seconds: began.elapsed().as_secs_f64() })
}

/// Runs the load without ever sleeping, and counts.
async fn awake<F>(tasks: impl Iterator<Item = F>, began: Instant) -> Fallible<Round>
where
    F: Future<Output = Fallible<u64>> + Send + 'static,
{
    let requests = gather(tasks, true).await?.iter().sum();
    Ok(Round { requests, seconds: began.elapsed().as_secs_f64() })
}

/// Runs the tasks of a load until the last ends or one fails. Where it stays awake, it never sleeps: a server that had to wake it with
/// every answer would pay for that, the slower one more often.
pub async fn gather<T, F>(tasks: impl Iterator<Item = F>, awake: bool) -> Fallible<Vec<T>>
where
    T: Send + 'static,
    F: Future<Output = Fallible<T>> + Send + 'static,
{
    let mut tasks: JoinSet<_> = tasks.collect();
    // A set, so that it ends with this call however that ends.
    let mut restless = JoinSet::new();
    if awake {
        restless.spawn(async {
            loop {
                tokio::task::yield_now().await;
            }
        });
    }
    let mut all = Vec::with_capacity(tasks.len());
    while let Some(done) = tasks.join_next().await {
        all.push(done??);
    }
    Ok(all)
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

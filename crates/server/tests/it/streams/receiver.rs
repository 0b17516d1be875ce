//! Receivers: an HTTP server that does as it is told, and listeners for messages of syslog.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::Value;
use sha2::Sha256;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// A request that a webhook got, whatever it answered.
#[derive(Debug, Clone)]
pub struct Got {
    pub headers: HeaderMap,
    pub body: Bytes,
    pub status: u16,
    pub json: Value,
}

impl Got {
    pub fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    pub fn records(&self) -> &Vec<Value> {
        self.json["data"]["records"].as_array().unwrap()
    }

    /// Whether one of the signatures is that of the secret, as the specification says.
    pub fn is_signed_by(&self, secret: &str) -> bool {
        let key = BASE64.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let mut state = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        state.update(format!("{}.{}.", self.header("webhook-id"), self.header("webhook-timestamp")).as_bytes());
        state.update(&self.body);
        let expected = format!("v1,{}", BASE64.encode(state.finalize().into_bytes()));
        self.header("webhook-signature").split(' ').any(|signature| signature == expected)
    }
}

/// What a webhook answers in place of a status.
pub const HANG: u16 = 0;

/// A webhook.
pub struct Hook {
    pub address: SocketAddr,
    answer: Arc<AtomicU16>,
    got: Arc<Mutex<Vec<Got>>>,
    task: JoinHandle<()>,
}

impl Drop for Hook {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Hook {
    pub async fn open() -> Self {
        Self::open_at("127.0.0.1:0".parse().unwrap()).await
    }

    pub async fn open_at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (answer, got) = (Arc::new(AtomicU16::new(200)), Arc::<Mutex<Vec<Got>>>::default());
        let task = tokio::spawn(listen(listener, Arc::clone(&answer), Arc::clone(&got)));
        Self { address, answer, got, task }
    }

    pub fn url(&self) -> String {
        format!("http://{}/in?code=hush", self.address)
    }

    /// What it answers from now on.
    pub fn answers(&self, status: u16) {
        self.answer.store(status, Ordering::SeqCst);
    }

    /// Every request.
    pub fn all(&self) -> Vec<Got> {
        self.got.lock().clone()
    }

    /// The requests that it took.
    pub fn taken(&self) -> Vec<Got> {
        self.all().into_iter().filter(|got| (200..300).contains(&got.status)).collect()
    }

    /// The ids of the records that it took, in this order.
    pub fn ids(&self) -> Vec<String> {
        self.taken().iter().flat_map(Got::records).map(super::id_of).collect()
    }

    /// Waits until it has taken all of these records.
    pub async fn has(&self, ids: &[String]) {
        super::until("the webhook has all records", async || {
            let here: std::collections::HashSet<String> = self.ids().into_iter().collect();
            ids.iter().all(|id| here.contains(id))
        })
        .await;
    }
}

async fn listen(listener: TcpListener, answer: Arc<AtomicU16>, got: Arc<Mutex<Vec<Got>>>) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (answer, got) = (Arc::clone(&answer), Arc::clone(&got));
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            let (status, got) = (answer.load(Ordering::SeqCst), Arc::clone(&got));
            async move {
                let (head, body) = request.into_parts();
                assert_eq!((head.method.as_str(), head.uri.to_string().as_str()), ("POST", "/in?code=hush"));
                let body = body.collect().await.unwrap().to_bytes();
                let json = serde_json::from_slice(&body).unwrap();
                got.lock().push(Got { headers: head.headers, body, status, json });
                if status == HANG {
                    std::future::pending::<()>().await;
                }
                let mut response = Response::builder().status(status);
                if (300..400).contains(&status) {
                    response = response.header("location", "/elsewhere");
                }
                Ok::<_, std::convert::Infallible>(response.body(Full::new(Bytes::from("thanks"))).unwrap())
            }
        });
        connections.spawn(async move {
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// A receiver of syslog messages.
pub struct Log {
    pub address: SocketAddr,
    pub is_cutting: Arc<AtomicBool>,
    got: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Drop for Log {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Log {
    pub async fn open(tls: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (is_cutting, got) = (Arc::<AtomicBool>::default(), Arc::<Mutex<Vec<String>>>::default());
        let (cutting, messages) = (Arc::clone(&is_cutting), Arc::clone(&got));
        let acceptor = tls.then(acceptor);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if cutting.load(Ordering::SeqCst) {
                    cut(stream).await;
                    continue;
                }
                let read = match &acceptor {
                    None => read(stream).await,
                    Some(acceptor) => match acceptor.accept(stream).await {
                        Ok(stream) => read(stream).await,
                        Err(_) => continue,
                    },
                };
                messages.lock().extend(read);
            }
        });
        Self { address, is_cutting, got, task }
    }

    pub fn messages(&self) -> Vec<String> {
        self.got.lock().clone()
    }
}

/// Takes a little of what comes and ends the connection: the rest is unread.
async fn cut(mut stream: TcpStream) {
    let _ = stream.read_exact(&mut [0; 10]).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
}

/// Reads messages with their length in front (RFC 6587 §3.4.1) up to the end, and ends the connection.
async fn read(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> Vec<String> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let mut messages = Vec::new();
    let mut rest = bytes.as_slice();
    while !rest.is_empty() {
        let space = rest.iter().position(|byte| *byte == b' ').unwrap();
        let digits = std::str::from_utf8(&rest[..space]).unwrap();
        assert!(!digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit()), "{digits}");
        let end = space + 1 + digits.parse::<usize>().unwrap();
        messages.push(String::from_utf8(rest[space + 1..end].to_vec()).unwrap());
        rest = &rest[end..];
    }
    messages
}

fn acceptor() -> TlsAcceptor {
    let chain = vec![CertificateDer::from_pem_file(pem("receiver.pem")).unwrap()];
    let key = PrivateKeyDer::from_pem_file(pem("receiver.key")).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    TlsAcceptor::from(Arc::new(config.with_no_client_auth().with_single_cert(chain, key).unwrap()))
}

/// A file beside this one: certificates for `localhost` of an authority that nobody else knows.
pub fn pem(name: &str) -> std::path::PathBuf {
    format!("{}/tests/it/tls/{name}", env!("CARGO_MANIFEST_DIR")).into()
}

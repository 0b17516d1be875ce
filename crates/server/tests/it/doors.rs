//! Doors: the same answer however a request comes, and an orderly end.

use crate::support::{Client, Database, Server};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};
use tegata::serve::start;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

/// An answer as it came over the wire.
#[derive(Debug, Clone, PartialEq)]
struct Wire {
    status: String,
    headers: BTreeMap<String, String>,
    body: Value,
}

impl Wire {
    /// Without what is another's each time.
    fn alike(mut self) -> Self {
        for name in ["x-request-id", "date"] {
            assert!(
                self.headers.insert(name.to_owned(), String::new()).is_some_and(|value| !value.is_empty()),
                "{name}"
            );
        }
        self.headers.remove("connection");
        if let Some(body) = self.body.as_object_mut() {
            body.remove("record");
        }
        self
    }
}

async fn read<S: AsyncRead + Unpin>(stream: &mut S) -> Wire {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("an answer"));
    }
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.trim_end().lines();
    let status = lines.next().unwrap().to_owned();
    let headers: BTreeMap<_, _> = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let mut body = vec![0; headers["content-length"].parse().unwrap()];
    stream.read_exact(&mut body).await.unwrap();
    Wire { status, headers, body: serde_json::from_slice(&body).unwrap() }
}

async fn ask<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, request: &str) -> Wire {
    stream.write_all(request.as_bytes()).await.unwrap();
    read(stream).await
}

/// A server with GitHub's catalogue, and a gateway's request for a check with one more line in its head.
async fn gateway(server: &Server) -> (Client, impl Fn(&str) -> String + use<>) {
    let root = server.admin().await;
    server.catalogue(&root, "github").await;
    let gateway = server.verifier(&root, "github").await;
    let verifier = gateway.token.clone().unwrap();
    let request = move |line: &str| {
        let body = json!({"token": "junk", "api": "github", "method": "GET", "path": "/user"}).to_string();
        format!(
            "POST /v1/verify HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {verifier}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n{line}\r\n{body}",
            body.len()
        )
    };
    (root, request)
}

const HEALTH: &str = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_is_answered_alike_however_it_is_written() {
    let server = Server::start(Database::Sqlite).await;
    let (_, request) = gateway(&server).await;
    let connect = || async { TcpStream::connect(server.running.address).await.unwrap() };
    let plain = ask(&mut connect().await, &request("")).await;
    assert_eq!((plain.status.as_str(), plain.body["reason"].as_str()), ("HTTP/1.1 200 OK", Some("malformed")));
    assert_eq!(plain.headers["content-type"], "application/json");
    assert_eq!(plain.headers["cache-control"], "no-store");
    assert_eq!(plain.headers["x-request-id"].len(), 24);
    assert!(plain.headers["date"].ends_with(" GMT"), "{}", plain.headers["date"]);
    let plain = plain.alike();
    // Each of these is left to the general way.
    for line in ["expect: 100-continue\r\n", "connection: close\r\n", "te: trailers\r\n"] {
        let mut stream = connect().await;
        stream.write_all(request(line).as_bytes()).await.unwrap();
        if line.starts_with("expect") {
            let mut go_on = [0; 25];
            stream.read_exact(&mut go_on).await.unwrap();
            assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
        }
        assert_eq!(read(&mut stream).await.alike(), plain, "{line}");
    }
    let (head, body) =
        request("").split_once("\r\n\r\n").map(|(head, body)| (head.to_owned(), body.to_owned())).unwrap();
    let length = format!("content-length: {}", body.len());
    let (one, two) = body.split_at(10);
    let chunked = format!(
        "{}\r\n\r\n{:x}\r\n{one}\r\n{:x}\r\n{two}\r\n0\r\n\r\n",
        head.replace(&length, "transfer-encoding: chunked"),
        one.len(),
        two.len()
    );
    assert_eq!(ask(&mut connect().await, &chunked).await.alike(), plain);
    let own = ask(&mut connect().await, &request("x-request-id: mine-1\r\n")).await;
    assert_eq!(own.headers["x-request-id"], "mine-1");
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_takes_requests_as_they_come() {
    let server = Server::start(Database::Sqlite).await;
    let (_, request) = gateway(&server).await;
    let mut stream = TcpStream::connect(server.running.address).await.unwrap();
    // Two at once, then a body that comes late, in pieces.
    stream.write_all([request(""), request("")].concat().as_bytes()).await.unwrap();
    let (first, second) = (read(&mut stream).await, read(&mut stream).await);
    assert_ne!(first.headers["x-request-id"], second.headers["x-request-id"]);
    let late = request("");
    let head = late.find("\r\n\r\n").unwrap() + 4;
    for piece in [&late[..head], &late[head..head + 5], &late[head + 5..]] {
        stream.write_all(piece.as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(read(&mut stream).await.alike(), first.alike());
    // One that is refused, then others: the connection goes on.
    let refused = ask(&mut stream, &request("").replace("Bearer tegata", "Bearer acme")).await;
    assert_eq!(
        (refused.status.as_str(), &refused.body["type"]),
        ("HTTP/1.1 401 Unauthorized", &json!("/problems/unauthenticated"))
    );
    assert_eq!(ask(&mut stream, HEALTH).await.body["status"], "ok");
    assert_eq!(ask(&mut stream, &request("")).await.alike(), second.alike());
    server.running.stop().await;
}

/// A connection is nobody's: who asks is who is named in the head of each request, and one who was stopped is refused with
/// the next request on a connection that knew them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_request_on_a_connection_is_its_own_verifiers() {
    let server = Server::start(Database::Sqlite).await;
    let (root, request) = gateway(&server).await;
    let body = json!({"name": "Second", "apis": ["github"]});
    let second = root.post("/v1/verifiers", body).await;
    let id = second.status(201)["id"].as_str().unwrap().to_owned();
    let first = request("");
    let known = first.lines().find_map(|line| line.strip_prefix("authorization: Bearer ")).unwrap().to_owned();
    let by = |secret: &str| first.replace(&known, secret);
    let second = by(second.body["token"].as_str().unwrap());
    let mut other = known.clone();
    other.replace_range(known.len() - 1.., if known.ends_with('0') { "1" } else { "0" });

    let mut stream = TcpStream::connect(server.running.address).await.unwrap();
    let yes = "HTTP/1.1 200 OK";
    let no = "HTTP/1.1 401 Unauthorized";
    let twice = first.replace("content-type", &format!("authorization: Bearer {known}\r\ncontent-type"));
    let without = first.replace(&format!("authorization: Bearer {known}\r\n"), "");
    for (request, expected) in [
        (&first, yes),
        (&first, yes),
        (&by(&other), no),
        (&first, yes),
        (&without, no),
        (&twice, no),
        (&by(&known[..known.len() - 1]), no),
        (&second, yes),
        (&first, yes),
        (&second, yes),
    ] {
        assert_eq!(ask(&mut stream, request).await.status, expected, "{request}");
    }
    root.post(&format!("/v1/verifiers/{id}/revoke"), json!({})).await.status(200);
    assert_eq!(ask(&mut stream, &second).await.status, no, "it was stopped");
    assert_eq!(ask(&mut stream, &first).await.status, yes);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http_2_is_spoken_without_being_asked_for() {
    let server = Server::start(Database::Sqlite).await;
    let (_, request) = gateway(&server).await;
    let text = request("");
    let verifier = text.split("Bearer ").nth(1).unwrap().lines().next().unwrap();
    let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let body = json!({"token": "junk", "api": "github", "method": "GET", "path": "/user"});
    let asked = client.post(format!("{}/v1/verify", server.base)).bearer_auth(verifier).json(&body);
    let answer = asked.send().await.unwrap();
    assert_eq!((answer.version(), answer.status().as_u16()), (reqwest::Version::HTTP_2, 200));
    assert_eq!(answer.json::<Value>().await.unwrap()["reason"], "malformed");
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_unix_socket_is_a_door_like_the_address() {
    let server = Server::start(Database::Sqlite).await;
    let (_, request) = gateway(&server).await;
    let Server { running, mut config, directory, .. } = server;
    running.stop().await;
    let path = directory.path().join("tegata.sock");
    config.unix_socket = Some(path.clone());
    let running = start(&config).await.unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
    let mut stream = UnixStream::connect(&path).await.unwrap();
    let over_unix = ask(&mut stream, &request("")).await.alike();
    assert_eq!(over_unix.body["reason"], "malformed");
    let mut tcp = TcpStream::connect(running.address).await.unwrap();
    assert_eq!(ask(&mut tcp, &request("")).await.alike(), over_unix);
    assert_eq!(ask(&mut stream, HEALTH).await.body["status"], "ok");
    // A caller without an address signs in like any other.
    let body = r#"{"email": "root@example.com", "password": "wrong"}"#;
    let sign_in = format!(
        "POST /v1/sessions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    assert_eq!(ask(&mut stream, &sign_in).await.status, "HTTP/1.1 401 Unauthorized");
    running.stop().await;
    assert!(!path.exists(), "the socket goes with its server");
    std::fs::write(&path, "somebody's").unwrap();
    let Err(error) = start(&config).await else { panic!("a file is replaced") };
    assert!(error.to_string().ends_with("tegata.sock is there, and is no socket"), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "somebody's");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn decisions_are_counted_and_a_port_is_one_servers() {
    let server = Server::start(Database::Sqlite).await;
    let (root, request) = gateway(&server).await;
    let counted = || async {
        let text = root.get("/metrics").await.status(200).as_str().unwrap().to_owned();
        let line =
            text.lines().find(|line| line.starts_with("tegata_checks_total{reason=\"malformed\"}")).map(str::to_owned);
        line.map_or(0, |line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap())
    };
    // Other tests of this process count as well.
    let before = counted().await;
    let mut stream = TcpStream::connect(server.running.address).await.unwrap();
    for _ in 0..5 {
        ask(&mut stream, &request("")).await;
    }
    assert!(counted().await >= before + 5);
    let mut config = server.config.clone();
    config.listen = server.running.address;
    let Err(error) = start(&config).await else { panic!("two servers on one port") };
    assert!(error.to_string().starts_with("cannot listen on 127.0.0.1:"), "{error}");
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_ends_idle_connections_at_once() {
    let server = Server::start(Database::Sqlite).await;
    let (_, request) = gateway(&server).await;
    let mut streams = Vec::new();
    for first in [&request(""), HEALTH, ""] {
        let mut stream = TcpStream::connect(server.running.address).await.unwrap();
        if !first.is_empty() {
            ask(&mut stream, first).await;
        }
        streams.push(stream);
    }
    let began = Instant::now();
    server.running.stop().await;
    assert!(began.elapsed() < Duration::from_secs(5), "it waited for {:?}", began.elapsed());
    for mut stream in streams {
        let read = stream.read(&mut [0; 1]).await;
        assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
    }
}

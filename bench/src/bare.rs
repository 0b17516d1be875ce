//! The reference: hyper on threads and listeners like the server's own, which reads the same body and answers the same bytes,
//! and does nothing else: no limits, no guard against slow clients, no orderly end.

use crate::Fallible;
use crate::served::until_input_ends;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use std::net::SocketAddr;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket};

/// What is always answered.
struct Same {
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
}

/// Answers every request with the answer in a file: header lines, an empty line, the body. Until standard input ends.
pub fn run(answer: &Path) -> Fallible<()> {
    let text = std::fs::read_to_string(answer)?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or("the answer has no body")?;
    let mut same = Same { headers: Vec::new(), body: Bytes::from(body.to_owned()) };
    for line in head.lines().skip(1) {
        let (name, value) = line.split_once(':').ok_or("a header without a colon")?;
        // hyper writes these itself, for both.
        if !["content-length", "date"].contains(&name.to_ascii_lowercase().as_str()) {
            same.headers.push((name.parse()?, value.trim().parse()?));
        }
    }
    let workers = std::thread::available_parallelism()?.get();
    let same = Arc::new(same);
    let waiting = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    waiting.block_on(async {
        let first = listen("127.0.0.1:0".parse()?)?;
        let address = first.local_addr()?;
        let mut listeners = vec![first];
        for _ in 1..workers {
            listeners.push(listen(address)?);
        }
        let unix = UnixListener::bind(answer.with_extension("sock"))?;
        unix.set_nonblocking(true)?;
        for listener in listeners {
            let (same, unix) = (Arc::clone(&same), unix.try_clone()?);
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            std::thread::spawn(move || runtime.block_on(serve(listener, unix, same)));
        }
        println!("{address}");
        until_input_ends().await;
        Ok(())
    })
}

/// A listener that shares its port, as those of the server do.
fn listen(address: SocketAddr) -> Fallible<std::net::TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseport(true)?;
    socket.bind(address)?;
    Ok(socket.listen(1_024)?.into_std()?)
}

async fn serve(tcp: std::net::TcpListener, unix: UnixListener, same: Arc<Same>) -> Fallible<()> {
    let tcp = TcpListener::from_std(tcp)?;
    let unix = tokio::net::UnixListener::from_std(unix)?;
    loop {
        tokio::select! {
            accepted = tcp.accept() => if let Ok((stream, _)) = accepted {
                let _ = stream.set_nodelay(true);
                spawn(stream, Arc::clone(&same));
            },
            accepted = unix.accept() => if let Ok((stream, _)) = accepted {
                spawn(stream, Arc::clone(&same));
            },
        }
    }
}

fn spawn<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(stream: S, same: Arc<Same>) {
    let builder = auto::Builder::new(TokioExecutor::new());
    let service = service_fn(move |request| answer(Arc::clone(&same), request));
    let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
    tokio::spawn(async move {
        let _ = connection.await;
    });
}

async fn answer(same: Arc<Same>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let body = request.into_body().collect().await?.to_bytes();
    std::hint::black_box(&body);
    let mut response = Response::new(Full::new(same.body.clone()));
    for (name, value) in &same.headers {
        response.headers_mut().insert(name.clone(), value.clone());
    }
    Ok(response)
}

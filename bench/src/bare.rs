//! The reference: hyper with the settings of the server's own accept loop, which reads the same body and answers the
//! same bytes, and does nothing else.

use crate::Fallible;
use crate::served::{runtime, until_input_ends};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

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
    runtime()?.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        tokio::select! {
            () = serve(listener, Arc::new(same)) => {}
            () = until_input_ends() => {}
        }
        Ok(())
    })
}

async fn serve(listener: TcpListener, same: Arc<Same>) {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(30));
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(256);
    let builder = Arc::new(builder);
    let graceful = GracefulShutdown::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let _ = stream.set_nodelay(true);
        let same = Arc::clone(&same);
        let service = service_fn(move |request| answer(Arc::clone(&same), request));
        let connection = graceful.watch(builder.serve_connection(TokioIo::new(stream), service).into_owned());
        tokio::spawn(async move {
            let _ = connection.await;
        });
    }
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

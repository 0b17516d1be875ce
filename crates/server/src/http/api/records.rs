//! `/v1/orgs/{org}/records` and `/v1/orgs/{org}/activity`.

use crate::app::App;
use crate::http::problem::Told;
use crate::http::routes::{BODY_MAX_BYTES, NoBody, RawPath, Routes, caller, read_body, read_json, read_query};
use crate::ops::Caller;
use crate::ops::records::activity::{ListActivity, ListParams as ActivityParams};
use crate::ops::records::checkpoints::ShowCheckpoints;
use crate::ops::records::chunks::Chunk;
use crate::ops::records::export::{self, ExportParams};
use crate::ops::records::histogram::{HistogramParams, HistogramView, RecordHistogram};
use crate::ops::records::list::{ListParams, ListRecords};
use crate::ops::records::proof::{self, ProofView};
use crate::ops::records::question::{self, LogQuestion};
use crate::ops::records::retention::{Body as RetentionBody, SetRetention, ShowRetention};
use crate::ops::records::show::ShowRecord;
use crate::ops::records::sql::{AnswerView, AskRecords, Body as SqlBody};
use crate::ops::records::tail::{self, TailParams};
use crate::ops::records::top::{TopParams, TopRecords, TopView};
use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Response, header};
use axum::response::IntoResponse as _;
use hyper::body::Frame;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tegata_core::operations;
use tegata_core::problem::Problem;
use tokio::sync::mpsc;

/// How many records an export has, for whoever draws a progress bar.
const COUNT_HEADER: &str = "tegata-record-count";

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
        .query::<ListRecords, ListParams, _>(|path, params| Ok(ListRecords { org: path.get("org"), params }))
        .add::<HistogramParams, HistogramView, _, _>(operations::RECORD_HISTOGRAM, 200, histogram)
        .add::<TopParams, TopView, _, _>(operations::RECORD_TOP, 200, top)
        .add::<SqlBody, AnswerView, _, _>(operations::RECORD_SQL, 200, sql)
        .add::<TailParams, String, _, _>(operations::RECORD_TAIL, 200, tail_records)
        .query::<ShowRetention, NoBody, _>(|path, _| Ok(ShowRetention { org: path.get("org") }))
        .mutation::<SetRetention, RetentionBody, _>(200, |path, body| Ok(SetRetention { org: path.get("org"), body }))
        .query::<ShowRecord, NoBody, _>(|path, _| Ok(ShowRecord { org: path.get("org"), record: path.id("record")? }))
        .query::<ShowCheckpoints, NoBody, _>(|path, _| Ok(ShowCheckpoints { org: path.get("org") }))
        .add::<NoBody, ProofView, _, _>(operations::RECORD_PROOF, 200, prove_record)
        .add::<ExportParams, String, _, _>(operations::RECORD_EXPORT, 200, export_records)
        .query::<ListActivity, ActivityParams, _>(|path, params| Ok(ListActivity { org: path.get("org"), params }))
}

async fn prove_record(State(app): State<Arc<App>>, path: RawPath, request: Request) -> Result<Response<Body>, Told> {
    let (parts, _) = request.into_parts();
    let caller = caller(&parts, None)?;
    let proof = proof::prove(&app, &caller, &path.0.get("org"), path.0.id("record")?).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(proof)).into_response())
}

async fn histogram(State(app): State<Arc<App>>, path: RawPath, request: Request) -> Result<Response<Body>, Told> {
    let (caller, params) = asked(request)?;
    answer(&app, &caller, &RecordHistogram { org: path.0.get("org"), params, now: app.clock.now() }).await
}

async fn top(State(app): State<Arc<App>>, path: RawPath, request: Request) -> Result<Response<Body>, Told> {
    let (caller, params) = asked(request)?;
    answer(&app, &caller, &TopRecords { org: path.0.get("org"), params, now: app.clock.now() }).await
}

async fn sql(State(app): State<Arc<App>>, path: RawPath, request: Request) -> Result<Response<Body>, Told> {
    let (parts, body) = request.into_parts();
    let bytes = read_body(&parts.headers, body, BODY_MAX_BYTES).await?;
    let caller = caller(&parts, None)?;
    answer(&app, &caller, &AskRecords { org: path.0.get("org"), body: read_json(&bytes)? }).await
}

/// The caller and the parameters of a question.
fn asked<P: serde::de::DeserializeOwned>(request: Request) -> Result<(Caller, P), Problem> {
    let (parts, _) = request.into_parts();
    Ok((caller(&parts, None)?, read_query(parts.uri.query().unwrap_or_default())?))
}

async fn answer<Q: LogQuestion>(app: &App, caller: &Caller, question: &Q) -> Result<Response<Body>, Told> {
    let answer = question::answer(app, caller, question).await?;
    let json = serde_json::to_vec(&answer).map_err(|_| Problem::internal())?;
    let mut response = Response::new(Body::from(json));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

async fn tail_records(State(app): State<Arc<App>>, path: RawPath, request: Request) -> Result<Response<Body>, Told> {
    let last_event = request.headers().get("last-event-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
    let (caller, params): (_, TailParams) = asked(request)?;
    let events = tail::begin(&app, caller, &path.0.get("org"), &params, last_event.as_deref()).await?;
    let mut response = Response::new(Body::new(Chunks(events)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies that gather answers before they pass them on would hold the events back.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

async fn export_records(State(app): State<Arc<App>>, path: RawPath, request: Request) -> Result<Response<Body>, Told> {
    let (parts, _) = request.into_parts();
    let caller = caller(&parts, None)?;
    let params: ExportParams = read_query(parts.uri.query().unwrap_or_default())?;
    let begun = export::begin(&app, &caller, &path.0.get("org"), &params).await?;
    // An organization's key has no letter that a quoted file name could not have.
    let attachment = format!("attachment; filename=\"{}\"", begun.file_name);
    let attachment = HeaderValue::from_str(&attachment).map_err(|_| Problem::internal())?;
    let mut response = Response::new(Body::new(Chunks(begun.chunks)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(begun.format.media_type()));
    headers.insert(header::CONTENT_DISPOSITION, attachment);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(COUNT_HEADER, HeaderValue::from(begun.count));
    Ok(response)
}

/// Chunks as the body of an answer. An error among them cuts the connection, so that the reader notices.
struct Chunks(mpsc::Receiver<Chunk>);

impl hyper::body::Body for Chunks {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.0.poll_recv(context).map(|chunk| chunk.map(|chunk| chunk.map(Frame::data)))
    }
}

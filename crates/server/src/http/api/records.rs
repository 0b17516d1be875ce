//! `/v1/orgs/{org}/records` and `/v1/orgs/{org}/activity`.

use crate::app::App;
use crate::http::problem::Told;
use crate::http::routes::{NoBody, RawPath, Routes, caller, read_query};
use crate::ops::records::activity::{ListActivity, ListParams as ActivityParams};
use crate::ops::records::checkpoints::ShowCheckpoints;
use crate::ops::records::chunks::Chunk;
use crate::ops::records::export::{self, ExportParams};
use crate::ops::records::list::{ListParams, ListRecords};
use crate::ops::records::proof::{self, ProofView};
use crate::ops::records::show::ShowRecord;
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

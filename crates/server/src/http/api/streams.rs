//! `/v1/orgs/{org}/record-streams`: where access records are sent on to.

use crate::app::App;
use crate::http::problem::Told;
use crate::http::routes::{NoBody, RawPath, Routes, caller};
use crate::ops::PageRequest;
use crate::ops::streams::create::{self, CreateStream};
use crate::ops::streams::delete::DeleteStream;
use crate::ops::streams::look::{self, ListStreams};
use crate::ops::streams::pause::PauseStream;
use crate::ops::streams::replay::{self, ReplayStream};
use crate::ops::streams::resume::ResumeStream;
use crate::ops::streams::rotate::RotateStream;
use crate::ops::streams::test::TestStream;
use crate::ops::streams::update::{self, UpdateStream};
use crate::ops::streams::view::StreamView;
use crate::ops::tokens;
use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Response, header};
use axum::response::IntoResponse as _;
use std::sync::Arc;
use tegata_core::operations;

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
        .mutation::<CreateStream, create::Body, _>(201, |path, body| Ok(CreateStream { org: path.get("org"), body }))
        .query::<ListStreams, PageRequest, _>(|path, page| Ok(ListStreams { org: path.get("org"), page }))
        .add::<NoBody, StreamView, _, _>(operations::RECORD_STREAM_SHOW, 200, show)
        .mutation::<UpdateStream, update::Body, _>(200, |path, body| {
            Ok(UpdateStream { org: path.get("org"), stream: path.id("stream")?, body })
        })
        .mutation::<DeleteStream, NoBody, _>(200, |path, _| {
            Ok(DeleteStream { org: path.get("org"), stream: path.id("stream")? })
        })
        .mutation::<PauseStream, tokens::revoke::Body, _>(200, |path, body| {
            Ok(PauseStream { org: path.get("org"), stream: path.id("stream")?, body })
        })
        .mutation::<ResumeStream, tokens::revoke::Body, _>(200, |path, body| {
            Ok(ResumeStream { org: path.get("org"), stream: path.id("stream")?, body })
        })
        .mutation_prepared::<TestStream, NoBody, _, _>(200, |app, caller, path, _| async move {
            TestStream::prepare(&app, &caller, path.get("org"), path.id("stream")?).await
        })
        .mutation::<RotateStream, tokens::regenerate::Body, _>(200, |path, body| {
            Ok(RotateStream { org: path.get("org"), stream: path.id("stream")?, body })
        })
        .mutation::<ReplayStream, replay::Body, _>(200, |path, body| {
            Ok(ReplayStream { org: path.get("org"), stream: path.id("stream")?, body })
        })
}

async fn show(State(app): State<Arc<App>>, path: RawPath, request: Request) -> Result<Response<Body>, Told> {
    let (parts, _) = request.into_parts();
    let caller = caller(&parts, None)?;
    let view = look::show(&app, &caller, &path.0.get("org"), path.0.id("stream")?).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(view)).into_response())
}

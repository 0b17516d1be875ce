//! `/v1/apis`: protected APIs and their catalogues.

use crate::app::App;
use crate::http::problem::{Told, add_headers};
use crate::http::routes::{IMPORT_MAX_BYTES, NoBody, Routes, caller, read_body, read_json};
use crate::ops::PageRequest;
use crate::ops::apis::import::{self, ImportApi};
use crate::ops::apis::look::{ListApis, ShowApi, ShowCatalogue};
use crate::ops::apis::view::ImportView;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Response, header};
use axum::response::IntoResponse;
use serde::Deserialize;
use std::sync::Arc;
use tegata_core::operations;
use tower::ServiceExt as _;

/// The routes.
pub fn routes() -> Routes {
    // An import goes the way of every change; a dry run, which changes nothing, leaves it before that.
    let (import, _) = Routes::new().mutation::<ImportApi, import::Body, _>(201, |_, body| Ok(body.import())).finish();
    let handler = move |State(app): State<Arc<App>>, request: Request| import_or_preview(import.clone(), app, request);
    Routes::new()
        .add::<import::Body, ImportView, _, _>(operations::API_IMPORT, 201, handler)
        .query::<ListApis, PageRequest, _>(|_, page| Ok(ListApis { page }))
        .query::<ShowApi, NoBody, _>(|path, _| Ok(ShowApi { api: path.get("api") }))
        .query::<ShowCatalogue, NoBody, _>(|path, _| Ok(ShowCatalogue { api: path.get("api") }))
}

/// The one field of the body that says which way to go.
#[derive(Deserialize)]
struct Way {
    #[serde(default)]
    dry_run: bool,
}

async fn import_or_preview(import: Router<Arc<App>>, app: Arc<App>, request: Request) -> Result<Response<Body>, Told> {
    let (parts, body) = request.into_parts();
    let bytes = read_body(&parts.headers, body, IMPORT_MAX_BYTES).await?;
    if !read_json::<Way>(&bytes)?.dry_run {
        let request = Request::from_parts(parts, Body::from(bytes));
        let answered = import.with_state(app).oneshot(request).await;
        return Ok(answered.unwrap_or_else(|never| match never {}));
    }
    let caller = caller(&parts, None)?;
    let body: import::Body = read_json(&bytes)?;
    let reply = crate::ops::query(&app, &caller, &body.preview()).await?;
    let mut response = reply.body.to_string().into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    add_headers(response.headers_mut(), &reply.limit_headers);
    Ok(response)
}

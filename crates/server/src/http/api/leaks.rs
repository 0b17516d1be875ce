//! `/v1/leaks`: secrets that leaked. Nobody is signed in here.

use crate::app::App;
use crate::http::problem::Told;
use crate::http::routes::{BODY_MAX_BYTES, Routes, caller, read_body, read_json};
use crate::ops::leaks::github::{Found, Label, Signed, alert};
use crate::ops::leaks::revoke::{Body as RevokeBody, Taken, revoke};
use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use std::sync::Arc;
use tegata_core::operations;
use tegata_core::problem::{Code, Problem};

/// Largest alert: a thousand findings.
const ALERT_MAX_BYTES: usize = 2 << 20;

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
        .add::<RevokeBody, Taken, _, _>(operations::LEAK_REVOKE, 200, revoked)
        .add::<Vec<Found>, Vec<Label>, _, _>(operations::LEAK_GITHUB, 200, alerted)
}

async fn revoked(State(app): State<Arc<App>>, request: Request) -> Result<Response, Told> {
    let (parts, body) = request.into_parts();
    let bytes = read_body(&parts.headers, body, BODY_MAX_BYTES).await?;
    let caller = caller(&parts, None)?;
    let taken = revoke(&app, &caller.meta, read_json(&bytes)?).await?;
    Ok(answer(Json(taken).into_response()))
}

async fn alerted(State(app): State<Arc<App>>, request: Request<Body>) -> Result<Response, Told> {
    if app.leaks.github.is_none() {
        return Err(Problem::not_found("receiver").into());
    }
    let (parts, body) = request.into_parts();
    let bytes = read_body(&parts.headers, body, ALERT_MAX_BYTES).await?;
    let caller = caller(&parts, None)?;
    let header = |name| text(&parts.headers, name);
    let signed = Signed {
        key: header("github-public-key-identifier")?,
        signature: header("github-public-key-signature")?,
        body: &bytes,
    };
    let labels = alert(&app, &caller.meta, signed).await?;
    Ok(answer(Json(labels).into_response()))
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Result<&'h str, Problem> {
    headers.get(name).and_then(|value| value.to_str().ok()).ok_or_else(|| {
        Problem::new(Code::Unauthenticated, format!("an alert has the header `{name}`")).with(name, "it is not there")
    })
}

fn answer(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    response
}

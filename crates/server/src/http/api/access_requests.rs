//! `/access/v1/requests`: access requests as AuthZEN's callers make them (AuthZEN Access Request and Approval Profile).

use crate::app::App;
use crate::http::problem::Told;
use crate::http::routes::{
    BODY_MAX_BYTES, RawPath, Routes, caller, idempotency_key, read_body, read_json, read_query, render,
};
use crate::http::waiting::{WaitParams, retry_after, wanted};
use crate::ops::access_requests::cancel::{self, CancelAccessRequest};
use crate::ops::access_requests::file::{Body as FileBody, FileAccessRequest};
use crate::ops::access_requests::show::{ShowAccessRequest, awaited};
use crate::ops::access_requests::view::TaskAnswer;
use crate::ops::requests::wait::{in_effect, until_decided};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Response, header};
use serde_json::Value;
use std::sync::Arc;
use tegata_core::operations;
use tegata_core::problem::{Code, Problem};

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
        .add::<FileBody, TaskAnswer, _, _>(operations::AUTHZEN_REQUEST_FILE, 201, file)
        .add::<WaitParams, TaskAnswer, _, _>(operations::AUTHZEN_REQUEST_SHOW, 200, show)
        .add::<cancel::Body, TaskAnswer, _, _>(operations::AUTHZEN_REQUEST_CANCEL, 200, take_back)
}

fn waits(body: &Value) -> bool {
    body.pointer("/task/status").and_then(Value::as_str) == Some("pending")
}

/// The profile has a problem of its own for an idempotency key that was used for something else.
fn duplicate(problem: Problem) -> Problem {
    match problem.code {
        Code::IdempotencyMismatch => Problem { code: Code::DuplicateRequest, ..problem },
        _ => problem,
    }
}

async fn file(State(app): State<Arc<App>>, request: Request) -> Result<Response<Body>, Told> {
    let (parts, body) = request.into_parts();
    let bytes = read_body(&parts.headers, body, BODY_MAX_BYTES).await?;
    let idempotency = idempotency_key(&app, &parts, &bytes)?;
    let caller = caller(&parts, idempotency)?;
    let work = FileAccessRequest { body: read_json(&bytes)? };
    let mut reply = crate::ops::mutate(&app, &caller, 201, &work).await.map_err(duplicate)?;
    if waits(&reply.body) {
        reply.status = 202;
    }
    let here = reply.body.pointer("/task/status_endpoint").and_then(Value::as_str);
    let here = here.and_then(|here| HeaderValue::from_str(here).ok());
    let mut response = render(&reply);
    if let Some(here) = here {
        response.headers_mut().insert(header::LOCATION, here);
    }
    Ok(retry_after(response, waits(&reply.body)))
}

async fn show(State(app): State<Arc<App>>, path: RawPath, request: Request) -> Result<Response<Body>, Told> {
    let (parts, _) = request.into_parts();
    let caller = caller(&parts, None)?;
    let wait = wanted(&parts.headers, &read_query(parts.uri.query().unwrap_or_default())?)?;
    let work = ShowAccessRequest { task: path.0.get("task").parse().ok() };
    let mut reply = crate::ops::query(&app, &caller, &work).await?;
    if !wait.is_zero()
        && waits(&reply.body)
        && let Some(token) = awaited(&app, work.task).await?
    {
        reply = until_decided(&app, &caller, &work, reply, (token, wait), waits).await?;
    }
    if !waits(&reply.body) {
        in_effect(&app).await?;
    }
    Ok(retry_after(render(&reply), waits(&reply.body)))
}

async fn take_back(State(app): State<Arc<App>>, path: RawPath, request: Request) -> Result<Response<Body>, Told> {
    let (parts, body) = request.into_parts();
    let bytes = read_body(&parts.headers, body, BODY_MAX_BYTES).await?;
    let idempotency = idempotency_key(&app, &parts, &bytes)?;
    let caller = caller(&parts, idempotency)?;
    let work = CancelAccessRequest { task: path.0.get("task").parse().ok(), body: read_json(&bytes)? };
    let reply = crate::ops::mutate(&app, &caller, 200, &work).await.map_err(duplicate)?;
    Ok(render(&reply))
}

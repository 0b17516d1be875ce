//! `/v1/me/requests` and `/v1/orgs/{org}/requests`: what was asked for and needs somebody's word.

use crate::app::App;
use crate::http::problem::Told;
use crate::http::routes::{NoBody, RawPath, Routes, caller, read_query, render};
use crate::http::waiting::{WaitParams, retry_after, wanted};
use crate::ops::requests::ask::{self, FileRequest};
use crate::ops::requests::decide::{self, DecideRequest};
use crate::ops::requests::look::{ListParams, ListRequests, ShowRequest};
use crate::ops::requests::mine::{self, ListOwnRequests, ShowOwnRequest, WithdrawRequest};
use crate::ops::requests::ungrant::{self, Ungrant};
use crate::ops::requests::view::RequestView;
use crate::ops::requests::wait::{in_effect, until_decided};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::Response;
use serde_json::Value;
use std::sync::Arc;
use tegata_core::operations;
use tegata_core::request::RequestState;

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
        .query::<ListOwnRequests, ListParams, _>(|_, params| Ok(ListOwnRequests { params }))
        .mutation::<FileRequest, ask::Body, _>(201, |_, body| Ok(FileRequest { body }))
        .add::<WaitParams, RequestView, _, _>(operations::REQUEST_OWN_SHOW, 200, show_own)
        .mutation::<WithdrawRequest, mine::Body, _>(200, |path, body| {
            Ok(WithdrawRequest { request: path.id("request")?, body })
        })
        .query::<ListRequests, ListParams, _>(|path, params| Ok(ListRequests { org: path.get("org"), params }))
        .query::<ShowRequest, NoBody, _>(|path, _| {
            Ok(ShowRequest { org: path.get("org"), request: path.id("request")? })
        })
        .mutation::<DecideRequest, decide::Body, _>(200, |path, body| {
            Ok(DecideRequest { org: path.get("org"), request: path.id("request")?, body })
        })
        .mutation::<Ungrant, ungrant::Body, _>(200, |path, body| {
            Ok(Ungrant { org: path.get("org"), request: path.id("request")?, body })
        })
}

fn waits(body: &Value) -> bool {
    body.get("state").and_then(Value::as_str) == Some(RequestState::Open.as_str())
}

/// Shows one's own request, at once or when it is decided.
async fn show_own(State(app): State<Arc<App>>, path: RawPath, request: Request) -> Result<Response<Body>, Told> {
    let (parts, _) = request.into_parts();
    let caller = caller(&parts, None)?;
    let wait = wanted(&parts.headers, &read_query(parts.uri.query().unwrap_or_default())?)?;
    let work = ShowOwnRequest { request: path.0.id("request")? };
    let mut reply = crate::ops::query(&app, &caller, &work).await?;
    let token = reply.body.pointer("/credential/id").and_then(Value::as_str).and_then(|id| id.parse().ok());
    if let Some(token) = token {
        reply = until_decided(&app, &caller, &work, reply, (token, wait), waits).await?;
        if !wait.is_zero() && !waits(&reply.body) {
            in_effect(&app).await?;
        }
    }
    Ok(retry_after(render(&reply), waits(&reply.body)))
}

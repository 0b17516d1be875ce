//! `/v1/orgs/{org}/policies`, and what a change of one would break.

use crate::app::App;
use crate::http::problem::Told;
use crate::http::routes::{BODY_MAX_BYTES, NoBody, RawPath, Routes, caller, read_body, read_json};
use crate::ops::foresight::dry_run::{self, DryRunPolicy};
use crate::ops::foresight::view::DryRunView;
use crate::ops::policies::list::ListPolicies;
use crate::ops::policies::set::{Body, SetPolicy};
use axum::Json;
use axum::extract::{Request, State};
use axum::http::{Response, header};
use axum::response::IntoResponse as _;
use std::sync::Arc;
use tegata_core::operations;

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
        .query::<ListPolicies, NoBody, _>(|path, _| Ok(ListPolicies { org: path.get("org") }))
        .mutation::<SetPolicy, Body, _>(200, |path, body| {
            Ok(SetPolicy { org: path.get("org"), kind: path.get("kind"), body })
        })
        .add::<dry_run::Body, DryRunView, _, _>(operations::POLICY_DRY_RUN, 200, dry_run)
}

async fn dry_run(
    State(app): State<Arc<App>>,
    path: RawPath,
    request: Request,
) -> Result<Response<axum::body::Body>, Told> {
    let (parts, body) = request.into_parts();
    let bytes = read_body(&parts.headers, body, BODY_MAX_BYTES).await?;
    let caller = caller(&parts, None)?;
    let question = DryRunPolicy { org: path.0.get("org"), kind: path.0.get("kind"), body: read_json(&bytes)? };
    let answer = question.run(&app, &caller).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response())
}

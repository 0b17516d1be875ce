//! `/v1/orgs/{org}/policies` and `…/contexts/{context}/policies`, and what a change of one would break.

use crate::app::App;
use crate::http::problem::Told;
use crate::http::routes::{BODY_MAX_BYTES, NoBody, RawPath, Routes, caller, read_body, read_json};
use crate::ops::foresight::dry_run::{self, DryRunContextPolicy, DryRunPolicy};
use crate::ops::foresight::view::{ContextDryRunView, DryRunView};
use crate::ops::policies::contexts::delete::DeleteContextPolicy;
use crate::ops::policies::contexts::look::{ListContextPolicies, ShowContextPolicy};
use crate::ops::policies::contexts::set::{Body as ContextBody, SetContextPolicy};
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
        .query::<ListContextPolicies, NoBody, _>(|path, _| {
            Ok(ListContextPolicies { org: path.get("org"), context: path.get("context") })
        })
        .query::<ShowContextPolicy, NoBody, _>(|path, _| {
            Ok(ShowContextPolicy { org: path.get("org"), context: path.get("context"), kind: path.get("kind") })
        })
        .mutation::<SetContextPolicy, ContextBody, _>(200, |path, body| {
            Ok(SetContextPolicy { org: path.get("org"), context: path.get("context"), kind: path.get("kind"), body })
        })
        .mutation::<DeleteContextPolicy, NoBody, _>(200, |path, _| {
            Ok(DeleteContextPolicy { org: path.get("org"), context: path.get("context"), kind: path.get("kind") })
        })
        .add::<dry_run::Body, ContextDryRunView, _, _>(operations::CONTEXT_POLICY_DRY_RUN, 200, dry_run_in_context)
        .add::<dry_run::Body, DryRunView, _, _>(operations::POLICY_DRY_RUN, 200, dry_run)
}

type Answer = Result<Response<axum::body::Body>, Told>;

async fn dry_run(State(app): State<Arc<App>>, path: RawPath, request: Request) -> Answer {
    let (parts, body) = request.into_parts();
    let bytes = read_body(&parts.headers, body, BODY_MAX_BYTES).await?;
    let caller = caller(&parts, None)?;
    let answer = thought(&path, &bytes)?.run(&app, &caller).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response())
}

async fn dry_run_in_context(State(app): State<Arc<App>>, path: RawPath, request: Request) -> Answer {
    let (parts, body) = request.into_parts();
    let bytes = read_body(&parts.headers, body, BODY_MAX_BYTES).await?;
    let caller = caller(&parts, None)?;
    let question = DryRunContextPolicy { context: path.0.get("context"), thought: thought(&path, &bytes)? };
    let answer = question.run(&app, &caller).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response())
}

fn thought(path: &RawPath, bytes: &[u8]) -> Result<DryRunPolicy, Told> {
    Ok(DryRunPolicy { org: path.0.get("org"), kind: path.0.get("kind"), body: read_json(bytes)? })
}

//! `/v1/orgs/{org}/credential-imports`: keys that were made elsewhere.

use crate::app::App;
use crate::http::problem::Told;
use crate::http::routes::{NoBody, RawPath, Routes, caller, idempotency_key, read_body, read_json, read_query, render};
use crate::ops::PageRequest;
use crate::ops::credential_imports::look::{ListImports, ShowImport};
use crate::ops::credential_imports::run::{CheckImport, import};
use crate::ops::credential_imports::view::{Body as ImportBody, Report};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::Response;
use serde::Deserialize;
use std::sync::Arc;
use tegata_core::operations;

/// Largest body: 100,000 rows with all the rest.
const IMPORT_MAX_BYTES: usize = 64 << 20;

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
        .add::<ImportBody, Report, _, _>(operations::CREDENTIAL_IMPORT_CREATE, 201, create)
        .query::<ListImports, PageRequest, _>(|path, page| Ok(ListImports { org: path.get("org"), page }))
        .query::<ShowImport, NoBody, _>(|path, _| Ok(ShowImport { org: path.get("org"), import: path.id("import")? }))
}

/// Which way to go.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Way {
    #[serde(default)]
    dry_run: bool,
}

async fn create(State(app): State<Arc<App>>, path: RawPath, request: Request) -> Result<Response<Body>, Told> {
    let way: Way = read_query(request.uri().query().unwrap_or_default())?;
    let (parts, body) = request.into_parts();
    let bytes = read_body(&parts.headers, body, IMPORT_MAX_BYTES).await?;
    let idempotency = if way.dry_run { None } else { idempotency_key(&app, &parts, &bytes)? };
    let caller = caller(&parts, idempotency)?;
    let body: ImportBody = read_json(&bytes)?;
    drop(bytes);
    let org = path.0.get("org");
    let reply = if way.dry_run {
        crate::ops::query(&app, &caller, &CheckImport { org, body }).await?
    } else {
        import(&app, &caller, org, body).await?
    };
    Ok(render(&reply))
}

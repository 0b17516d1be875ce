//! `/v1/orgs/{org}/organization-keys`: keys that an organization owns.

use crate::app::App;
use crate::http::problem::{Told, add_headers};
use crate::http::routes::{BODY_MAX_BYTES, NoBody, RawPath, Routes, caller, read_body, read_json, read_query};
use crate::ops::organization_keys::change::{BlockOrganizationKey, RevokeOrganizationKey, UnblockOrganizationKey};
use crate::ops::organization_keys::create::CreateOrganizationKey;
use crate::ops::organization_keys::look::{ListOrganizationKeys, ListParams, ShowOrganizationKey};
use crate::ops::organization_keys::plan::Body as KeyBody;
use crate::ops::organization_keys::preview::PreviewOrganizationKey;
use crate::ops::organization_keys::view::OrganizationKeyWithSecret;
use crate::ops::tokens::org::change::OnPart;
use crate::ops::tokens::revoke;
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
    // Making a key goes the way of every change; a dry run, which changes nothing, leaves it before that.
    let (create, _) = Routes::new()
        .mutation::<CreateOrganizationKey, KeyBody, _>(201, |path, body| {
            Ok(CreateOrganizationKey { org: path.get("org"), body })
        })
        .finish();
    let handler = move |State(app): State<Arc<App>>, path: RawPath, request: Request| {
        create_or_preview(create.clone(), app, path, request)
    };
    let on = |org: String, token, body: revoke::Body| OnPart { org, token, body };
    Routes::new()
        .add::<KeyBody, OrganizationKeyWithSecret, _, _>(operations::ORGANIZATION_KEY_CREATE, 201, handler)
        .query::<ListOrganizationKeys, ListParams, _>(|path, params| {
            Ok(ListOrganizationKeys { org: path.get("org"), params })
        })
        .query::<ShowOrganizationKey, NoBody, _>(|path, _| {
            Ok(ShowOrganizationKey { org: path.get("org"), key: path.id("key")? })
        })
        .mutation::<BlockOrganizationKey, revoke::Body, _>(200, move |path, body| {
            Ok(BlockOrganizationKey(on(path.get("org"), path.id("key")?, body)))
        })
        .mutation::<UnblockOrganizationKey, revoke::Body, _>(200, move |path, body| {
            Ok(UnblockOrganizationKey(on(path.get("org"), path.id("key")?, body)))
        })
        .mutation::<RevokeOrganizationKey, revoke::Body, _>(200, move |path, body| {
            Ok(RevokeOrganizationKey(on(path.get("org"), path.id("key")?, body)))
        })
}

/// Which way to go.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Way {
    #[serde(default)]
    dry_run: bool,
}

async fn create_or_preview(
    create: Router<Arc<App>>,
    app: Arc<App>,
    path: RawPath,
    request: Request,
) -> Result<Response<Body>, Told> {
    let way: Way = read_query(request.uri().query().unwrap_or_default())?;
    if !way.dry_run {
        let answered = create.with_state(app).oneshot(request).await;
        return Ok(answered.unwrap_or_else(|never| match never {}));
    }
    let (parts, body) = request.into_parts();
    let bytes = read_body(&parts.headers, body, BODY_MAX_BYTES).await?;
    let caller = caller(&parts, None)?;
    let preview = PreviewOrganizationKey { org: path.0.get("org"), body: read_json(&bytes)? };
    let reply = crate::ops::query(&app, &caller, &preview).await?;
    let mut response = reply.body.to_string().into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    add_headers(response.headers_mut(), &reply.limit_headers);
    Ok(response)
}

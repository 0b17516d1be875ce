//! `/v1/orgs/{org}/who-can`, `what-can` and `right-size`: who can do what, by what, and what of it is not used.

use crate::app::App;
use crate::http::problem::Told;
use crate::http::routes::{RawPath, Routes, caller, read_query};
use crate::ops::Page;
use crate::ops::foresight::right_size::{self, RightSize, RightSizeView};
use crate::ops::foresight::shrink::{self, Shrink};
use crate::ops::foresight::what_can::{self, WhatCan};
use crate::ops::foresight::who_can::{self, WhoCan};
use axum::Json;
use axum::extract::{Request, State};
use axum::http::{Response, header};
use axum::response::IntoResponse as _;
use std::sync::Arc;
use tegata_core::operations;

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
        .query::<WhoCan, who_can::Params, _>(|path, params| Ok(WhoCan { org: path.get("org"), params }))
        .query::<WhatCan, what_can::Params, _>(|path, params| Ok(WhatCan { org: path.get("org"), params }))
        .add::<right_size::Params, Page<RightSizeView>, _, _>(operations::RIGHTS_UNUSED, 200, unused)
        .mutation_prepared::<Shrink, shrink::Body, _, _>(200, |app, caller, path, body| async move {
            Shrink::prepare(&app, &caller, path.get("org"), body).await
        })
}

async fn unused(
    State(app): State<Arc<App>>,
    path: RawPath,
    request: Request,
) -> Result<Response<axum::body::Body>, Told> {
    let (parts, _) = request.into_parts();
    let caller = caller(&parts, None)?;
    let params = read_query(parts.uri.query().unwrap_or_default())?;
    let answer = RightSize { org: path.0.get("org"), params }.run(&app, &caller).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response())
}

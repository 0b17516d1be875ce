//! `/v1/orgs/{org}/contexts`.

use crate::http::routes::{NoBody, Routes};
use crate::ops::contexts::create::{self, CreateContext};
use crate::ops::contexts::look::{ListContexts, ListParams, PreviewMove, PreviewParams, ShowContext};
use crate::ops::contexts::update::{self, UpdateContext};

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
        .mutation::<CreateContext, create::Body, _>(201, |path, body| Ok(CreateContext { org: path.get("org"), body }))
        .query::<ListContexts, ListParams, _>(|path, params| Ok(ListContexts { org: path.get("org"), params }))
        .query::<ShowContext, NoBody, _>(|path, _| {
            Ok(ShowContext { org: path.get("org"), context: path.get("context") })
        })
        .mutation::<UpdateContext, update::Body, _>(200, |path, body| {
            Ok(UpdateContext { org: path.get("org"), context: path.get("context"), body })
        })
        .query::<PreviewMove, PreviewParams, _>(|path, params| {
            Ok(PreviewMove { org: path.get("org"), context: path.get("context"), params })
        })
}

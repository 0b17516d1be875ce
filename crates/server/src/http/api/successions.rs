//! `/v1/orgs/{org}/successions`: what leavers answered for.

use crate::http::routes::{NoBody, Routes};
use crate::ops::successions::hand_over::{Body, HandOver};
use crate::ops::successions::look::{ListParams, ListSuccessions, ShowSuccession};

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
        .query::<ListSuccessions, ListParams, _>(|path, params| Ok(ListSuccessions { org: path.get("org"), params }))
        .query::<ShowSuccession, NoBody, _>(|path, _| {
            Ok(ShowSuccession { org: path.get("org"), succession: path.id("succession")? })
        })
        .mutation::<HandOver, Body, _>(200, |path, body| {
            Ok(HandOver { org: path.get("org"), succession: path.id("succession")?, body })
        })
}

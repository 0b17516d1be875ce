//! `/v1/orgs/{org}/policies`.

use crate::http::routes::{NoBody, Routes};
use crate::ops::policies::list::ListPolicies;
use crate::ops::policies::set::{Body, SetPolicy};

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
        .query::<ListPolicies, NoBody, _>(|path, _| Ok(ListPolicies { org: path.get("org") }))
        .mutation::<SetPolicy, Body, _>(200, |path, body| {
            Ok(SetPolicy { org: path.get("org"), kind: path.get("kind"), body })
        })
}

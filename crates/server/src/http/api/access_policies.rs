//! `/v1/orgs/{org}/access-policies`: ceilings that approvers lay on what they grant.

use crate::http::routes::{NoBody, Routes};
use crate::ops::access_policies::create::{self, CreateAccessPolicy};
use crate::ops::access_policies::delete::DeleteAccessPolicy;
use crate::ops::access_policies::look::{ListAccessPolicies, ShowAccessPolicy};
use crate::ops::access_policies::update::{self, UpdateAccessPolicy};

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
        .mutation::<CreateAccessPolicy, create::Body, _>(201, |path, body| {
            Ok(CreateAccessPolicy { org: path.get("org"), body })
        })
        .query::<ListAccessPolicies, NoBody, _>(|path, _| Ok(ListAccessPolicies { org: path.get("org") }))
        .query::<ShowAccessPolicy, NoBody, _>(|path, _| {
            Ok(ShowAccessPolicy { org: path.get("org"), policy: path.get("access_policy") })
        })
        .mutation::<UpdateAccessPolicy, update::Body, _>(200, |path, body| {
            Ok(UpdateAccessPolicy { org: path.get("org"), policy: path.get("access_policy"), body })
        })
        .mutation::<DeleteAccessPolicy, NoBody, _>(200, |path, _| {
            Ok(DeleteAccessPolicy { org: path.get("org"), policy: path.get("access_policy") })
        })
}

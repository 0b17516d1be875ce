//! `/v1/orgs`: organizations, and the APIs that each of them uses.

use crate::http::routes::{NoBody, Routes};
use crate::ops::PageRequest;
use crate::ops::orgs::create::{CreateOrg, NewOrg};
use crate::ops::orgs::disable_api::DisableApi;
use crate::ops::orgs::enable_api::EnableApi;
use crate::ops::orgs::list::ListOrgs;
use crate::ops::orgs::list_apis::ListOrgApis;
use crate::ops::orgs::show::ShowOrg;
use crate::ops::orgs::update::{OrgUpdate, UpdateOrg};

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
        .mutation::<CreateOrg, NewOrg, _>(201, |_, body| Ok(CreateOrg { body }))
        .query::<ListOrgs, PageRequest, _>(|_, page| Ok(ListOrgs { page }))
        .query::<ShowOrg, NoBody, _>(|path, _| Ok(ShowOrg { org: path.get("org") }))
        .mutation::<UpdateOrg, OrgUpdate, _>(200, |path, body| Ok(UpdateOrg { org: path.get("org"), body }))
        .query::<ListOrgApis, PageRequest, _>(|path, page| Ok(ListOrgApis { org: path.get("org"), page }))
        .mutation::<EnableApi, NoBody, _>(200, |path, _| Ok(EnableApi { org: path.get("org"), api: path.get("api") }))
        .mutation::<DisableApi, NoBody, _>(200, |path, _| Ok(DisableApi { org: path.get("org"), api: path.get("api") }))
}

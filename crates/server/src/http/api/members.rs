//! `/v1/orgs/{org}/members`: who belongs to an organization.

use crate::http::routes::{NoBody, Routes};
use crate::ops::PageRequest;
use crate::ops::members::activate::ActivateMember;
use crate::ops::members::add::{AddMember, NewMember};
use crate::ops::members::deactivate::DeactivateMember;
use crate::ops::members::list::ListMembers;
use crate::ops::members::show::ShowMember;

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
        .mutation::<AddMember, NewMember, _>(201, |path, body| Ok(AddMember { org: path.get("org"), body }))
        .query::<ListMembers, PageRequest, _>(|path, page| Ok(ListMembers { org: path.get("org"), page }))
        .query::<ShowMember, NoBody, _>(|path, _| Ok(ShowMember { org: path.get("org"), user: path.get("user") }))
        .mutation::<DeactivateMember, NoBody, _>(200, |path, _| {
            Ok(DeactivateMember { org: path.get("org"), user: path.get("user") })
        })
        .mutation::<ActivateMember, NoBody, _>(200, |path, _| {
            Ok(ActivateMember { org: path.get("org"), user: path.get("user") })
        })
}

//! `/v1/orgs/{org}/roles` and `/v1/orgs/{org}/assignments`.

use crate::http::routes::{NoBody, Routes};
use crate::ops::PageRequest;
use crate::ops::assignments::create::{self as give, CreateAssignment};
use crate::ops::assignments::delete::DeleteAssignment;
use crate::ops::assignments::look::{ListAssignments, ListParams};
use crate::ops::roles::create::{self, CreateRole};
use crate::ops::roles::delete::DeleteRole;
use crate::ops::roles::look::{ListRoles, ShowRole};
use crate::ops::roles::update::{self, UpdateRole};

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
        .mutation::<CreateRole, create::Body, _>(201, |path, body| Ok(CreateRole { org: path.get("org"), body }))
        .query::<ListRoles, PageRequest, _>(|path, page| Ok(ListRoles { org: path.get("org"), page }))
        .query::<ShowRole, NoBody, _>(|path, _| Ok(ShowRole { org: path.get("org"), role: path.get("role") }))
        .mutation::<UpdateRole, update::Body, _>(200, |path, body| {
            Ok(UpdateRole { org: path.get("org"), role: path.get("role"), body })
        })
        .mutation::<DeleteRole, NoBody, _>(200, |path, _| {
            Ok(DeleteRole { org: path.get("org"), role: path.get("role") })
        })
        .mutation::<CreateAssignment, give::Body, _>(201, |path, body| {
            Ok(CreateAssignment { org: path.get("org"), body })
        })
        .query::<ListAssignments, ListParams, _>(|path, params| Ok(ListAssignments { org: path.get("org"), params }))
        .mutation::<DeleteAssignment, NoBody, _>(200, |path, _| {
            Ok(DeleteAssignment { org: path.get("org"), assignment: path.id("assignment")? })
        })
}

//! Members, as an identity provider sees and makes them.

pub mod create;
pub mod delete;
pub mod list;
pub mod settle;
pub mod update;
pub mod view;
pub mod wanted;

use crate::db::scim::Person;
use crate::db::{self, Tx};
use crate::ops::act::internal;
use tegata_core::ids::OrgId;
use tegata_core::problem::Problem;

/// A member with this id, of this organization; anybody else is unknown here.
pub async fn find(tx: &mut Tx, org: OrgId, user: &str) -> Result<Person, Problem> {
    let hidden = || Problem::not_found("user");
    let user = user.parse().map_err(|_| hidden())?;
    db::scim::person(tx, org, user).await.map_err(internal)?.ok_or_else(hidden)
}

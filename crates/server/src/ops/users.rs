//! Accounts of people: they belong to the installation, memberships to organizations.

pub mod activate;
pub mod create;
pub mod deactivate;
pub mod list;
pub mod show;
pub mod view;

use crate::db::users::User;
use crate::db::{self, Tx};
use crate::ops::act::internal;
use tegata_core::problem::Problem;

/// The account with this id.
async fn find(tx: &mut Tx, id: &str) -> Result<User, Problem> {
    let unknown = || Problem::not_found("user");
    let id = id.parse().map_err(|_| unknown())?;
    db::users::get(tx, id).await.map_err(internal)?.ok_or_else(unknown)
}

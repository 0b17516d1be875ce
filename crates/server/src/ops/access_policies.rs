//! Access policies: named ceilings of permissions and places that approvers lay on what they grant.

pub mod create;
pub mod delete;
pub mod look;
pub mod parts;
pub mod update;
pub mod view;

use crate::db::access_policies::AccessPolicy;
use crate::db::{self, DbError};
use crate::ops::Act;
use crate::ops::act::{Reading, internal};
use tegata_core::ids::OrgId;
use tegata_core::name;
use tegata_core::problem::{Code, Problem};

/// Most access policies of one organization.
const POLICIES_MAX: i64 = 200;

/// The access policy that a path names.
async fn find<T: Reading>(act: &mut Act<'_, T>, org: OrgId, name_or_id: &str) -> Result<AccessPolicy, Problem> {
    let found = db::access_policies::find(act.tx(), org, name_or_id).await.map_err(internal)?;
    found.ok_or_else(|| Problem::not_found("access policy"))
}

/// A name for people, which is how approvers choose.
fn check_name(title: &str) -> Result<(), Problem> {
    name::check_title(title).map_err(|error| Problem::field("name", error))
}

/// What is told where the name is taken, or somebody else made a change meanwhile.
fn told(error: DbError) -> Problem {
    match error {
        DbError::Duplicate => {
            let message = "there is an access policy of this name; change that one, or choose another name";
            Problem::new(Code::Duplicate, message).with("name", message)
        }
        DbError::Changed => Problem::new(Code::Conflict, "somebody changed this access policy meanwhile: look again"),
        other => internal(other),
    }
}

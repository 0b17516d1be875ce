//! What an identity provider does here, over SCIM, at `/scim/v2/orgs/{org}`: an organization key with the permission `scim` acts,
//! in the organization that owns it and in no other. What it does to members and teams is told in activity like the same done by
//! hand; leaving is [`crate::ops::members::leave`].
//!
//! An account is shared by organizations, so that one of them changes an account only where nobody else has a part in it;
//! what an identity provider writes is otherwise kept for its organization alone.

pub mod discovery;
pub mod groups;
pub mod listing;
pub mod search;
pub mod users;
pub mod version;

use super::act::Reading;
use super::{Act, Allowed};
use tegata_core::operations::Operation;
use tegata_core::problem::Problem;

/// The right to go on, and the address of the organization's SCIM.
pub async fn allowed<T: Reading>(
    act: &mut Act<'_, T>,
    operation: &Operation,
    org: &str,
) -> Result<(Allowed, String), Problem> {
    let allowed = act.require(operation, org).await?;
    let base = format!("{}/scim/v2/orgs/{}", act.app.public_url.trim_end_matches('/'), allowed.org.key);
    Ok((allowed, base))
}

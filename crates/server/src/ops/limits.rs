//! Limits on calls: the publisher's, which hold in every organization, and an organization's own beside them. All that cover
//! a call are counted, so nobody loosens what another has set. What they do is the business of `verify::limits`.

pub mod create;
pub mod delete;
pub mod look;
pub mod update;
pub mod view;

use crate::db;
use crate::db::limits::Limit;
use crate::ops::act::{Reading, internal};
use crate::ops::{Act, Allowed};
use tegata_core::ids::OrgId;
use tegata_core::limit::{Rate, RateError};
use tegata_core::operations::{self, Guard, Operation};
use tegata_core::problem::{Code, Problem};

/// Whose limits an operation is about.
pub trait Whose: Send + Sync + 'static {
    /// Set one.
    const CREATE: &'static Operation;
    /// List them.
    const LIST: &'static Operation;
    /// Show one.
    const SHOW: &'static Operation;
    /// Change one.
    const UPDATE: &'static Operation;
    /// Delete one.
    const DELETE: &'static Operation;
}

/// Those that hold in every organization.
#[derive(Debug, Clone, Copy)]
pub struct Everywhere;

impl Whose for Everywhere {
    const CREATE: &'static Operation = operations::INSTALLATION_LIMIT_CREATE;
    const LIST: &'static Operation = operations::INSTALLATION_LIMIT_LIST;
    const SHOW: &'static Operation = operations::INSTALLATION_LIMIT_SHOW;
    const UPDATE: &'static Operation = operations::INSTALLATION_LIMIT_UPDATE;
    const DELETE: &'static Operation = operations::INSTALLATION_LIMIT_DELETE;
}

/// An organization's own.
#[derive(Debug, Clone, Copy)]
pub struct Own;

impl Whose for Own {
    const CREATE: &'static Operation = operations::LIMIT_CREATE;
    const LIST: &'static Operation = operations::LIMIT_LIST;
    const SHOW: &'static Operation = operations::LIMIT_SHOW;
    const UPDATE: &'static Operation = operations::LIMIT_UPDATE;
    const DELETE: &'static Operation = operations::LIMIT_DELETE;
}

/// Asks for the right to an operation on limits. Returns whose they are, too: none for those of every organization.
async fn require<T: Reading>(
    act: &mut Act<'_, T>,
    operation: &'static Operation,
    org: &str,
) -> Result<(Allowed, Option<OrgId>), Problem> {
    if matches!(operation.guard, Guard::Publisher(_)) {
        return Ok((act.require_publisher(operation).await?, None));
    }
    let allowed = act.require(operation, org).await?;
    let owner = Some(allowed.org.id);
    Ok((allowed, owner))
}

/// The limit of this name or id that holds there.
async fn find<T: Reading>(act: &mut Act<'_, T>, owner: Option<OrgId>, name_or_id: &str) -> Result<Limit, Problem> {
    let found = db::limits::find(act.tx(), owner, name_or_id).await.map_err(internal)?;
    found.ok_or_else(|| Problem::not_found("limit"))
}

/// The same, to be changed. An organization sees what the publisher set, and changes none of it. A `version` that the caller
/// has seen has to be the one that is there.
async fn find_to_change<T: Reading>(
    act: &mut Act<'_, T>,
    owner: Option<OrgId>,
    name_or_id: &str,
    version: Option<u64>,
) -> Result<Limit, Problem> {
    let limit = find(act, owner, name_or_id).await?;
    if limit.org != owner {
        let detail = format!(
            "`{}` holds in every organization, and only the publisher changes it; set a tighter limit of your own beside it",
            limit.name
        );
        return Err(Problem::new(Code::Forbidden, detail));
    }
    if version.is_some_and(|version| version != limit.version) {
        let detail = format!("version: the limit has changed since; look at it again, it is version {}", limit.version);
        return Err(Problem::new(Code::Conflict, detail.clone()).with("version", detail));
    }
    Ok(limit)
}

/// Reads quota and window.
fn rate(quota: u64, window_seconds: u64) -> Result<Rate, Problem> {
    Rate::new(quota, window_seconds).map_err(|error| match error {
        RateError::Window => Problem::field("window_seconds", error),
        RateError::Quota | RateError::TooFast => Problem::field("quota", error),
    })
}

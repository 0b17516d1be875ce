//! Use cases: one file each, in the same order inside (input, output, the work). To add one:
//!
//! 1. a row in `tegata_core::operations` (and a permission, if none fits);
//! 2. a file here with a type that implements [`Mutation`] or [`Query`]: load, ask [`Act::require`] for the right,
//!    let a pure transition decide, store, and return the [`Change`] that tells what happened;
//! 3. a line in the routes of `http::api`;
//! 4. tests of what it does, of its refusals, and of another organization's caller.
//!
//! The frame does the rest: identification, idempotency, the transaction, activity, the change feed, the access
//! record. A mutation that returns no change does not compile.

pub mod access_keys;
pub mod access_policies;
pub mod access_requests;
pub mod act;
pub mod addresses;
pub mod apis;
pub mod applications;
pub mod assignments;
pub mod contexts;
pub mod credential_imports;
pub mod foresight;
pub mod frame;
pub mod inbox;
pub mod leaks;
pub mod limits;
pub mod members;
pub mod notice_settings;
pub mod organization_keys;
pub mod orgs;
pub mod own_scope;
pub mod page;
pub mod policies;
pub mod receipt;
pub mod records;
pub mod requests;
pub mod rights;
pub mod roles;
pub mod scim;
pub mod service_accounts;
pub mod sessions;
pub mod setup;
pub mod streams;
pub mod successions;
pub mod system;
pub mod teams;
pub mod tokens;
pub mod users;
pub mod verifiers;
pub mod view;
pub mod webhooks;

pub use act::{Act, Allowed, Change, Changes};
pub use frame::{Caller, Meta, Reply, mutate, query};
pub use page::{Page, PageRequest};

use crate::db::{Tx, WriteTx};
use serde::Serialize;
use tegata_core::operations::Operation;
use tegata_core::problem::Problem;

/// A use case that changes something.
pub trait Mutation: Send + Sync {
    /// Its row in the table of operations.
    const OPERATION: &'static Operation;
    /// What the caller is told.
    type Output: Serialize + Send;

    /// Does it, within one transaction. It may run more than once, when transactions cross.
    fn apply(
        &self,
        act: &mut Act<'_, WriteTx>,
    ) -> impl Future<Output = Result<(Self::Output, Changes), Problem>> + Send;
}

/// A use case that only looks.
pub trait Query: Send + Sync {
    /// Its row in the table of operations.
    const OPERATION: &'static Operation;
    /// What the caller is told.
    type Output: Serialize + Send;

    /// Looks, within one consistent view.
    fn answer(&self, act: &mut Act<'_, Tx>) -> impl Future<Output = Result<Self::Output, Problem>> + Send;
}

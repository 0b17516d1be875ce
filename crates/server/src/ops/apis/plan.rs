//! What an import would do: worked out in the same way for showing it and for doing it.

use super::document::{self, Raw, wrong};
use super::in_use::{self, RemovedInUse};
use super::types;
use super::view::{ImportView, Unguarded};
use crate::db;
use crate::db::apis::Api;
use crate::ops::Act;
use crate::ops::act::{Reading, internal};
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;
use tegata_core::bits::PermissionNumber;
use tegata_core::catalogue::compiled::Access;
use tegata_core::catalogue::openapi::Report;
use tegata_core::catalogue::{Catalogue, Diff, Document, diff};
use tegata_core::ids::ApiId;
use tegata_core::problem::{Code, Problem};

/// Most endpoints without a permission that are listed.
const UNGUARDED_LISTED_MAX: usize = 200;

/// What an import would do.
pub struct Plan {
    /// The new document.
    pub document: Document,
    /// The new document, compiled.
    pub catalogue: Catalogue,
    /// The API as it is, if there is one.
    pub existing: Option<Api>,
    /// The numbers that permissions have had so far.
    pub numbers: Vec<(String, PermissionNumber)>,
    /// What changes; none for a new API.
    pub diff: Option<Diff>,
    /// What a person should look at after an import from OpenAPI.
    pub report: Option<Report>,
    /// Permissions that would go while they are granted.
    pub removed_in_use: Vec<RemovedInUse>,
}

/// Works it out. What can be imported by nobody is refused here; what needs `force` is not.
pub async fn plan<T: Reading>(act: &mut Act<'_, T>, raw: &Arc<Raw>) -> Result<Plan, Problem> {
    let read = document::read(raw).await?;
    let (app, now, document) = (act.app, act.now, read.document);
    let existing = db::apis::find(act.tx(), &document.api).await.map_err(internal)?;
    // An API is found by its key only: nobody names an API like another one's id.
    let existing = existing.filter(|api| api.key == document.api);
    if existing.is_none() && document.api.parse::<ApiId>().is_ok() {
        let message = "a key does not have the form of an id";
        return Err(Problem::new(Code::InvalidCatalogue, message).with("api", message));
    }
    let numbers = match &existing {
        Some(api) => db::apis::numbers(act.tx(), api.id).await.map_err(internal)?,
        None => Vec::new(),
    };
    let catalogue = Catalogue::compile(&document, &numbers).map_err(|told| wrong(&told))?;
    let changes = match &existing {
        Some(api) => {
            let before: Document = serde_json::from_str(&api.document).map_err(|error| {
                tracing::error!(%error, api = %api.key, "a stored catalogue cannot be read");
                Problem::internal()
            })?;
            Some(diff(&before, &document).map_err(|told| wrong(&told))?)
        }
        None => None,
    };
    types::check(app, act.tx(), &document, changes.as_ref()).await?;
    let removed_in_use = match (&existing, &changes) {
        (Some(api), Some(changes)) => {
            in_use::find(act.tx(), api.id, changes.removed_permissions(), now).await.map_err(internal)?
        }
        _ => Vec::new(),
    };
    Ok(Plan { document, catalogue, existing, numbers, diff: changes, report: read.report, removed_in_use })
}

impl Plan {
    /// The version that the API has after the import.
    pub fn version(&self) -> u64 {
        self.existing.as_ref().map_or(1, |api| api.version + 1)
    }

    /// The plan as it is shown. `id` is the API's, where it has one.
    pub fn view(&self, id: Option<String>, dry_run: bool) -> Result<ImportView, Problem> {
        let unguarded: Vec<String> = self
            .catalogue
            .endpoints()
            .iter()
            .filter(|endpoint| endpoint.access == Access::Denied)
            .map(|endpoint| format!("{} {}", endpoint.method, endpoint.path))
            .collect();
        let count = unguarded.len();
        Ok(ImportView {
            api: self.document.api.clone(),
            id,
            version: self.version(),
            dry_run,
            created: self.existing.is_none(),
            permissions: self.catalogue.permissions().len(),
            endpoints: self.catalogue.endpoints().len(),
            endpoints_without_permission: Unguarded {
                count,
                listed: unguarded.into_iter().take(UNGUARDED_LISTED_MAX).collect(),
            },
            widens: self.diff.as_ref().is_some_and(Diff::widens),
            needs_force: !self.removed_in_use.is_empty(),
            removed_in_use: self.removed_in_use.clone(),
            diff: self.diff.as_ref().map(value).transpose()?,
            report: self.report.as_ref().map(value).transpose()?,
        })
    }
}

fn value(shown: &impl Serialize) -> Result<Value, Problem> {
    serde_json::to_value(shown).map_err(|error| {
        tracing::error!(%error, "an answer could not be written");
        Problem::internal()
    })
}

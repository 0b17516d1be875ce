//! Imports as they are shown, and the report of one.

use crate::db;
use crate::db::Tx;
use crate::db::imports::Import;
use crate::imports::{Format, Settings};
use crate::ops::act::internal;
use serde::{Deserialize, Serialize};
use tegata_core::problem::Problem;
use utoipa::ToSchema;

/// What is imported.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CredentialImportCreate)]
pub struct Body {
    /// How the rows are written.
    pub format: Format,
    /// The rows: a whole file, at most 100,000 rows and 64 MiB with all the rest.
    pub content: String,
    /// What holds for all of them.
    #[serde(default)]
    pub settings: Settings,
    /// Whether to import what is sound and leave wrong rows out; nothing is imported otherwise where any row is wrong.
    #[serde(default)]
    pub skip_wrong_rows: bool,
    /// Why it is done; others read it in activity.
    #[serde(default)]
    pub reason: Option<String>,
}

/// One thing that is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = CredentialImportError)]
pub struct RowProblem {
    /// The number of the row, from 1; the header of CSV is none.
    pub row: usize,
    /// The field; empty where it is the whole row.
    pub field: String,
    /// The rule, and a way out.
    pub message: String,
}

/// Something that speaks against how keys were kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = CredentialImportWarning)]
pub struct Warning {
    /// `unsalted_fast_hash`, `fast_hash`, `low_cost`, `short_salt` or `short_identifier`.
    pub code: &'static str,
    /// What it means.
    pub message: String,
    /// How many rows it is about.
    pub rows: usize,
    /// The first of them.
    pub first_row: usize,
}

/// What came of an import, or would.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = CredentialImportReport)]
pub struct Report {
    /// The import; absent where it was a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Whether nothing was imported, since that was all that was asked for.
    pub dry_run: bool,
    /// `live` where every credential is there; `checked` after a dry run.
    pub state: &'static str,
    /// How many rows there are.
    pub rows: usize,
    /// How many of them are credentials now, or would be.
    pub credentials: usize,
    /// How many of them are wrong.
    pub wrong_rows: usize,
    /// What is wrong with them: the first 1,000.
    pub errors: Vec<RowProblem>,
    /// How many more there are.
    pub errors_left_out: usize,
    /// What speaks against how the keys were kept.
    pub warnings: Vec<Warning>,
}

/// An import.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = CredentialImport)]
pub struct ImportView {
    /// Its id.
    pub id: String,
    /// `committed` while its credentials are on their way, `live` when all of them are there.
    pub state: &'static str,
    /// How many credentials it brought.
    pub credentials: i64,
    /// How many wrong rows were left out.
    pub skipped: i64,
    /// How many warnings it came with.
    pub warnings: i64,
    /// Why it was made.
    pub reason: String,
    /// The id of whoever made it.
    pub created_by: String,
    /// What they are called.
    pub created_by_name: String,
    /// When.
    pub created_at: String,
    /// When all of its credentials were there.
    pub live_at: Option<String>,
}

impl ImportView {
    /// An import as it is shown.
    pub async fn of(tx: &mut Tx, import: &Import) -> Result<Self, Problem> {
        let by = db::users::get(tx, import.created_by).await.map_err(internal)?;
        Ok(Self {
            id: import.id.to_string(),
            state: import.state.as_str(),
            credentials: import.credentials,
            skipped: import.skipped,
            warnings: import.warnings,
            reason: import.reason.clone(),
            created_by: import.created_by.to_string(),
            created_by_name: by.map(|user| user.name).unwrap_or_default(),
            created_at: import.created_at.to_string(),
            live_at: import.live_at.map(|moment| moment.to_string()),
        })
    }
}

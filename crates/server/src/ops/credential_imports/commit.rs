//! The change that makes an import true.

use super::plan::OPERATION;
use super::view::Report;
use crate::db::feed::Topic;
use crate::db::imports::{Import, ImportState, Profile};
use crate::db::{self, WriteTx};
use crate::ops::access_keys::bounds::require_covered;
use crate::ops::act::internal;
use crate::ops::service_accounts::look::account_here;
use crate::ops::{Act, Change, Changes, Mutation};
use serde_json::json;
use tegata_core::ids::ServiceAccountId;
use tegata_core::operations::Operation;
use tegata_core::problem::Problem;

/// Makes an import true whose rows are staged.
pub struct CommitImport {
    /// The organization's key or id.
    pub org: String,
    /// The import.
    pub import: Import,
    /// How its keys are recognized, as far as that is new here.
    pub profiles: Vec<Profile>,
    /// The service accounts that get access keys.
    pub accounts: Vec<ServiceAccountId>,
    /// What is told.
    pub report: Report,
}

impl Mutation for CommitImport {
    const OPERATION: &'static Operation = OPERATION;
    type Output = Report;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Self::Output, Changes), Problem> {
        let allowed = act.require(Self::OPERATION, &self.org).await?;
        let (org, import) = (allowed.org.id, &self.import);
        // Whoever brings a key's secret acts as its account.
        for id in &self.accounts {
            let account = account_here(&mut act.tx, org, &id.to_string()).await?;
            require_covered(act, &allowed, &account).await?;
        }
        for profile in &self.profiles {
            db::imports::insert_profile(&mut act.tx, profile, act.now).await.map_err(internal)?;
        }
        let (from, to) = (ImportState::Staged, ImportState::Committed);
        db::imports::set_state(&mut act.tx, org, import.id, from, to, None).await.map_err(internal)?;
        let report = Report { id: Some(import.id.to_string()), dry_run: false, state: "live", ..self.report.clone() };
        let change = Change::new(org, import.id)
            .after(json!({"credentials": report.credentials, "rows": report.rows, "wrong_rows": report.wrong_rows,
                "warnings": report.warnings}))
            .because(Some(&import.reason))
            .feed(Topic::CredentialImport, Some(org), import.id);
        Ok((report, change.into()))
    }
}

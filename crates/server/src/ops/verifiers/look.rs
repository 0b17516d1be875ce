//! List the verifiers, or show one.

use super::view::{ApiKeys, VerifierView};
use crate::db::{self, Tx};
use crate::ops::act::internal;
use crate::ops::{Act, Page, PageRequest, Query};
use tegata_core::ids::VerifierId;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;

/// List the verifiers.
pub struct ListVerifiers {
    /// Which page.
    pub page: PageRequest,
}

impl Query for ListVerifiers {
    const OPERATION: &'static Operation = operations::VERIFIER_LIST;
    type Output = Page<VerifierView>;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Self::Output, Problem> {
        act.require_publisher(Self::OPERATION).await?;
        let rows = db::verifiers::list(&mut act.tx, &self.page.ask()?).await.map_err(internal)?;
        let keys = ApiKeys::read(&mut act.tx).await.map_err(internal)?;
        self.page.page(rows, |row| row.id.to_string(), |row| VerifierView::of(&row, &keys))
    }
}

/// Show a verifier.
pub struct ShowVerifier {
    /// Which.
    pub verifier: VerifierId,
}

impl Query for ShowVerifier {
    const OPERATION: &'static Operation = operations::VERIFIER_SHOW;
    type Output = VerifierView;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Self::Output, Problem> {
        act.require_publisher(Self::OPERATION).await?;
        let found = db::verifiers::get(&mut act.tx, self.verifier).await.map_err(internal)?;
        let verifier = found.ok_or_else(|| Problem::not_found("verifier"))?;
        let keys = ApiKeys::read(&mut act.tx).await.map_err(internal)?;
        Ok(VerifierView::of(&verifier, &keys))
    }
}

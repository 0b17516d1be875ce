//! List what an organization allows for each kind of credential.

use super::askable;
use super::view::{PolicyView, is_governed};
use crate::db::{self, Tx};
use crate::ops::act::internal;
use crate::ops::{Act, Page, Query};
use tegata_core::credential::CredentialKind;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;

/// List the policies.
#[derive(Debug, Clone)]
pub struct ListPolicies {
    /// The organization.
    pub org: String,
}

impl Query for ListPolicies {
    const OPERATION: &'static Operation = operations::POLICY_LIST;
    type Output = Page<PolicyView>;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Page<PolicyView>, Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org.id;
        let app = act.app;
        let mut items = Vec::new();
        for kind in CredentialKind::ALL.iter().copied().filter(|kind| is_governed(*kind)) {
            let policy = db::policies::get(act.tx(), org, kind).await.map_err(internal)?;
            let permissions = askable::view(app, act.tx(), org, kind, None).await.map_err(internal)?;
            items.push(PolicyView::of(kind, &policy, permissions));
        }
        Ok(Page { items, next_cursor: None })
    }
}

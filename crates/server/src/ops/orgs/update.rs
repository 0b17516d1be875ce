//! Change an organization's name. Its key stays: it stands in URLs and in catalogues.

use super::view::OrgView;
use crate::db::feed::Topic;
use crate::db::orgs::Org;
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::{Act, Change, Changes, Mutation};
use serde::Deserialize;
use serde_json::json;
use tegata_core::name;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;
use utoipa::ToSchema;

/// Changes an organization.
#[derive(Debug)]
pub struct UpdateOrg {
    /// Its key or id.
    pub org: String,
    /// What was sent.
    pub body: OrgUpdate,
}

/// What may be changed of an organization.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrgUpdate {
    /// What people call it from now on.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
}

impl Mutation for UpdateOrg {
    const OPERATION: &'static Operation = operations::ORG_UPDATE;
    type Output = OrgView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(OrgView, Changes), Problem> {
        let allowed = act.require(Self::OPERATION, &self.org).await?;
        name::check_title(&self.body.name).map_err(|error| Problem::field("name", error))?;
        let before = allowed.org;
        db::orgs::rename(&mut act.tx, before.id, &self.body.name).await.map_err(internal)?;
        let after = Org { name: self.body.name.clone(), ..before.clone() };
        let change = Change::new(after.id, after.id)
            .before(json!({"name": before.name}))
            .after(json!({"name": after.name}))
            .feed(Topic::Org, Some(after.id), after.id);
        Ok((OrgView::from(&after), change.into()))
    }
}

//! Begin to use an API. Its predefined roles appear; they give nothing to anybody until they are assigned.

use super::catalogue_roles::{refresh_catalogue_roles, taken_key};
use super::view::OrgApiView;
use crate::db::feed::Topic;
use crate::db::{self, DbError, WriteTx};
use crate::ops::act::internal;
use crate::ops::{Act, Change, Changes, Mutation};
use serde_json::json;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};

/// Begins to use an API.
#[derive(Debug)]
pub struct EnableApi {
    /// The organization's key or id.
    pub org: String,
    /// The API's key or id.
    pub api: String,
}

impl Mutation for EnableApi {
    const OPERATION: &'static Operation = operations::ORG_API_ENABLE;
    type Output = OrgApiView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(OrgApiView, Changes), Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org;
        let loaded = act.app.catalogues.of(&mut act.tx, &self.api).await.map_err(internal)?;
        let loaded = loaded.ok_or_else(|| Problem::not_found("API"))?;
        if let Some(key) = taken_key(&mut act.tx, org.id, &loaded).await.map_err(internal)? {
            return Err(Problem::new(
                Code::Conflict,
                format!(
                    "this API brings a role `{key}`, and the organization has another role with that key; delete that first"
                ),
            ));
        }
        db::orgs::enable_api(&mut act.tx, org.id, loaded.id, act.now).await.map_err(|error| match error {
            DbError::Duplicate => Problem::new(Code::Duplicate, "the organization uses this API already"),
            other => internal(other),
        })?;
        let roles = refresh_catalogue_roles(act.app, &mut act.tx, org.id, &loaded).await.map_err(internal)?;
        let mut change = Change::new(org.id, loaded.id).after(json!({"api": loaded.key, "enabled": true})).feed(
            Topic::Org,
            Some(org.id),
            org.id,
        );
        for role in roles {
            change = change.feed(Topic::Role, Some(org.id), role);
        }
        Ok((OrgApiView::new(&loaded, act.now), change.into()))
    }
}

//! Stop using an API. Every check for it in this organization is denied from then on; its roles stay, with whoever has
//! them, and count again when the API is enabled again.

use crate::db::feed::Topic;
use crate::db::{self, DbError, WriteTx};
use crate::ops::act::internal;
use crate::ops::receipt::Receipt;
use crate::ops::{Act, Change, Changes, Mutation};
use serde_json::json;
use tegata_core::operations::{self, Operation};
use tegata_core::permissions::OWN_API;
use tegata_core::problem::{Code, Problem};

/// Stops using an API.
#[derive(Debug)]
pub struct DisableApi {
    /// The organization's key or id.
    pub org: String,
    /// The API's key or id.
    pub api: String,
}

impl Mutation for DisableApi {
    const OPERATION: &'static Operation = operations::ORG_API_DISABLE;
    type Output = Receipt;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Receipt, Changes), Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org;
        let api = db::apis::find(&mut act.tx, &self.api).await.map_err(internal)?;
        let api = api.ok_or_else(|| Problem::not_found("API"))?;
        if api.key == OWN_API {
            return Err(Problem::new(Code::Conflict, "every organization uses Tegata's own API: it is governed by it"));
        }
        db::orgs::disable_api(&mut act.tx, org.id, api.id).await.map_err(|error| match error {
            DbError::Changed => Problem::not_found("API"),
            other => internal(other),
        })?;
        let change = Change::new(org.id, api.id)
            .before(json!({"api": api.key, "enabled": true}))
            .after(json!({"api": api.key, "enabled": false}))
            .feed(Topic::Org, Some(org.id), org.id);
        Ok((Receipt::of(api.id, "disabled"), change.into()))
    }
}

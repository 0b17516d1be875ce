//! Stop one of one's own tokens everywhere and for good.

use super::look::own_token;
use crate::db::feed::Topic;
use crate::db::{self, DbError, WriteTx};
use crate::ops::act::internal;
use crate::ops::own_scope::require_own_scope;
use crate::ops::receipt::Receipt;
use crate::ops::requests;
use crate::ops::{Act, Change, Changes, Mutation};
use serde::Deserialize;
use serde_json::json;
use tegata_core::ids::TokenId;
use tegata_core::name;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};
use utoipa::ToSchema;

/// Stop one of one's own tokens.
pub struct RevokeToken {
    /// Which.
    pub token: TokenId,
    /// Why.
    pub body: Body,
}

/// Why something is stopped or started again.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = Reason)]
pub struct Body {
    /// Why; other people read it.
    pub reason: Option<String>,
}

/// The reason of a body, checked.
pub fn checked_reason(body: &Body) -> Result<(), Problem> {
    told_reason(body.reason.as_deref())
}

/// A reason, checked.
pub fn told_reason(reason: Option<&str>) -> Result<(), Problem> {
    name::check_reason(reason.unwrap_or_default()).map_err(|error| Problem::field("reason", error))
}

impl Mutation for RevokeToken {
    const OPERATION: &'static Operation = operations::TOKEN_REVOKE;
    type Output = Receipt;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Self::Output, Changes), Problem> {
        require_own_scope(act, Self::OPERATION).await?;
        checked_reason(&self.body)?;
        let token = own_token(act, self.token).await?;
        let (now, id) = (act.now, token.id);
        db::tokens::revoke(&mut act.tx, id, now).await.map_err(|error| match error {
            DbError::Changed => Problem::new(Code::Conflict, "this token is revoked already"),
            other => internal(other),
        })?;
        let by = Some(act.actor.user.id);
        requests::close::with_token(&mut act.tx, None, id, by, now).await.map_err(internal)?;
        let changes = db::tokens::parts(&mut act.tx, id)
            .await
            .map_err(internal)?
            .iter()
            .map(|part| {
                Change::new(part.org, id)
                    .before(json!({"name": token.name, "state": part.state}))
                    .after(json!({"name": token.name, "state": "revoked", "by": "owner"}))
                    .because(self.body.reason.as_deref())
                    .feed(Topic::Token, None, id)
            })
            .collect();
        Ok((Receipt::of(id, "revoked"), Changes { list: changes }))
    }
}

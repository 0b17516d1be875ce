//! Stop a verifier for good: whoever shows its credential is told nothing any more.

use crate::db::feed::Topic;
use crate::db::{self, DbError, WriteTx};
use crate::ops::act::internal;
use crate::ops::receipt::Receipt;
use crate::ops::tokens::revoke::{Body, checked_reason};
use crate::ops::{Act, Change, Changes, Mutation};
use serde_json::json;
use tegata_core::ids::VerifierId;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};

/// Stop a verifier.
pub struct RevokeVerifier {
    /// Which.
    pub verifier: VerifierId,
    /// Why.
    pub body: Body,
}

impl Mutation for RevokeVerifier {
    const OPERATION: &'static Operation = operations::VERIFIER_REVOKE;
    type Output = Receipt;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Self::Output, Changes), Problem> {
        let allowed = act.require_publisher(Self::OPERATION).await?;
        checked_reason(&self.body)?;
        let found = db::verifiers::get(&mut act.tx, self.verifier).await.map_err(internal)?;
        let verifier = found.ok_or_else(|| Problem::not_found("verifier"))?;
        let now = act.now;
        db::verifiers::revoke(&mut act.tx, verifier.id, now).await.map_err(|error| match error {
            DbError::Changed => Problem::new(Code::Conflict, "this verifier is revoked already"),
            other => internal(other),
        })?;
        let change = Change::new(allowed.org.id, verifier.id)
            .before(json!({"name": verifier.name, "state": "active"}))
            .after(json!({"name": verifier.name, "state": "revoked"}))
            .because(self.body.reason.as_deref())
            .feed(Topic::Verifier, None, verifier.id);
        Ok((Receipt::of(verifier.id, "revoked"), change.into()))
    }
}

//! Give a verifier a new credential; the old one ends at once, or after a stated overlap.

use super::view::{ApiKeys, VerifierView, VerifierWithSecret};
use crate::authn::mint::mint;
use crate::db::feed::Topic;
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::tokens::regenerate::{Body, checked_overlap};
use crate::ops::{Act, Change, Changes, Mutation};
use secrecy::ExposeSecret as _;
use serde_json::json;
use tegata_core::ids::VerifierId;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};
use tegata_core::secret::SecretKind;

/// Give a verifier a new credential.
pub struct RegenerateVerifier {
    /// Which.
    pub verifier: VerifierId,
    /// How.
    pub body: Body,
}

impl Mutation for RegenerateVerifier {
    const OPERATION: &'static Operation = operations::VERIFIER_REGENERATE;
    type Output = VerifierWithSecret;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Self::Output, Changes), Problem> {
        let allowed = act.require_publisher(Self::OPERATION).await?;
        let overlap = checked_overlap(&self.body)?;
        let found = db::verifiers::get(&mut act.tx, self.verifier).await.map_err(internal)?;
        let verifier = found.ok_or_else(|| Problem::not_found("verifier"))?;
        if verifier.revoked_at.is_some() {
            return Err(Problem::new(Code::Conflict, "this verifier is revoked, and revoked is final"));
        }
        let (id, now) = (verifier.id.to_string(), act.now);
        let minted = mint(&act.app.hasher, &act.app.entropy, &act.app.product, SecretKind::Verifier);
        db::secrets::end_at(&mut act.tx, &id, now.plus(overlap)).await.map_err(internal)?;
        db::secrets::insert(&mut act.tx, minted.digest, minted.key_id, &id, now).await.map_err(internal)?;
        let keys = ApiKeys::read(&mut act.tx).await.map_err(internal)?;
        let change = Change::new(allowed.org.id, &id)
            .after(json!({"secret": "replaced", "old_secret_ends_at": now.plus(overlap)}))
            .because(self.body.reason.as_deref())
            .feed(Topic::Verifier, None, &id);
        let token = minted.text.expose_secret().to_owned();
        Ok((VerifierWithSecret { verifier: VerifierView::of(&verifier, &keys), token }, change.into()))
    }
}

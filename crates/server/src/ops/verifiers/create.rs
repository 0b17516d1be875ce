//! Make a verifier for one or more APIs.

use super::view::{ApiKeys, VerifierView, VerifierWithSecret};
use crate::authn::mint::mint;
use crate::db::feed::Topic;
use crate::db::verifiers::Verifier;
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::{Act, Change, Changes, Mutation};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::json;
use tegata_core::ids::VerifierId;
use tegata_core::name;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;
use tegata_core::secret::SecretKind;
use utoipa::ToSchema;

/// Most APIs of one verifier.
const APIS_MAX: usize = 100;

/// Make a verifier.
pub struct CreateVerifier {
    /// What it shall be.
    pub body: Body,
}

/// What a verifier shall be.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = VerifierCreate)]
pub struct Body {
    /// What people call it.
    pub name: String,
    /// The keys or ids of the APIs that it may ask about; at least one.
    pub apis: Vec<String>,
}

impl Mutation for CreateVerifier {
    const OPERATION: &'static Operation = operations::VERIFIER_CREATE;
    type Output = VerifierWithSecret;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Self::Output, Changes), Problem> {
        let allowed = act.require_publisher(Self::OPERATION).await?;
        name::check_title(&self.body.name).map_err(|error| Problem::field("name", error))?;
        if self.body.apis.is_empty() || self.body.apis.len() > APIS_MAX {
            return Err(Problem::field("apis", format!("name 1 to {APIS_MAX} APIs that the verifier may ask about")));
        }
        let mut apis = Vec::with_capacity(self.body.apis.len());
        for (place, key) in self.body.apis.iter().enumerate() {
            let known = db::apis::version(&mut act.tx, key).await.map_err(internal)?;
            match known {
                None => return Err(Problem::field(format!("apis[{place}]"), "there is no such API")),
                Some((id, _)) if apis.contains(&id) => {
                    return Err(Problem::field(format!("apis[{place}]"), "this API was named before"));
                }
                Some((id, _)) => apis.push(id),
            }
        }
        let verifier = Verifier {
            id: act.id(VerifierId::new),
            name: self.body.name.clone(),
            created_at: act.now,
            revoked_at: None,
            apis,
        };
        let minted = mint(&act.app.hasher, &act.app.entropy, &act.app.product, SecretKind::Verifier);
        let (id, now) = (verifier.id, act.now);
        db::verifiers::insert(&mut act.tx, &verifier).await.map_err(internal)?;
        db::secrets::insert(&mut act.tx, minted.digest, minted.key_id, &id.to_string(), now).await.map_err(internal)?;
        let keys = ApiKeys::read(&mut act.tx).await.map_err(internal)?;
        let view = VerifierView::of(&verifier, &keys);
        let change = Change::new(allowed.org.id, id)
            .after(json!({"name": view.name, "apis": view.apis, "state": view.state}))
            .feed(Topic::Verifier, None, id);
        Ok((VerifierWithSecret { verifier: view, token: minted.text.expose_secret().to_owned() }, change.into()))
    }
}

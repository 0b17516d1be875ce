//! Make an organization key.

use super::plan::{Body, plan};
use super::view::{OrganizationKeyView, OrganizationKeyWithSecret};
use crate::authn::mint::mint;
use crate::db::feed::Topic;
use crate::db::tokens::{Part, Token};
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::{Act, Change, Changes, Mutation};
use secrecy::ExposeSecret as _;
use serde_json::json;
use tegata_core::credential::{CredentialKind, CredentialState, PartState};
use tegata_core::ids::{GrantId, TokenId};
use tegata_core::operations::{self, Operation};
use tegata_core::owner::Owner;
use tegata_core::problem::{Code, Problem};
use tegata_core::secret::SecretKind;

/// Most live keys of one organization.
const LIVE_MAX: i64 = 200;

/// Make an organization key.
pub struct CreateOrganizationKey {
    /// The organization.
    pub org: String,
    /// What it shall be.
    pub body: Body,
}

impl Mutation for CreateOrganizationKey {
    const OPERATION: &'static Operation = operations::ORGANIZATION_KEY_CREATE;
    type Output = OrganizationKeyWithSecret;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Self::Output, Changes), Problem> {
        let allowed = act.require(Self::OPERATION, &self.org).await?;
        let plan = plan(act, &allowed, &self.body).await?;
        let (app, now, org) = (act.app, act.now, &allowed.org);
        let owner = Owner::Organization(org.id);
        if db::tokens::count_live(&mut act.tx, owner, now).await.map_err(internal)? >= LIVE_MAX {
            let detail = format!("the organization has {LIVE_MAX} live keys: revoke one that is no longer needed");
            return Err(Problem::new(Code::Conflict, detail));
        }
        let token = Token {
            id: act.id(TokenId::new),
            owner,
            kind: CredentialKind::OrganizationKey,
            coverage: plan.coverage,
            name: self.body.name.clone(),
            state: CredentialState::Active,
            reason: self.body.reason.clone().unwrap_or_default(),
            addresses: plan.addresses,
            created_by: act.actor.user.id,
            created_at: now,
            expires_at: plan.expires_at,
            revoked_at: None,
        };
        let minted = mint(&app.hasher, &app.entropy, &app.product, SecretKind::OrganizationKey);
        db::tokens::insert(&mut act.tx, &token).await.map_err(internal)?;
        let subject = token.id.to_string();
        db::secrets::insert(&mut act.tx, minted.digest, minted.key_id, &subject, now).await.map_err(internal)?;
        db::tokens::insert_part(&mut act.tx, org.id, token.id, now).await.map_err(internal)?;
        for grant in plan.grants {
            let grant = grant.into_grant(act.id(GrantId::new), token.id, now);
            db::grants::insert(&mut act.tx, &grant).await.map_err(internal)?;
        }
        let part = Part { org: org.id, state: PartState::Active, state_reason: None, changed_at: now };
        let view = OrganizationKeyView::of(act, org, &token, &part).await?;
        let scopes: Vec<_> =
            view.grants.iter().map(|grant| json!({"api": grant.api, "scopes": grant.scopes})).collect();
        let change = Change::new(org.id, token.id)
            .after(json!({"name": view.name, "covers": view.covers, "risks": view.risks,
                "expires_at": view.expires_at, "grants": scopes}))
            .because(self.body.reason.as_deref())
            .feed(Topic::Token, None, token.id);
        Ok((OrganizationKeyWithSecret { view, token: minted.text.expose_secret().to_owned() }, change.into()))
    }
}

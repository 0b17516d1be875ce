//! Make an access key for a service account.

use super::bounds::require_covered;
use super::secret::{Prepared, check_name, client_id};
use super::view::{AccessKeyView, AccessKeyWithSecret};
use crate::app::App;
use crate::db::access_keys::AccessKey;
use crate::db::feed::Topic;
use crate::db::tokens::Token;
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::service_accounts::look::account_here;
use crate::ops::tokens::bounds;
use crate::ops::tokens::broken::Broken;
use crate::ops::tokens::create::fields::{self, Plain};
use crate::ops::tokens::create::world::World;
use crate::ops::{Act, Caller, Change, Changes, Mutation, frame};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;
use tegata_core::credential::{Coverage, CredentialKind, CredentialState};
use tegata_core::ids::TokenId;
use tegata_core::operations::{self, Operation};
use tegata_core::owner::Owner;
use tegata_core::policy::Admission;
use tegata_core::problem::{Code, Problem};
use tegata_core::time::Timestamp;
use utoipa::ToSchema;

/// Most live keys of one service account.
const LIVE_MAX: i64 = 50;

/// An access key to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AccessKeyCreate)]
pub struct Body {
    /// What people call it; the client id begins with it: 1 to 50 of A-Z, a-z, 0-9, `-`, `_` and `.`.
    #[schema(example = "ci", max_length = 50)]
    pub name: String,
    /// Id or name of the service account that it shows.
    pub service_account: String,
    /// Its secret: 10 to 30 characters of at least three of upper-case letters, lower-case letters, digits and others; left out for
    /// one that is made.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Password, min_length = 10, max_length = 30)]
    pub secret: Option<SecretString>,
    /// When it ends: RFC 3339, at most 365 days from now; left out for never, where the organization takes that.
    #[serde(default)]
    #[schema(format = "date-time")]
    pub expires_at: Option<String>,
    /// What it is for.
    #[serde(default)]
    pub reason: Option<String>,
    /// Addresses and ranges (CIDR) that it may be shown from; none for anywhere.
    #[serde(default)]
    pub addresses: Vec<String>,
}

/// Makes an access key whose secret has been hashed.
#[derive(Debug)]
pub struct CreateAccessKey {
    org: String,
    body: Body,
    secret: Prepared,
}

impl CreateAccessKey {
    /// Hashes the secret, outside of any transaction, for callers who are known.
    pub async fn prepare(app: &App, caller: &Caller, org: String, mut body: Body) -> Result<Self, Problem> {
        frame::identify_caller(app, caller).await?;
        let secret = Prepared::of(app, body.secret.take()).await?;
        Ok(Self { org, body, secret })
    }
}

impl Mutation for CreateAccessKey {
    const OPERATION: &'static Operation = operations::ACCESS_KEY_CREATE;
    type Output = AccessKeyWithSecret;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Self::Output, Changes), Problem> {
        let allowed = act.require(Self::OPERATION, &self.org).await?;
        let (org, body, now, user) = (&allowed.org, &self.body, act.now, act.actor.user.id);
        let acting = bounds::acting_token(act).await?;
        let world = World::read(act, CredentialKind::AccessKey, org.id).await?;
        let (denied, endless) = (world.policy().admission == Admission::Deny, world.policy().without_end);
        let mut broken = Broken::default();
        broken.take("name", check_name(&body.name));
        let plain = Plain {
            name: &body.name,
            reason: body.reason.as_deref(),
            expires_at: body.expires_at.as_deref(),
            addresses: &body.addresses,
        };
        let fields = fields::read(&plain, acting.as_ref(), now, &mut broken);
        if body.expires_at.is_none() && !endless {
            broken.note("expires_at", format!("the policy of {} asks for an end: name one", org.key));
        } else if body.expires_at.is_none() && acting.is_some() {
            broken.note("expires_at", "a token makes nothing that outlives it: name an end");
        }
        let worlds = BTreeMap::from([(org.id, world)]);
        fields::check_expiry(fields.expires_at, &worlds, acting.as_ref(), now, &mut broken);
        broken.told(Code::Invalid)?;
        let secret = self.secret.get()?;
        if denied {
            let detail = format!("the policy of {} admits no credential of the kind access_key", org.key);
            return Err(Problem::new(Code::Forbidden, detail).with("reason", "policy_denied"));
        }
        let account = account_here(&mut act.tx, org.id, &body.service_account)
            .await
            .map_err(|_| Problem::field("service_account", "this organization has no such service account"))?;
        require_covered(act, &allowed, &account).await?;
        let owner = Owner::ServiceAccount(account.id);
        if db::tokens::count_live(&mut act.tx, owner, now).await.map_err(internal)? >= LIVE_MAX {
            let detail = format!("the account has {LIVE_MAX} live keys: revoke one that is no longer needed");
            return Err(Problem::new(Code::Conflict, detail));
        }
        let token = Token {
            id: act.id(TokenId::new),
            owner,
            kind: CredentialKind::AccessKey,
            coverage: Coverage::Roles,
            name: body.name.clone(),
            state: CredentialState::Active,
            reason: body.reason.clone().unwrap_or_default(),
            addresses: fields.addresses,
            created_by: user,
            created_at: now,
            expires_at: fields.expires_at.unwrap_or(Timestamp::MAX),
            revoked_at: None,
        };
        let key = AccessKey {
            org: org.id,
            token: token.id,
            client_id: client_id(act.app.entropy, &body.name),
            secret_hash: secret.hash.clone(),
        };
        db::tokens::insert(&mut act.tx, &token).await.map_err(internal)?;
        db::tokens::insert_part(&mut act.tx, org.id, token.id, now).await.map_err(internal)?;
        db::access_keys::insert(&mut act.tx, &key).await.map_err(internal)?;
        let view = AccessKeyView::read(act, org, &key).await?;
        let change = Change::new(org.id, token.id)
            .after(json!({"name": view.name, "client_id": view.client_id, "service_account": account.id.to_string(),
                "expires_at": view.expires_at}))
            .because(body.reason.as_deref())
            .feed(Topic::Token, None, token.id);
        Ok((AccessKeyWithSecret { view, secret: secret.text.expose_secret().to_owned() }, change.into()))
    }
}

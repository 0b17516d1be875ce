//! Give an access key a new secret. The client id stays, the life does not grow, and the old secret ends at once, with
//! whatever was signed in by it.

use super::bounds::require_covered;
use super::look::key_here;
use super::secret::Prepared;
use super::view::{AccessKeyView, AccessKeyWithSecret};
use crate::app::App;
use crate::db::access_keys::AccessKey;
use crate::db::feed::Topic;
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::service_accounts::look::account_here;
use crate::ops::tokens::revoke::told_reason;
use crate::ops::{Act, Caller, Change, Changes, Mutation, frame};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;
use tegata_core::ids::TokenId;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};
use utoipa::ToSchema;

/// How to replace a secret.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AccessKeyRegenerate)]
pub struct Body {
    /// The new secret, with the rules of the first; left out for one that is made.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Password, min_length = 10, max_length = 30)]
    pub secret: Option<SecretString>,
    /// Why; other people read it.
    #[serde(default)]
    pub reason: Option<String>,
}

/// Gives an access key a secret that has been hashed.
#[derive(Debug)]
pub struct RegenerateAccessKey {
    org: String,
    key: TokenId,
    reason: Option<String>,
    secret: Prepared,
}

impl RegenerateAccessKey {
    /// Hashes the secret, outside of any transaction, for callers who are known.
    pub async fn prepare(app: &App, caller: &Caller, org: String, key: TokenId, body: Body) -> Result<Self, Problem> {
        frame::identify_caller(app, caller).await?;
        let secret = Prepared::of(app, body.secret).await?;
        Ok(Self { org, key, reason: body.reason, secret })
    }
}

impl Mutation for RegenerateAccessKey {
    const OPERATION: &'static Operation = operations::ACCESS_KEY_REGENERATE;
    type Output = AccessKeyWithSecret;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Self::Output, Changes), Problem> {
        let allowed = act.require(Self::OPERATION, &self.org).await?;
        told_reason(self.reason.as_deref())?;
        let (org, now) = (&allowed.org, act.now);
        let key = key_here(act, org, self.key).await?;
        let secret = self.secret.get()?;
        let before = AccessKeyView::read(act, org, &key).await?;
        if matches!(before.state.as_str(), "revoked" | "expired") {
            return Err(Problem::new(Code::Conflict, format!("this key is {} and gets no new secret", before.state)));
        }
        let account = account_here(&mut act.tx, org.id, &before.service_account.id).await?;
        require_covered(act, &allowed, &account).await?;
        db::access_keys::set_secret(&mut act.tx, org.id, key.token, &secret.hash).await.map_err(internal)?;
        db::secrets::end_at(&mut act.tx, &key.token.to_string(), now).await.map_err(internal)?;
        let key = AccessKey { secret_hash: secret.hash.clone(), ..key };
        let view = AccessKeyView::read(act, org, &key).await?;
        let change = Change::new(org.id, key.token)
            .after(json!({"name": view.name, "client_id": view.client_id, "secret": "replaced"}))
            .because(self.reason.as_deref())
            .feed(Topic::Token, None, key.token);
        Ok((AccessKeyWithSecret { view, secret: secret.text.expose_secret().to_owned() }, change.into()))
    }
}

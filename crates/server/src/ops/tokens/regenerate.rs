//! Give a token a new secret. Its id, its grants and the end of its life stay; the old secret ends at once, or after a
//! stated overlap.

use super::bounds;
use super::look::own_token;
use super::revoke::told_reason;
use super::show::{Names, whole_state};
use super::view::TokenWithSecret;
use crate::authn::mint::mint;
use crate::db::feed::Topic;
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::own_scope::require_own_scope;
use crate::ops::{Act, Change, Changes, Mutation};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;
use tegata_core::credential::CredentialKind;
use tegata_core::ids::TokenId;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};
use tegata_core::secret::SecretKind;
use utoipa::ToSchema;

/// Longest overlap: seven days.
pub const OVERLAP_MAX_SECONDS: u64 = 7 * 86_400;

/// Give a token a new secret.
pub struct RegenerateToken {
    /// Which.
    pub token: TokenId,
    /// How.
    pub body: Body,
}

/// How to replace a secret.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = Regenerate)]
pub struct Body {
    /// How long the old secret goes on working beside the new one: 0 to 604800 seconds.
    #[schema(maximum = 604_800)]
    pub overlap_seconds: u64,
    /// Why; other people read it.
    pub reason: Option<String>,
}

/// The overlap and the reason, checked.
pub fn checked_overlap(body: &Body) -> Result<Duration, Problem> {
    told_reason(body.reason.as_deref())?;
    if body.overlap_seconds > OVERLAP_MAX_SECONDS {
        return Err(Problem::field("overlap_seconds", format!("an overlap has 0 to {OVERLAP_MAX_SECONDS} seconds")));
    }
    Ok(Duration::from_secs(body.overlap_seconds))
}

impl Mutation for RegenerateToken {
    const OPERATION: &'static Operation = operations::TOKEN_REGENERATE;
    type Output = TokenWithSecret;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Self::Output, Changes), Problem> {
        require_own_scope(act, Self::OPERATION).await?;
        let overlap = checked_overlap(&self.body)?;
        let token = own_token(act, self.token).await?;
        let (app, now, id) = (act.app, act.now, token.id);
        match whole_state(&token, now) {
            "active" => {}
            state => return Err(Problem::new(Code::Conflict, format!("this token is {state} and gets no new secret"))),
        }
        bounds::require_covered(act, &token).await?;
        let form = match token.kind {
            CredentialKind::LegacyToken => SecretKind::LegacyToken,
            _ => SecretKind::PersonalToken,
        };
        let minted = mint(&app.hasher, &app.entropy, &app.product, form);
        let subject = id.to_string();
        db::secrets::end_at(&mut act.tx, &subject, now.plus(overlap)).await.map_err(internal)?;
        db::imports::end_at(&mut act.tx, id, now.plus(overlap)).await.map_err(internal)?;
        db::secrets::insert(&mut act.tx, minted.digest, minted.key_id, &subject, now).await.map_err(internal)?;
        let view = Names::default().for_owner(app, &mut act.tx, &token, now).await.map_err(internal)?;
        let changes = db::tokens::parts(&mut act.tx, id)
            .await
            .map_err(internal)?
            .iter()
            .map(|part| {
                Change::new(part.org, id)
                    .after(json!({"name": token.name, "secret": "replaced", "old_secret_ends_at": now.plus(overlap)}))
                    .because(self.body.reason.as_deref())
                    .feed(Topic::Token, None, id)
            })
            .collect();
        let token = minted.text.expose_secret().to_owned();
        Ok((TokenWithSecret { view, token, requests: Vec::new() }, Changes { list: changes }))
    }
}

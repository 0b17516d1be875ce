//! Block, unblock and revoke one organization's part of a token.

use super::look::{show, token_here};
use crate::db::feed::Topic;
use crate::db::tokens::{Part, Token};
use crate::db::{self, DbError, WriteTx};
use crate::notices::{Notice, NoticeKind};
use crate::ops::act::internal;
use crate::ops::receipt::Receipt;
use crate::ops::requests;
use crate::ops::tokens::revoke::{Body, checked_reason};
use crate::ops::tokens::view::OrgTokenView;
use crate::ops::{Act, Allowed, Change, Changes, Mutation};
use serde_json::json;
use tegata_core::credential::{CredentialState, PartState, TransitionError};
use tegata_core::ids::{OrgId, TokenId, UserId};
use tegata_core::operations::{self, Operation};
use tegata_core::owner::Owner;
use tegata_core::problem::{Code, Problem};

/// What a change of a part is about.
pub struct OnPart {
    /// The organization.
    pub org: String,
    /// Which token.
    pub token: TokenId,
    /// Why.
    pub body: Body,
}

/// Stop this organization's part of a token for now.
pub struct BlockOrgToken(pub OnPart);

/// Let this organization's part of a token go on.
pub struct UnblockOrgToken(pub OnPart);

/// Stop this organization's part of a token for good.
pub struct RevokeOrgToken(pub OnPart);

impl Mutation for BlockOrgToken {
    const OPERATION: &'static Operation = operations::ORG_TOKEN_BLOCK;
    type Output = Receipt;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Self::Output, Changes), Problem> {
        let allowed = act.require(Self::OPERATION, &self.0.org).await?;
        let (token, _, change) = self.0.step(act, &allowed, PartState::block).await?;
        Ok((Receipt::of(token.id, "blocked"), change.into()))
    }
}

impl Mutation for UnblockOrgToken {
    const OPERATION: &'static Operation = operations::ORG_TOKEN_UNBLOCK;
    type Output = OrgTokenView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Self::Output, Changes), Problem> {
        let allowed = act.require(Self::OPERATION, &self.0.org).await?;
        let (token, part, change) = self.0.step(act, &allowed, PartState::unblock).await?;
        let view = show(act, &allowed.org, &token, &part).await?;
        Ok((view, change.into()))
    }
}

impl Mutation for RevokeOrgToken {
    const OPERATION: &'static Operation = operations::ORG_TOKEN_REVOKE;
    type Output = Receipt;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Self::Output, Changes), Problem> {
        let allowed = act.require(Self::OPERATION, &self.0.org).await?;
        let (token, _, change) = self.0.step(act, &allowed, PartState::revoke).await?;
        Ok((Receipt::of(token.id, "revoked"), change.into()))
    }
}

/// The person who owns a token, or answers for the application that does; none where neither is.
async fn answering(act: &mut Act<'_, WriteTx>, org: OrgId, token: &Token) -> Result<Option<UserId>, DbError> {
    match token.owner {
        Owner::User(owner) => Ok(Some(owner)),
        Owner::Application(id) => {
            let found = db::applications::find(act.tx(), org, &id.to_string()).await?;
            Ok(found.map(|(_, install)| install.owner))
        }
        Owner::Organization(_) | Owner::ServiceAccount(_) => Ok(None),
    }
}

/// What they are told of a part that was stopped, unless they stopped it themselves.
fn stopped(
    act: &Act<'_, WriteTx>,
    allowed: &Allowed,
    token: &Token,
    to: Option<UserId>,
    (state, reason): (PartState, Option<&str>),
) -> Notice {
    Notice {
        to: to.filter(|owner| *owner != act.actor.user.id).into_iter().collect(),
        org: Some(allowed.org.id),
        kind: NoticeKind::CredentialStopped,
        about: token.id.to_string(),
        data: json!({
            "credential": token.name,
            "organization": allowed.org.name,
            "action": state,
            "by": act.actor.user.name,
            "reason": reason,
        }),
    }
}

impl OnPart {
    /// Takes one step with this organization's part.
    pub async fn step(
        &self,
        act: &mut Act<'_, WriteTx>,
        allowed: &Allowed,
        step: fn(PartState) -> Result<PartState, TransitionError>,
    ) -> Result<(Token, Part, Change), Problem> {
        checked_reason(&self.body)?;
        let (token, part) = token_here(act, &allowed.org, self.token).await?;
        let refused = |error: TransitionError| Problem::new(Code::Conflict, error.to_string());
        if token.state == CredentialState::Revoked {
            return Err(refused(TransitionError::Revoked));
        }
        let next = step(part.state).map_err(refused)?;
        let (org, now) = (allowed.org.id, act.now);
        // A part that goes on has no reason for being stopped.
        let reason = self.body.reason.as_deref().filter(|reason| !reason.is_empty() && next != PartState::Active);
        db::tokens::set_part_state(&mut act.tx, org, token.id, part.state, next, reason, now)
            .await
            .map_err(internal)?;
        if next == PartState::Revoked {
            let by = Some(act.actor.user.id);
            requests::close::with_token(&mut act.tx, Some(org), token.id, by, now).await.map_err(internal)?;
        }
        let change = Change::new(org, token.id)
            .before(json!({"name": token.name, "state": part.state}))
            .after(json!({"name": token.name, "state": next}))
            .because(self.body.reason.as_deref())
            .feed(Topic::Token, None, token.id);
        let change = if next == PartState::Active {
            change
        } else {
            let to = answering(act, org, &token).await.map_err(internal)?;
            change.notify(stopped(act, allowed, &token, to, (next, reason)))
        };
        let changed = Part { org, state: next, state_reason: reason.map(str::to_owned), changed_at: now };
        Ok((token, changed, change))
    }
}

//! Leaving an organization: the one way, whoever says so (an administrator, the command line, an identity provider).
//!
//! With the membership, at once and for good: the organization's part of the person's tokens, with what was granted to them and what
//! they still ask for (DESIGN §4). Organization keys that they made stay or go as the policy says. What they answered for
//! waits for a successor until a deadline; see [`successions`]. Their account, and what they have elsewhere, is none of this
//! organization's business. A membership that becomes active again brings nothing of this back.

use super::administrators;
use crate::db::feed::Topic;
use crate::db::members::Member;
use crate::db::orgs::Org;
use crate::db::tokens::Token;
use crate::db::{self, DbError, WriteTx};
use crate::notices::{Notice, NoticeKind};
use crate::ops::act::internal;
use crate::ops::{Act, Change, requests, successions};
use serde_json::{Value, json};
use tegata_core::credential::{CredentialKind, GrantState, PartState};
use tegata_core::ids::{OrgId, TokenId, UserId};
use tegata_core::operations;
use tegata_core::owner::Owner;
use tegata_core::policy::LeaverAction;
use tegata_core::problem::Problem;

/// Why what a leaver had is stopped, as it is stored with it.
const LEFT: &str = "left";

/// Ends an active membership with all that goes with it; refused for the last administrator. The first of the changes tells all
/// of it; those that follow tell each thing by itself.
pub async fn leave(act: &mut Act<'_, WriteTx>, org: &Org, member: &Member) -> Result<Vec<Change>, Problem> {
    let before = administrators::count(&mut act.tx, org.id).await?;
    db::members::set_active(&mut act.tx, org.id, member.user, false).await.map_err(internal)?;
    administrators::require_one_left(&mut act.tx, before, &org.key).await?;

    let tokens = stop_tokens(act, org.id, member.user).await.map_err(internal)?;
    let policy = db::policies::get(&mut act.tx, org.id, CredentialKind::OrganizationKey).await.map_err(internal)?;
    let keys = db::tokens::keys_made_by(&mut act.tx, org.id, member.user).await.map_err(internal)?;
    let (kept, revoked) = match policy.leaver {
        LeaverAction::Keep => (keys, Vec::new()),
        LeaverAction::Revoke => (Vec::new(), keys),
    };
    let mut changes = Vec::new();
    for key in &revoked {
        changes.push(revoke_key(act, org.id, key).await.map_err(internal)?);
    }
    let opened = successions::open::of_leaver(act, org, member).await?;

    let named = |keys: &[Token]| -> Vec<Value> {
        keys.iter().map(|key| json!({"id": key.id.to_string(), "name": key.name})).collect()
    };
    let stopped: Vec<String> = tokens.iter().map(ToString::to_string).collect();
    let (_, by) = act.actor.named();
    let notice = Notice {
        to: vec![member.user],
        org: Some(org.id),
        kind: NoticeKind::MembershipDeactivated,
        about: org.id.to_string(),
        data: json!({"organization": org.name, "by": by}),
    };
    let mut left = Change::new(org.id, member.user)
        .told_as(operations::MEMBER_DEACTIVATE.id)
        .notify(notice)
        .before(json!({"state": "active"}))
        .after(json!({
            "state": "inactive",
            "tokens_revoked_here": stopped,
            "organization_keys_revoked": named(&revoked),
            "organization_keys_kept": named(&kept),
            "successions": opened.iter().map(successions::open::Opened::told).collect::<Vec<_>>(),
        }))
        .feed(Topic::Member, Some(org.id), member.user);
    for token in tokens {
        left = left.feed(Topic::Token, None, token);
    }
    changes.insert(0, left);
    changes.extend(opened.into_iter().map(|opened| opened.change));
    Ok(changes)
}

async fn stop_tokens(act: &mut Act<'_, WriteTx>, org: OrgId, owner: UserId) -> Result<Vec<TokenId>, DbError> {
    let tokens = db::tokens::parts_of_owner(&mut act.tx, org, Owner::User(owner)).await?;
    for token in &tokens {
        stop_part(act, org, *token).await?;
    }
    let (by, now) = (act.actor.person(), act.now);
    for request in db::requests::open_of_requester(&mut act.tx, org, owner).await? {
        requests::close::settle(&mut act.tx, &request, GrantState::withdraw, |_| true, by, now).await?;
    }
    Ok(tokens)
}

async fn stop_part(act: &mut Act<'_, WriteTx>, org: OrgId, token: TokenId) -> Result<PartState, DbError> {
    let (by, now) = (act.actor.person(), act.now);
    let part = db::tokens::part(&mut act.tx, org, token).await?.ok_or(DbError::Changed)?;
    db::tokens::set_part_state(&mut act.tx, org, token, part.state, PartState::Revoked, Some(LEFT), now).await?;
    requests::close::with_token(&mut act.tx, Some(org), token, by, now).await?;
    Ok(part.state)
}

async fn revoke_key(act: &mut Act<'_, WriteTx>, org: OrgId, key: &Token) -> Result<Change, DbError> {
    let before = stop_part(act, org, key.id).await?;
    Ok(Change::new(org, key.id)
        .told_as(operations::ORGANIZATION_KEY_REVOKE.id)
        .before(json!({"name": key.name, "state": before}))
        .after(json!({"name": key.name, "state": PartState::Revoked, "because": LEFT}))
        .feed(Topic::Token, None, key.id))
}

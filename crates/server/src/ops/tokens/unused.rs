//! Credentials that nobody has used for as long as the policy for their kind says: each organization's part of them is revoked,
//! for good, as if somebody had done it by hand.
//!
//! The time counts from the latest of: the last use there, when it was made or last blocked or let go on there, and the last
//! change of the organization's policy for the kind. So whoever sets a number of days, or admits a kind again, stops nothing
//! at once. What is blocked, what ends by itself and what the policy denies meanwhile is left alone.

use crate::app::App;
use crate::db::feed::Topic;
use crate::db::orgs::Org;
use crate::db::policies::Unused;
use crate::db::tokens::Token;
use crate::db::{self, DbError, WriteTx};
use crate::maintenance::note::note;
use crate::maintenance::stops::Stop;
use crate::maintenance::stops::kind_of;
use crate::notices::{self, Notice, NoticeKind};
use crate::ops::requests;
use serde_json::json;
use tegata_core::credential::{CredentialKind, PartState};
use tegata_core::ids::{OrgId, TokenId, UserId};
use tegata_core::operations::{self, Operation};
use tegata_core::owner::Owner;
use tegata_core::time::Timestamp;

/// Most parts of one organization that are looked at in one round; the others wait for the next.
const ROUND_MAX: i64 = 1_000;

/// Revokes what was not used for too long, each in a transaction of its own.
pub async fn overdue(app: &App) -> Result<(), DbError> {
    // A restored server that was not opened stops nothing by itself: it may not know of the last uses.
    if !app.verify.lease().holds() {
        return Ok(());
    }
    let now = app.clock.now();
    let mut tx = app.db.read().await?;
    let policies = db::policies::unused(&mut tx).await?;
    drop(tx);
    for policy in policies.into_iter().filter(|policy| policy.changed_at <= now.minus(policy.after)) {
        let mut tx = app.db.read().await?;
        let before = now.minus(policy.after);
        let parts = db::uses::unused_since(&mut tx, policy.org, policy.kind, (before, now), ROUND_MAX).await?;
        drop(tx);
        for token in parts {
            revoke(app, &policy, token).await?;
        }
    }
    Ok(())
}

async fn revoke(app: &App, policy: &Unused, id: TokenId) -> Result<(), DbError> {
    let (mut tx, now, org) = (app.db.write().await?, app.clock.now(), policy.org);
    // The policy may have been changed since, and the credential used.
    let unchanged = db::policies::unused(&mut tx).await?.contains(policy);
    let before = now.minus(policy.after);
    let still = db::uses::is_unused_since(&mut tx, org, id, before).await? && !app.verify.uses().is_waiting(id, org);
    let (token, found) = (db::tokens::get(&mut tx, id).await?, db::orgs::find(&mut tx, &org.to_string()).await?);
    let (Some(token), Some(found), true) = (token, found, unchanged && still) else { return Ok(()) };
    let days = policy.after.as_secs() / 86_400;
    let reason = format!("not used for {days} days, as the policy for {} says", policy.kind);
    let (from, to) = (PartState::Active, PartState::Revoked);
    db::tokens::set_part_state(&mut tx, org, id, from, to, Some(&reason), now).await?;
    requests::close::with_token(&mut tx, Some(org), id, None, now).await?;
    let operation = operation_of(token.kind);
    let last = db::uses::last(&mut tx, org, &id.to_string()).await?;
    let after = json!({
        "name": token.name, "state": to, "reason": reason, "unused_days": days,
        "last_used_at": last.map(|last| last.to_string()),
    });
    note(&mut tx, now, Some(org), operation.id, &id.to_string(), after).await?;
    tell(app, &mut tx, &found, &token, &reason, now).await?;
    if let Some(kind) = kind_of(operation.id) {
        app.stops.note_one(Stop {
            at: now,
            sequence: tx.number(),
            kind,
            operation: operation.id.to_owned(),
            id: id.to_string(),
            org: Some(org.to_string()),
            about: None,
        });
    }
    tx.feed(Topic::Token, None, &id.to_string()).await?;
    let sequence = tx.commit().await?;
    if let Err(error) = app.stops.settle().await {
        tracing::error!(%error, "a stop is in force and not in the stops file, which a restore needs; the next stop writes it");
    }
    if app.verify.applied(sequence).await.is_err() {
        tracing::warn!(token = %id, "what was not used was revoked, and checks may tell so a little later");
    }
    Ok(())
}

/// Under which name it is told, as if somebody had done it by hand.
const fn operation_of(kind: CredentialKind) -> &'static Operation {
    match kind {
        CredentialKind::OrganizationKey => operations::ORGANIZATION_KEY_REVOKE,
        CredentialKind::AccessKey => operations::ACCESS_KEY_REVOKE,
        CredentialKind::ApplicationToken => operations::APPLICATION_TOKEN_REVOKE,
        _ => operations::ORG_TOKEN_REVOKE,
    }
}

/// Tells whoever answers for it.
async fn tell(
    app: &App,
    tx: &mut WriteTx,
    org: &Org,
    token: &Token,
    reason: &str,
    now: Timestamp,
) -> Result<(), DbError> {
    let Some(to) = answering(tx, org.id, token).await? else { return Ok(()) };
    let notice = Notice {
        to: vec![to],
        org: Some(org.id),
        kind: NoticeKind::CredentialStopped,
        about: token.id.to_string(),
        data: json!({
            "credential": token.name, "organization": org.name, "action": PartState::Revoked, "by": "Tegata",
            "reason": reason,
        }),
    };
    notices::store(tx, &app.entropy, now, &notice).await
}

async fn answering(tx: &mut WriteTx, org: OrgId, token: &Token) -> Result<Option<UserId>, DbError> {
    Ok(match token.owner {
        Owner::User(owner) => Some(owner),
        Owner::Organization(_) => Some(token.created_by),
        Owner::Application(id) => {
            db::applications::find(tx, org, &id.to_string()).await?.map(|(_, install)| install.owner)
        }
        Owner::ServiceAccount(id) => {
            db::service_accounts::find(tx, org, &id.to_string()).await?.map(|account| account.owner)
        }
    })
}

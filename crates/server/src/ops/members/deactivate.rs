//! Deactivate a membership. With it, this organization's part of the person's tokens stops for good (DESIGN §4); their
//! account, and what they have elsewhere, is none of this organization's business.

use super::{administrators, passing_on, show};
use crate::db::feed::Topic;
use crate::db::{self, DbError, WriteTx};
use crate::notices::{Notice, NoticeKind};
use crate::ops::act::internal;
use crate::ops::receipt::Receipt;
use crate::ops::requests;
use crate::ops::{Act, Change, Changes, Mutation};
use serde_json::json;
use tegata_core::credential::PartState;
use tegata_core::ids::{OrgId, TokenId, UserId};
use tegata_core::operations::{self, Operation};
use tegata_core::owner::Owner;
use tegata_core::problem::{Code, Problem};

/// Why a leaver's tokens are stopped, as it is stored with their parts.
const LEFT: &str = "left";

/// Deactivates a membership.
#[derive(Debug)]
pub struct DeactivateMember {
    /// The organization's key or id.
    pub org: String,
    /// The id of the person.
    pub user: String,
}

impl Mutation for DeactivateMember {
    const OPERATION: &'static Operation = operations::MEMBER_DEACTIVATE;
    type Output = Receipt;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Receipt, Changes), Problem> {
        let allowed = act.require(Self::OPERATION, &self.org).await?;
        let org = allowed.org.id;
        let member = show::find(&mut act.tx, org, &self.user).await?;
        if !member.active {
            return Err(Problem::new(Code::Conflict, "this membership is inactive already"));
        }
        if db::assignments::administers(&mut act.tx, org, member.user).await.map_err(internal)? {
            passing_on::require_administrator(act, &allowed).await?;
        }
        let before = administrators::count(&mut act.tx, org).await?;
        db::members::set_active(&mut act.tx, org, member.user, false).await.map_err(internal)?;
        administrators::require_one_left(&mut act.tx, before, &allowed.org.key).await?;
        let tokens = stop_tokens(act, org, member.user).await.map_err(internal)?;

        let stopped: Vec<String> = tokens.iter().map(ToString::to_string).collect();
        let notice = Notice {
            to: vec![member.user],
            org: Some(org),
            kind: NoticeKind::MembershipDeactivated,
            about: org.to_string(),
            data: json!({"organization": allowed.org.name, "by": act.actor.user.name}),
        };
        let mut change = Change::new(org, member.user)
            .notify(notice)
            .before(json!({"state": "active"}))
            .after(json!({"state": "inactive", "tokens_revoked_here": stopped}))
            .feed(Topic::Member, Some(org), member.user);
        for token in tokens {
            change = change.feed(Topic::Token, None, token);
        }
        Ok((Receipt::of(member.user, "inactive"), change.into()))
    }
}

async fn stop_tokens(act: &mut Act<'_, WriteTx>, org: OrgId, owner: UserId) -> Result<Vec<TokenId>, DbError> {
    let now = act.now;
    let tokens = db::tokens::parts_of_owner(&mut act.tx, org, Owner::User(owner)).await?;
    for token in &tokens {
        let part = db::tokens::part(&mut act.tx, org, *token).await?.ok_or(DbError::Changed)?;
        let revoked = PartState::Revoked;
        db::tokens::set_part_state(&mut act.tx, org, *token, part.state, revoked, Some(LEFT), now).await?;
        let by = Some(act.actor.user.id);
        requests::close::with_token(&mut act.tx, Some(org), *token, by, now).await?;
    }
    Ok(tokens)
}

//! Give what a leaver answered for to a named successor.

use super::look::succession_here;
use super::subject::Subject;
use super::view::SuccessionView;
use crate::db::successions::{State, Succession};
use crate::db::{self, WriteTx};
use crate::notices::{Notice, NoticeKind};
use crate::ops::act::internal;
use crate::ops::applications::holder::{managed, require_covered};
use crate::ops::service_accounts::create::member;
use crate::ops::{Act, Change, Changes, Mutation};
use serde::Deserialize;
use serde_json::json;
use tegata_core::ids::{OrgId, SuccessionId, UserId};
use tegata_core::operations::{self, Operation};
use tegata_core::owner::Owner;
use tegata_core::problem::{Code, Problem};
use utoipa::ToSchema;

/// Who takes over.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SuccessionHandOver)]
pub struct Body {
    /// Id or e-mail address of the active member who answers for it from now on.
    #[schema(example = "ann@example.com")]
    pub successor: String,
}

/// Give what a leaver answered for to a successor.
#[derive(Debug)]
pub struct HandOver {
    /// The organization.
    pub org: String,
    /// Which.
    pub succession: SuccessionId,
    /// To whom.
    pub body: Body,
}

impl Mutation for HandOver {
    const OPERATION: &'static Operation = operations::SUCCESSION_HAND_OVER;
    type Output = SuccessionView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Self::Output, Changes), Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org;
        let succession = succession_here(&mut act.tx, org.id, self.succession).await?;
        if succession.state != State::Waiting {
            let detail = match succession.state {
                State::Lapsed => "nobody took it over in time: give the service account another owner, and activate it",
                _ => {
                    "it was handed over already: change the owner of the service account, if it has to be somebody else"
                }
            };
            return Err(Problem::new(Code::Conflict, detail));
        }
        let successor = member(&mut act.tx, org.id, &self.body.successor).await;
        let successor = successor.map_err(|problem| match problem.code {
            Code::Invalid => {
                Problem::field("successor", "no active member of this organization has this id or address")
            }
            _ => problem,
        })?;
        let subject = Subject::find(&mut act.tx, org.id, succession.subject).await.map_err(internal)?;
        let subject = subject.ok_or_else(|| Problem::not_found("service account or application"))?;
        match subject.id {
            Owner::Application(id) => {
                // Which takes the right to manage it, too; and whoever answers for it can have its secrets.
                let held = managed(act, operations::APPLICATION_UPDATE, &self.org, &id.to_string()).await?;
                require_covered(act, &held).await?;
                db::applications::set_owner(&mut act.tx, org.id, id, successor).await.map_err(internal)?;
            }
            Owner::ServiceAccount(id) => {
                db::service_accounts::update(&mut act.tx, org.id, id, &subject.name, successor)
                    .await
                    .map_err(internal)?;
            }
            Owner::User(_) | Owner::Organization(_) => return Err(Problem::not_found("succession")),
        }
        let change = settle(act, org.id, &succession, &subject, successor).await?;
        let after = succession_here(&mut act.tx, org.id, self.succession).await?;
        let view = SuccessionView::of(&mut act.tx, org.id, &after).await.map_err(internal)?;
        Ok((view, change.into()))
    }
}

/// Whoever is named by hand takes over what waits for a successor, if it does.
pub async fn by_hand(
    act: &mut Act<'_, WriteTx>,
    org: OrgId,
    subject: Owner,
    owner: UserId,
) -> Result<Option<Change>, Problem> {
    let Some(succession) = db::successions::waiting_for(&mut act.tx, org, subject).await.map_err(internal)? else {
        return Ok(None);
    };
    let subject = Subject::find(&mut act.tx, org, subject).await.map_err(internal)?;
    let subject = subject.ok_or_else(Problem::internal)?;
    settle(act, org, &succession, &subject, owner).await.map(Some)
}

/// Settles a succession whose subject has another owner from now on, and tells them.
async fn settle(
    act: &mut Act<'_, WriteTx>,
    org: OrgId,
    succession: &Succession,
    subject: &Subject,
    successor: UserId,
) -> Result<Change, Problem> {
    let (by, by_name) = act.actor.named();
    let (to, now) = (State::HandedOver, act.now);
    db::successions::settle(&mut act.tx, org, succession.id, to, Some(successor), Some(&by), now)
        .await
        .map_err(internal)?;
    let leaver = db::users::get(&mut act.tx, succession.leaver).await.map_err(internal)?;
    let named = db::orgs::find(&mut act.tx, &org.to_string()).await.map_err(internal)?;
    let notice = Notice {
        to: vec![successor],
        org: Some(org),
        kind: NoticeKind::SuccessionHandedOver,
        about: succession.id.to_string(),
        data: json!({
            "organization": named.map(|org| org.name), "leaver": leaver.map(|user| user.name),
            "subject": subject.name, "by": by_name,
        }),
    };
    let (topic, of, changed) = subject.feed(org);
    Ok(Change::new(org, succession.id)
        .told_as(operations::SUCCESSION_HAND_OVER.id)
        .notify(notice)
        .before(json!({"state": State::Waiting.as_str(), "owner": succession.leaver.to_string()}))
        .after(json!({
            "state": to.as_str(), "subject": subject.id.to_string(), "name": subject.name,
            "owner": successor.to_string(),
        }))
        .feed(topic, of, changed))
}

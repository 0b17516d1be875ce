//! Take away from a credential what it did not use: what would be enough is read out of the access log, and is true from
//! the next check on.

use super::right_size::{GrantUse, Looked, grant_use, kept_days, look_back, sizable};
use super::standing::Standing;
use super::usage::{Use, Verdict};
use super::why::{CredentialView, Namer, scope};
use crate::app::App;
use crate::db::feed::Topic;
use crate::db::grants::{Decided, StoredGrant};
use crate::db::tokens::Token;
use crate::db::{self, Tx, WriteTx};
use crate::notices::{Notice, NoticeKind};
use crate::ops::act::{Reading, internal};
use crate::ops::tokens::revoke::told_reason;
use crate::ops::{Act, Caller, Change, Changes, Mutation, Query, frame};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tegata_core::credential::GrantState;
use tegata_core::ids::{OrgId, TokenId, UserId};
use tegata_core::operations::{self, Operation};
use tegata_core::owner::Owner;
use tegata_core::problem::{Code, Problem};
use utoipa::ToSchema;

/// Of what, and how far back.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ShrinkBody)]
pub struct Body {
    /// The credential (`tok_…`): a personal token or an organization key.
    pub credential: String,
    /// How many days are looked back at: 1 to 365, 90 if not said. No more than access records are kept for.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 365)]
    pub days: Option<u32>,
    /// Why; its owner reads it.
    #[serde(default)]
    pub reason: Option<String>,
}

/// What was taken away.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Shrunk)]
pub struct ShrunkView {
    /// The credential.
    pub credential: CredentialView,
    /// Since when its calls were looked at.
    pub from: String,
    /// The grants that are gone, or less now.
    pub changed: Vec<GrantUse>,
    /// How many grants that are not used as they are stay, since somebody else answers for their place.
    pub left: usize,
}

/// Take away what is not used.
pub struct Shrink {
    org: String,
    body: Body,
    looked: Looked,
    standing: Standing,
    proposals: Vec<Use>,
}

/// Whether somebody may ask for it at all: they answer for a place in which the credential was granted something.
struct May<'a> {
    org: &'a str,
    body: &'a Body,
}

/// What is asked, for those who may ask.
#[derive(Debug, Serialize, Deserialize)]
struct Asked {
    org: OrgId,
    credential: TokenId,
    days: u32,
}

impl Query for May<'_> {
    const OPERATION: &'static Operation = operations::RIGHTS_SHRINK;
    type Output = serde_json::Value;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Self::Output, Problem> {
        let (org, token) = found(act, self.org, self.body).await?;
        let kept = kept_days(act, org).await?;
        let days = look_back(self.body.days, kept).map_err(|why| Problem::field("days", why))?;
        serde_json::to_value(Asked { org, credential: token.id, days }).map_err(|_| Problem::internal())
    }
}

/// The credential, for somebody who answers for a place in which it was granted something.
async fn found<T: Reading>(act: &mut Act<'_, T>, org: &str, body: &Body) -> Result<(OrgId, Token), Problem> {
    let org = act.visible_org(org).await?;
    told_reason(body.reason.as_deref())?;
    let refused = act.require_in(operations::RIGHTS_SHRINK, org.clone(), None).await.err();
    let token = sizable(act, org.id, &body.credential)
        .await
        .map_err(|problem| Problem { code: body_code(problem.code), ..problem });
    let Some(refused) = refused else { return Ok((org.id, token?)) };
    // Whoever answers for no place of it learns that, and not what there is.
    let Ok(token) = token else { return Err(refused) };
    for grant in db::grants::of_token(act.tx(), token.id).await.map_err(internal)? {
        let counts = grant.org == org.id && grant.state == GrantState::Granted && grant.context.is_some();
        if counts && act.require_in(operations::RIGHTS_SHRINK, org.clone(), grant.context).await.is_ok() {
            return Ok((org.id, token));
        }
    }
    Err(refused)
}

/// It stands in the body here.
const fn body_code(code: Code) -> Code {
    match code {
        Code::InvalidParameter => Code::Invalid,
        other => other,
    }
}

impl Shrink {
    /// Reads the log, for whoever may ask.
    pub async fn prepare(app: &App, caller: &Caller, org: String, body: Body) -> Result<Self, Problem> {
        let may = May { org: &org, body: &body };
        let asked = frame::answer_quietly(app, caller, &may).await?;
        let asked: Asked = serde_json::from_value(asked).map_err(|_| Problem::internal())?;
        let now = app.clock.now();
        let looked = Looked::at(app, asked.org, vec![asked.credential], asked.days.into(), now).await?;
        if looked.partial() {
            let why =
                "it made more different calls than can be looked at, so nothing can be said to be unused: name fewer";
            return Err(Problem::field("days", why));
        }
        let mut tx = app.db.read().await.map_err(internal)?;
        let usage = looked.usage(app, &mut tx, asked.credential).await?;
        let (standing, usage) = usage.ok_or_else(|| Problem::not_found("credential"))?;
        Ok(Self { org, body, looked, standing, proposals: usage.grants })
    }
}

impl Mutation for Shrink {
    const OPERATION: &'static Operation = operations::RIGHTS_SHRINK;
    type Output = ShrunkView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Self::Output, Changes), Problem> {
        let (org, token) = found(act, &self.org, &self.body).await?;
        let whole = act.visible_org(&self.org).await?;
        let app = act.app;
        let stored = db::grants::of_token(&mut act.tx, token.id).await.map_err(internal)?;
        let mut names = Namer::new(app, org);
        let (mut shown, mut changes, mut allowed_in) = (Vec::new(), Vec::new(), None);
        let (mut left, mut rights, mut moved) = (0, 0, false);
        for used in &self.proposals {
            if matches!(used.verdict, Verdict::Keep | Verdict::TooNew) {
                continue;
            }
            let Some(piece) = self.standing.given.get(used.piece) else { continue };
            if act.require_in(Self::OPERATION, whole.clone(), piece.stored.context).await.is_err() {
                left += 1;
                continue;
            }
            // What was changed since the log was read is not what was judged.
            let now = stored.iter().find(|grant| grant.id == piece.stored.id);
            let Some(grant) = now.filter(|grant| is_same(grant, &piece.stored)) else {
                moved = true;
                continue;
            };
            let place = names.place(&mut act.tx, piece).await.map_err(internal)?;
            let smaller = self.smaller(act, grant, used, |name| scope(&place, name))?;
            db::grants::settle(&mut act.tx, grant.state, &smaller).await.map_err(internal)?;
            rights += grant.permissions.iter().filter(|name| !used.keep.contains(name)).count();
            let told = |grant: &StoredGrant| json!({"credential": token.id.to_string(), "permissions": grant.permissions, "state": grant.state});
            changes.push(
                Change::new(org, grant.id)
                    .before(told(grant))
                    .after(told(&smaller))
                    .because(self.body.reason.as_deref())
                    .feed(Topic::Token, None, token.id),
            );
            shown.extend(grant_use(&mut act.tx, &mut names, &self.standing, used).await?);
            allowed_in = Some(piece.stored.context);
        }
        let Some(first) = changes.pop() else {
            let why = if moved {
                "its grants were changed meanwhile: ask again"
            } else {
                "it used all that it has in places that you answer for, or has not had it for so long"
            };
            return Err(Problem::new(Code::Conflict, why));
        };
        // What is recorded of the call is what let it happen, whatever was left to others.
        act.require_in(Self::OPERATION, whole.clone(), allowed_in.flatten()).await?;
        changes.push(first.notify(self.notice(act, &token, &whole.name, rights)));
        let credential = names.credential(&mut act.tx, &token).await.map_err(internal)?;
        let view = ShrunkView { credential, from: self.looked.since().to_string(), changed: shown, left };
        Ok((view, Changes { list: changes }))
    }
}

impl Shrink {
    /// A grant as it becomes.
    fn smaller(
        &self,
        act: &Act<'_, WriteTx>,
        grant: &StoredGrant,
        used: &Use,
        scope: impl Fn(&str) -> String,
    ) -> Result<StoredGrant, Problem> {
        let mut smaller = grant.clone();
        if used.keep.is_empty() {
            smaller.state = grant.state.ungrant().map_err(|error| Problem::new(Code::Conflict, error.to_string()))?;
            let comment = self.body.reason.clone().filter(|reason| !reason.is_empty());
            smaller.decided = Some(Decided { by: Some(act.actor.user.id), at: act.now, comment });
        } else {
            // A line of a request tells what was asked for where it is less than that.
            if grant.line.is_some() && grant.asked.is_none() {
                smaller.asked = grant.permissions.first().map(|name| scope(name));
            }
            smaller.permissions.clone_from(&used.keep);
        }
        Ok(smaller)
    }

    /// What the owner is told, unless they did it themselves.
    fn notice(&self, act: &Act<'_, WriteTx>, token: &Token, organization: &str, rights: usize) -> Notice {
        let owner = match token.owner {
            Owner::User(user) => Some(user),
            _ => None,
        };
        let to: Vec<UserId> = owner.into_iter().filter(|owner| *owner != act.actor.user.id).collect();
        Notice {
            to,
            org: Some(self.looked.org()),
            kind: NoticeKind::CredentialNarrowed,
            about: token.id.to_string(),
            data: json!({
                "credential": token.name,
                "organization": organization,
                "rights": rights,
                "by": act.actor.user.name,
                "reason": self.body.reason,
            }),
        }
    }
}

/// Whether a grant is as it was when the log was read.
fn is_same(now: &StoredGrant, then: &StoredGrant) -> bool {
    now.state == then.state && now.permissions == then.permissions && now.context == then.context
}

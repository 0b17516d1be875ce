//! Who and what can do something in a place at this moment, and by what: members by their roles, credentials by the rule
//! of checks.

use super::asked::{self, At};
use super::standing::{Standing, Wish};
use super::why::{CredentialView, Namer, WhyView};
use crate::catalogues::Loaded;
use crate::db::assignments::Principal;
use crate::db::tokens::Token;
use crate::db::{self, PageAsk, Tx};
use crate::ops::act::internal;
use crate::ops::records::filters::refused;
use crate::ops::rights;
use crate::ops::view::PersonView;
use crate::ops::{Act, Page, PageRequest, Query};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;
use tegata_core::bits::{PermissionNumber, PermissionSet};
use tegata_core::ids::{OrgId, TokenId, UserId};
use tegata_core::operations::{self, Operation};
use tegata_core::permissions::{self, OWN_API, Reach};
use tegata_core::problem::{Code, Problem};
use utoipa::ToSchema;

/// How many credentials are looked at for one page.
const LOOKED_AT_MAX: i64 = 500;

/// What is asked.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = WhoCanParams)]
pub struct Params {
    /// The API, by key or id.
    #[schema(value_type = String, required = true)]
    pub api: Option<String>,
    /// The permission, by its name.
    #[schema(value_type = String, required = true)]
    pub permission: Option<String>,
    /// The place: an id, or as in scopes; the whole organization, if not said.
    pub context: Option<String>,
    /// Only `members`, or only `credentials`; first the ones, then the others, if not said.
    #[schema(value_type = Subjects, required = false)]
    pub subject: Option<String>,
    /// How many at most: 1 to 200, 50 if not said.
    #[schema(minimum = 1, maximum = 200)]
    pub limit: Option<i64>,
    /// Where to go on: the `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// Who is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
#[schema(rename_all = "snake_case", as = WhoCanSubject)]
pub enum Subjects {
    /// People, by their roles.
    Members,
    /// Tokens and keys, by the rule of checks.
    Credentials,
}

/// Somebody, or something, that can.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = WhoCan)]
pub struct WhoView {
    /// `member` or `credential`.
    #[serde(rename = "type")]
    pub subject: &'static str,
    /// The member. Where the API is not Tegata's own, they act with credentials only: these can be given as much.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<PersonView>,
    /// The credential.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<CredentialView>,
    /// Where the credential has to be shown from; absent for anywhere.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<String>,
    /// By what.
    pub by: WhyView,
}

/// Who and what can do something.
#[derive(Debug, Clone)]
pub struct WhoCan {
    /// The organization.
    pub org: String,
    /// What is asked.
    pub params: Params,
}

/// Where a page goes on.
enum After {
    Member(Option<UserId>),
    Credential(Option<String>),
}

struct Question {
    org: OrgId,
    api: Arc<Loaded>,
    permission: PermissionNumber,
    at: At,
    subjects: Option<Subjects>,
}

impl Query for WhoCan {
    const OPERATION: &'static Operation = operations::RIGHTS_WHO_CAN;
    type Output = Page<WhoView>;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Self::Output, Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org;
        let api = asked::api(act, org.id, self.params.api.as_deref()).await?;
        let permission = asked::permission(&api, self.params.permission.as_deref())?;
        let at = asked::at(act, org.id, self.params.context.as_deref()).await?;
        let subjects = self.subjects()?;
        let page = PageRequest { limit: self.params.limit, cursor: self.params.cursor.clone() };
        let ask = page.ask()?;
        let wanted = usize::try_from(page.limit()?).unwrap_or(usize::MAX);
        let after = after(ask.after.as_deref(), subjects)?;
        let publishers = api.key == OWN_API
            && self
                .params
                .permission
                .as_deref()
                .and_then(permissions::find)
                .is_some_and(|own| own.reach == Reach::Publisher);
        if publishers && !org.publisher {
            return Ok(Page { items: Vec::new(), next_cursor: None });
        }
        let question = Question { org: org.id, api, permission, at, subjects };
        let (mut items, mut next) = (Vec::new(), None);
        let credentials_after = match after {
            After::Member(after) => {
                next = question.members(act, after, wanted, &mut items).await?;
                None
            }
            After::Credential(after) => after,
        };
        if next.is_none() && question.subjects != Some(Subjects::Members) {
            next = question.credentials(act, credentials_after, wanted, &mut items).await?;
        }
        Ok(Page { items, next_cursor: next.map(|next| PageRequest::cursor_after(&next)) })
    }
}

impl WhoCan {
    fn subjects(&self) -> Result<Option<Subjects>, Problem> {
        match self.params.subject.as_deref() {
            None => Ok(None),
            Some("members") => Ok(Some(Subjects::Members)),
            Some("credentials") => Ok(Some(Subjects::Credentials)),
            Some(_) => Err(refused(Code::InvalidParameter, "subject", "write `members` or `credentials`")),
        }
    }
}

/// Cursors are the id of who or what was looked at last.
fn after(cursor: Option<&str>, subjects: Option<Subjects>) -> Result<After, Problem> {
    let Some(text) = cursor else {
        let only_credentials = subjects == Some(Subjects::Credentials);
        return Ok(if only_credentials { After::Credential(None) } else { After::Member(None) });
    };
    let (of_a_member, of_a_credential) = (text.parse::<UserId>(), text.parse::<TokenId>());
    match subjects {
        Some(Subjects::Members) | None if of_a_member.is_ok() => Ok(After::Member(of_a_member.ok())),
        Some(Subjects::Credentials) | None if of_a_credential.is_ok() => Ok(After::Credential(Some(text.to_owned()))),
        // After the last member, before the first credential.
        None if text.is_empty() => Ok(After::Credential(None)),
        _ => {
            let why = "send back a `next_cursor` as it was given, with the same question, or none to begin anew";
            Err(refused(Code::MalformedCursor, "cursor", why))
        }
    }
}

impl Question {
    fn wish(&self) -> Wish<'_> {
        self.at.wish(&self.api, self.permission)
    }

    /// Members whose roles give it, by id; the cursor to go on with where there are more.
    async fn members(
        &self,
        act: &mut Act<'_, Tx>,
        after: Option<UserId>,
        wanted: usize,
        items: &mut Vec<WhoView>,
    ) -> Result<Option<String>, Problem> {
        let (app, wish) = (act.app, self.wish());
        let mut users: BTreeSet<UserId> = BTreeSet::new();
        for place in self.at.chain.iter().copied().map(Some).chain([None]) {
            let given = db::assignments::at(&mut act.tx, self.org, place).await.map_err(internal)?;
            let held = rights::held(app, &mut act.tx, self.org, &given).await.map_err(internal)?;
            for (assignment, held) in given.iter().zip(&held) {
                if !held.rights().iter().any(|right| right.covers(self.api.id, self.permission, wish.chain)) {
                    continue;
                }
                match assignment.principal {
                    Principal::User(user) => {
                        users.insert(user);
                    }
                    Principal::Team(team) => {
                        users.extend(db::teams::members(&mut act.tx, self.org, team).await.map_err(internal)?);
                    }
                    Principal::ServiceAccount(_) => {}
                }
            }
        }
        let mut names = Namer::new(app, self.org);
        let mut last = None;
        for user in users.into_iter().filter(|user| after.is_none_or(|after| *user > after)) {
            let member = db::members::get(&mut act.tx, self.org, user).await.map_err(internal)?;
            let Some(member) = member.filter(|member| member.active && member.account_active) else { continue };
            if items.len() == wanted {
                return Ok(last);
            }
            let held = rights::of_user(app, &mut act.tx, self.org, user).await.map_err(internal)?;
            let giving = held.iter().filter(|held| {
                held.rights().iter().any(|right| right.covers(self.api.id, self.permission, wish.chain))
            });
            let roles = names.roles(&mut act.tx, giving).await.map_err(internal)?;
            items.push(WhoView {
                subject: "member",
                member: Some(PersonView::from(&member)),
                credential: None,
                addresses: Vec::new(),
                by: WhyView { roles, ..WhyView::default() },
            });
            last = Some(user.to_string());
        }
        Ok(None)
    }

    /// Credentials that the rule allows it, newest first; the cursor to go on with where there are more.
    async fn credentials(
        &self,
        act: &mut Act<'_, Tx>,
        after: Option<String>,
        wanted: usize,
        items: &mut Vec<WhoView>,
    ) -> Result<Option<String>, Problem> {
        let mut names = Namer::new(act.app, self.org);
        let mut ask = PageAsk { after, limit: LOOKED_AT_MAX };
        let tokens = db::tokens::of_org(&mut act.tx, self.org, &ask).await.map_err(internal)?;
        let more = i64::try_from(tokens.len()).is_ok_and(|looked_at| looked_at == LOOKED_AT_MAX);
        for token in tokens {
            if items.len() == wanted {
                return Ok(Some(ask.after.unwrap_or_default()));
            }
            ask.after = Some(token.id.to_string());
            if let Some(view) = self.credential(act, &mut names, token).await? {
                items.push(view);
            }
        }
        Ok(ask.after.filter(|_| more))
    }

    async fn credential(
        &self,
        act: &mut Act<'_, Tx>,
        names: &mut Namer<'_>,
        token: Token,
    ) -> Result<Option<WhoView>, Problem> {
        let (app, now, wish) = (act.app, act.now, self.wish());
        if token.revoked_at.is_some() || token.expires_at <= now {
            return Ok(None);
        }
        let standing = Standing::read(app, &mut act.tx, self.org, token).await.map_err(internal)?;
        let Some(standing) = standing else { return Ok(None) };
        if standing.decide(app, &wish, now).is_none_or(|decision| !decision.is_allowed()) {
            return Ok(None);
        }
        let reasons = standing.reasons(&wish, now);
        let permissions: PermissionSet = std::iter::once(self.permission).collect();
        let by = names.why(&mut act.tx, &standing, &reasons, &self.api, &permissions).await.map_err(internal)?;
        Ok(Some(WhoView {
            subject: "credential",
            member: None,
            credential: Some(names.credential(&mut act.tx, &standing.token).await.map_err(internal)?),
            addresses: standing.token.addresses.iter().map(ToString::to_string).collect(),
            by,
        }))
    }
}

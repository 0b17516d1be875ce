//! What credentials were granted, against what they used: which rights nobody would miss.

use super::log::{self, Wanted};
use super::standing::Standing;
use super::usage::{self, Count, Usage, Use};
use super::why::{CredentialView, Namer, scope};
use crate::app::App;
use crate::db::tokens::Token;
use crate::db::{self, PageAsk, Tx};
use crate::ops::act::internal;
use crate::ops::records::filters::refused;
use crate::ops::records::span::Span;
use crate::ops::{Act, Caller, Page, PageRequest, Query, frame};
use serde::{Deserialize, Serialize};
use tegata_core::credential::{Coverage, CredentialKind};
use tegata_core::ids::{OrgId, TokenId};
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};
use tegata_core::time::{Timestamp, days};
use tegata_record::Calls;
use utoipa::ToSchema;

/// Days that are looked back at, if not said.
const DAYS: u32 = 90;
/// How many credentials are looked at for one page.
const LOOKED_AT_MAX: i64 = 500;

/// Of what, and how far back.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = RightSizeParams)]
pub struct Params {
    /// How many days are looked back at: 1 to 365, 90 if not said. No more than access records are kept for.
    #[schema(minimum = 1, maximum = 365)]
    pub days: Option<u32>,
    /// Only this credential (`tok_…`): a personal token or an organization key.
    pub credential: Option<String>,
    /// How many at most: 1 to 200, 50 if not said.
    #[schema(minimum = 1, maximum = 200)]
    pub limit: Option<i64>,
    /// Where to go on: the `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// What a credential has in an organization, against what it used.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = RightSize)]
pub struct RightSizeView {
    /// The credential.
    pub credential: CredentialView,
    /// Since when: calls before are not looked at.
    pub from: String,
    /// How many of its calls were allowed since.
    pub calls: u64,
    /// How many of them could not be judged: their API, endpoint or place is not there now.
    pub not_judged: u64,
    /// Whether there were more different calls than were read. Then nothing can be said to be unused.
    pub partial: bool,
    /// Its grants in force.
    pub grants: Vec<GrantUse>,
}

/// A grant against what was used of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct GrantUse {
    /// Its id.
    pub id: String,
    /// The key of the API.
    pub api: String,
    /// What was granted.
    pub scopes: Vec<String>,
    /// What was used of it, what comes with what was granted included.
    pub used: Vec<UsedScope>,
    /// `keep`, `narrow`, `remove`, or `too_new`: it was not in force for the whole span, so nothing is said.
    pub proposal: &'static str,
    /// What would be enough.
    pub enough: Vec<String>,
}

/// A right that was used.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct UsedScope {
    /// What.
    pub scope: String,
    /// By how many calls.
    pub calls: u64,
    /// When last.
    pub last: String,
}

/// Show what is granted and not used.
#[derive(Debug, Clone)]
pub struct RightSize {
    /// The organization.
    pub org: String,
    /// Of what, and how far back.
    pub params: Params,
}

/// What is asked, for those who may ask.
#[derive(Debug, Serialize, Deserialize)]
struct Asked {
    org: OrgId,
    credentials: Vec<TokenId>,
    next_cursor: Option<String>,
}

impl Query for RightSize {
    const OPERATION: &'static Operation = operations::RIGHTS_UNUSED;
    type Output = serde_json::Value;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Self::Output, Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org.id;
        let kept = kept_days(act, org).await?;
        look_back(self.params.days, kept).map_err(|why| refused(Code::InvalidParameter, "days", &why))?;
        let page = PageRequest { limit: self.params.limit, cursor: self.params.cursor.clone() };
        let wanted = usize::try_from(page.limit()?).unwrap_or(usize::MAX);
        let mut asked = Asked { org, credentials: Vec::new(), next_cursor: None };
        if let Some(named) = &self.params.credential {
            asked.credentials.push(sizable(act, org, named).await?.id);
        } else {
            let mut ask = PageAsk { limit: LOOKED_AT_MAX, ..page.ask()? };
            let tokens = db::tokens::of_org(&mut act.tx, org, &ask).await.map_err(internal)?;
            let (total, mut looked_at) = (tokens.len(), 0);
            let whole = i64::try_from(total).is_ok_and(|total| total == LOOKED_AT_MAX);
            for token in tokens {
                if asked.credentials.len() == wanted {
                    break;
                }
                (looked_at, ask.after) = (looked_at + 1, Some(token.id.to_string()));
                if can_be_sized(&token) && token.revoked_at.is_none() && act.now < token.expires_at {
                    asked.credentials.push(token.id);
                }
            }
            let after = ask.after.filter(|_| whole || looked_at < total);
            asked.next_cursor = after.map(|after| PageRequest::cursor_after(&after));
        }
        serde_json::to_value(asked).map_err(|_| Problem::internal())
    }
}

impl RightSize {
    /// Answers, for whoever may ask.
    pub async fn run(self, app: &App, caller: &Caller) -> Result<Page<RightSizeView>, Problem> {
        let reply = frame::query(app, caller, &self).await?;
        let asked: Asked = serde_json::from_value(reply.body).map_err(|_| Problem::internal())?;
        let back = self.params.days.unwrap_or(DAYS).into();
        let mut items = Vec::with_capacity(asked.credentials.len());
        if !asked.credentials.is_empty() {
            let now = app.clock.now();
            let looked = Looked::at(app, asked.org, asked.credentials.clone(), back, now).await?;
            let mut tx = app.db.read().await.map_err(internal)?;
            let mut names = Namer::new(app, asked.org);
            for credential in &asked.credentials {
                if let Some((standing, usage)) = looked.usage(app, &mut tx, *credential).await? {
                    items.push(looked.view(&mut tx, &mut names, &standing, &usage).await?);
                }
            }
        }
        Ok(Page { items, next_cursor: asked.next_cursor })
    }
}

/// What is kept of the log of an organization, in days; none where everything is kept for now.
pub async fn kept_days<T: crate::ops::act::Reading>(act: &mut Act<'_, T>, org: OrgId) -> Result<Option<u32>, Problem> {
    let default = act.app.record_days;
    let own = db::retention::get(act.tx(), org).await.map_err(internal)?;
    Ok((!own.hold).then(|| own.days.unwrap_or(default)))
}

/// How many days can be looked back at.
pub fn look_back(wished: Option<u32>, kept: Option<u32>) -> Result<u32, String> {
    let wished = wished.unwrap_or(DAYS);
    match kept {
        _ if !(1..=365).contains(&wished) => Err("look back 1 to 365 days".to_owned()),
        Some(kept) if wished > kept => {
            Err(format!("access records are kept for {kept} days here, and say nothing of the time before: name fewer"))
        }
        _ => Ok(wished),
    }
}

/// Whether what a credential has is listed in grants of its own.
fn can_be_sized(token: &Token) -> bool {
    let kind = matches!(token.kind, CredentialKind::PersonalToken | CredentialKind::OrganizationKey);
    kind && token.coverage == Coverage::Listed
}

/// A credential of an organization whose grants can be compared with what it uses.
pub async fn sizable<T: crate::ops::act::Reading>(
    act: &mut Act<'_, T>,
    org: OrgId,
    named: &str,
) -> Result<Token, Problem> {
    let hidden = || Problem::not_found("credential");
    let id: TokenId = named.parse().map_err(|_| hidden())?;
    db::tokens::part(act.tx(), org, id).await.map_err(internal)?.ok_or_else(hidden)?;
    let token = db::tokens::get(act.tx(), id).await.map_err(internal)?.ok_or_else(hidden)?;
    if can_be_sized(&token) {
        return Ok(token);
    }
    let why = "only personal tokens and organization keys with listed permissions have grants of their own";
    Err(refused(Code::InvalidParameter, "credential", why))
}

/// The calls of some credentials.
pub struct Looked {
    org: OrgId,
    since: Timestamp,
    now: Timestamp,
    found: log::Found,
}

impl Looked {
    /// Reads the calls of the last days.
    pub async fn at(
        app: &App,
        org: OrgId,
        credentials: Vec<TokenId>,
        back: u64,
        now: Timestamp,
    ) -> Result<Self, Problem> {
        let since = now.minus(days(back));
        let kinds = vec![CredentialKind::PersonalToken, CredentialKind::OrganizationKey];
        let span = Span { from: since, to: now.plus(std::time::Duration::from_micros(1)) };
        let found = log::read(app, org, Wanted { kinds, credentials, addresses: false, span }).await?;
        Ok(Self { org, since, now, found })
    }

    /// Of which organization.
    pub const fn org(&self) -> OrgId {
        self.org
    }

    /// Since when.
    pub const fn since(&self) -> Timestamp {
        self.since
    }

    /// Whether there were more different calls than were read.
    pub const fn partial(&self) -> bool {
        self.found.partial
    }

    /// What one of the credentials used; none where it is no longer there.
    pub async fn usage(&self, app: &App, tx: &mut Tx, id: TokenId) -> Result<Option<(Standing, Usage)>, Problem> {
        let Some(token) = db::tokens::get(tx, id).await.map_err(internal)? else { return Ok(None) };
        let Some(standing) = Standing::read(app, tx, self.org, token).await.map_err(internal)? else {
            return Ok(None);
        };
        let text = id.to_string();
        let calls: Vec<&Calls> = self.found.calls.iter().filter(|call| call.credential == text).collect();
        let when = (self.org, self.since, self.now);
        let usage = usage::look(app, tx, &standing, &calls, when).await.map_err(internal)?;
        Ok(Some((standing, usage)))
    }

    /// The same, as it is shown.
    pub async fn view(
        &self,
        tx: &mut Tx,
        names: &mut Namer<'_>,
        standing: &Standing,
        usage: &Usage,
    ) -> Result<RightSizeView, Problem> {
        let mut grants = Vec::with_capacity(usage.grants.len());
        for used in &usage.grants {
            grants.extend(grant_use(tx, names, standing, used).await?);
        }
        Ok(RightSizeView {
            credential: names.credential(tx, &standing.token).await.map_err(internal)?,
            from: self.since.to_string(),
            calls: usage.calls,
            not_judged: usage.not_judged,
            partial: self.partial(),
            grants,
        })
    }
}

/// A grant against what was used of it, as it is shown.
pub async fn grant_use(
    tx: &mut Tx,
    names: &mut Namer<'_>,
    standing: &Standing,
    used: &Use,
) -> Result<Option<GrantUse>, Problem> {
    let Some(piece) = standing.given.get(used.piece) else { return Ok(None) };
    let place = names.place(tx, piece).await.map_err(internal)?;
    let scopes = |names: &[String]| names.iter().map(|name| scope(&place, name)).collect();
    let counted = used.used.iter().filter_map(|(number, Count { calls, last })| {
        let name = &used.api.catalogue.permission(*number)?.name;
        Some(UsedScope { scope: scope(&place, name), calls: *calls, last: last.clone() })
    });
    Ok(Some(GrantUse {
        id: piece.stored.id.to_string(),
        api: used.api.key.clone(),
        scopes: scopes(&piece.stored.permissions),
        used: counted.collect(),
        proposal: used.verdict.as_str(),
        enough: scopes(&used.keep),
    }))
}

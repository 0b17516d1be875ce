//! Everything that a credential, a person or a service account can do in an organization at this moment, and why.
//!
//! What it comes to is told for each place that makes a difference: one in which something was given, or a role, or where an
//! access policy or a policy of the context draws a line. Anywhere else, it is as in the nearest of these places above.

use super::asked::{self, At};
use super::standing::{Reasons, Standing, Wish};
use super::why::{Namer, WhyView};
use crate::catalogues::Loaded;
use crate::db::assignments::Principal;
use crate::db::{self, Tx};
use crate::ops::act::internal;
use crate::ops::records::filters::refused;
use crate::ops::rights::{self, HeldRole};
use crate::ops::tokens::show::Names;
use crate::ops::{Act, Page, PageRequest, Query};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tegata_core::bits::{PermissionNumber, PermissionSet};
use tegata_core::decide::Reason;
use tegata_core::ids::{ApplicationId, ContextId, OrgId, ServiceAccountId, TokenId, UserId};
use tegata_core::operations::{self, Operation};
use tegata_core::permissions::{self, OWN_API, Reach};
use tegata_core::problem::{Code, Problem};
use utoipa::ToSchema;

/// Of whom, and where.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = WhatCanParams)]
pub struct Params {
    /// Of what: the id of a credential (`tok_…`), an application (`app_…`), a member (`usr_…`) or a service account (`sva_…`).
    #[schema(value_type = String, required = true)]
    pub of: Option<String>,
    /// Only in this API, by key or id.
    pub api: Option<String>,
    /// Only in this place: an id, or as in scopes. Every place that makes a difference, if not said.
    pub context: Option<String>,
    /// How many places at most: 1 to 200, 50 if not said.
    #[schema(minimum = 1, maximum = 200)]
    pub limit: Option<i64>,
    /// Where to go on: the `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// What can be done in a place.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = WhatCan)]
pub struct WhatView {
    /// The place: `global`, or for example `repository:key:octo/hello`.
    pub context: String,
    /// What can be done there, by API; those in which nothing can be done are left out.
    pub apis: Vec<ApiRights>,
}

/// What can be done in an API.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ApiRights {
    /// The key of the API.
    pub api: String,
    /// What is allowed; permissions that are allowed by the same stand together.
    pub allowed: Vec<AllowedRights>,
    /// What was given or asked for and is denied all the same.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub denied: Vec<DeniedRights>,
}

/// Permissions that are allowed by the same.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AllowedRights {
    /// Their names.
    pub permissions: Vec<String>,
    /// By what.
    pub by: WhyView,
}

/// Permissions that are denied for the same reason.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DeniedRights {
    /// The reason that a check would be told.
    pub reason: &'static str,
    /// Their names.
    pub permissions: Vec<String>,
}

/// What something can do.
#[derive(Debug, Clone)]
pub struct WhatCan {
    /// The organization.
    pub org: String,
    /// Of whom, and where.
    pub params: Params,
}

/// Who is asked about.
enum Subject {
    Credential(Box<Standing>),
    /// A person or a service account, which are what their roles are; empty where they are not active.
    Principal(Vec<HeldRole>),
}

impl Query for WhatCan {
    const OPERATION: &'static Operation = operations::RIGHTS_WHAT_CAN;
    type Output = Page<WhatView>;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Self::Output, Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org;
        let subject = self.subject(act, org.id).await?;
        let apis = match self.params.api.as_deref() {
            None => asked::apis(act, org.id).await?,
            named => vec![asked::api(act, org.id, named).await?],
        };
        let page = PageRequest { limit: self.params.limit, cursor: self.params.cursor.clone() };
        let ask = page.ask()?;
        let mut places: Vec<(String, At)> = Vec::new();
        if self.params.context.is_some() {
            let at = asked::at(act, org.id, self.params.context.as_deref()).await?;
            places.push((String::new(), at));
        } else {
            // The whole organization comes first; its cursor is the empty text.
            if ask.after.is_none() {
                places.push((String::new(), At::default()));
            }
            let limit = usize::try_from(ask.limit).unwrap_or(usize::MAX);
            let past = |id: &ContextId| ask.after.as_deref().is_none_or(|after| id.to_string().as_str() > after);
            for id in subject.contexts().into_iter().filter(past).take(limit) {
                places.extend(asked::at_id(act, org.id, id).await?.map(|at| (id.to_string(), at)));
            }
        }
        let places = page.page(places, |(key, _)| key.clone(), |place| place)?;
        let mut question = Question {
            org: org.id,
            publisher: org.publisher,
            names: Names::default(),
            namer: Namer::new(act.app, org.id),
        };
        let mut items = Vec::with_capacity(places.items.len());
        for (_, at) in &places.items {
            items.push(question.place(act, &subject, &apis, at).await?);
            // A place takes some milliseconds where catalogues are large: others come in between.
            tokio::task::yield_now().await;
        }
        Ok(Page { items, next_cursor: places.next_cursor })
    }
}

impl WhatCan {
    async fn subject(&self, act: &mut Act<'_, Tx>, org: OrgId) -> Result<Subject, Problem> {
        let wrong =
            "name a credential (`tok_…`), an application (`app_…`), a member (`usr_…`) or a service account (`sva_…`)";
        let named = self.params.of.as_deref().unwrap_or_default();
        let unknown = |what| Problem::not_found(what);
        let app = act.app;
        if let Ok(user) = named.parse::<UserId>() {
            let member = db::members::get(&mut act.tx, org, user).await.map_err(internal)?;
            let member = member.ok_or_else(|| unknown("member"))?;
            let roles = rights::of_user(app, &mut act.tx, org, user).await.map_err(internal)?;
            let active = member.active && member.account_active;
            return Ok(Subject::Principal(if active { roles } else { Vec::new() }));
        }
        if let Ok(account) = named.parse::<ServiceAccountId>() {
            let found = db::service_accounts::find(&mut act.tx, org, named).await.map_err(internal)?;
            let found = found.ok_or_else(|| unknown("service account"))?;
            let principal = Principal::ServiceAccount(account);
            let given = db::assignments::of_principal(&mut act.tx, org, principal).await.map_err(internal)?;
            let roles = rights::held(app, &mut act.tx, org, &given).await.map_err(internal)?;
            return Ok(Subject::Principal(if found.active { roles } else { Vec::new() }));
        }
        let token = if named.parse::<ApplicationId>().is_ok() {
            let found = db::applications::find(&mut act.tx, org, named).await.map_err(internal)?;
            found.ok_or_else(|| unknown("application"))?.1.token
        } else {
            named.parse::<TokenId>().map_err(|_| refused(Code::InvalidParameter, "of", wrong))?
        };
        let standing = standing(act, org, token).await?.ok_or_else(|| unknown("credential"))?;
        Ok(Subject::Credential(Box::new(standing)))
    }
}

/// A credential that has a part in an organization; none where there is no such.
pub async fn standing<T: crate::ops::act::Reading>(
    act: &mut Act<'_, T>,
    org: OrgId,
    id: TokenId,
) -> Result<Option<Standing>, Problem> {
    let app = act.app;
    if db::tokens::part(act.tx(), org, id).await.map_err(internal)?.is_none() {
        return Ok(None);
    }
    let Some(token) = db::tokens::get(act.tx(), id).await.map_err(internal)? else { return Ok(None) };
    Standing::read(app, act.tx(), org, token).await.map_err(internal)
}

impl Subject {
    fn contexts(&self) -> BTreeSet<ContextId> {
        match self {
            Self::Credential(standing) => standing.contexts(),
            Self::Principal(roles) => roles.iter().filter_map(|held| held.context).collect(),
        }
    }
}

struct Question<'a> {
    org: OrgId,
    publisher: bool,
    names: Names,
    namer: Namer<'a>,
}

/// Permissions of one API in one place, by what came of them.
#[derive(Default)]
struct Sorted {
    allowed: BTreeMap<Reasons, PermissionSet>,
    denied: BTreeMap<Reason, PermissionSet>,
}

impl Question<'_> {
    async fn place(
        &mut self,
        act: &mut Act<'_, Tx>,
        subject: &Subject,
        apis: &[Arc<Loaded>],
        at: &At,
    ) -> Result<WhatView, Problem> {
        let context = self.names.place(&mut act.tx, self.org, at.chain.first().copied()).await.map_err(internal)?;
        let mut rights = Vec::new();
        for api in apis {
            let sorted = self.sort(act, subject, api, at);
            let mut allowed = Vec::with_capacity(sorted.allowed.len());
            for (reasons, set) in &sorted.allowed {
                let by = match subject {
                    Subject::Credential(standing) => {
                        self.namer.why(&mut act.tx, standing, reasons, api, set).await.map_err(internal)?
                    }
                    Subject::Principal(roles) => {
                        let held = reasons.roles.iter().filter_map(|place| roles.get(*place));
                        let roles = self.namer.roles(&mut act.tx, held).await.map_err(internal)?;
                        WhyView { roles, ..WhyView::default() }
                    }
                };
                allowed.push(AllowedRights { permissions: names(api, set), by });
            }
            let denied = sorted.denied.iter();
            let denied: Vec<DeniedRights> = denied
                .map(|(reason, set)| DeniedRights { reason: reason.as_str(), permissions: names(api, set) })
                .collect();
            if !allowed.is_empty() || !denied.is_empty() {
                rights.push(ApiRights { api: api.key.clone(), allowed, denied });
            }
        }
        Ok(WhatView { context: context.to_string(), apis: rights })
    }

    fn sort(&self, act: &Act<'_, Tx>, subject: &Subject, api: &Arc<Loaded>, at: &At) -> Sorted {
        let (mut sorted, own) = (Sorted::default(), api.key == OWN_API);
        if !own && at.kind.as_deref().is_some_and(|kind| !api.catalogue.is_type(kind)) {
            return sorted;
        }
        for permission in api.catalogue.all().iter() {
            // What is about the whole installation counts with the publisher only.
            if own && !self.publisher && is_publishers(api, permission) {
                continue;
            }
            let wish = at.wish(api, permission);
            match subject {
                Subject::Credential(standing) => sorted.add(act, standing, &wish),
                Subject::Principal(roles) => {
                    let gives = |held: &HeldRole| {
                        held.rights().iter().any(|right| right.covers(api.id, permission, wish.chain))
                    };
                    let places = roles.iter().enumerate().filter(|(_, held)| gives(held)).map(|(place, _)| place);
                    let reasons = Reasons { grants: Vec::new(), roles: places.collect() };
                    if !reasons.roles.is_empty() {
                        sorted.allowed.entry(reasons).or_default().insert(permission);
                    }
                }
            }
        }
        sorted
    }
}

impl Sorted {
    fn add(&mut self, act: &Act<'_, Tx>, standing: &Standing, wish: &Wish<'_>) {
        let Some(decision) = standing.decide(act.app, wish, act.now) else { return };
        let (reasons, reason) = (standing.reasons(wish, act.now), decision.reason());
        if decision.is_allowed() {
            self.allowed.entry(reasons).or_default().insert(wish.permission);
            return;
        }
        // What nobody ever meant it to do is not told as denied.
        let meant = match standing.beyond_grants() {
            None => !reasons.grants.is_empty() || matches!(reason, Reason::ApprovalPending | Reason::ApprovalRejected),
            Some(_) => !matches!(reason, Reason::InsufficientScope | Reason::OwnerLacksPermission),
        };
        if meant {
            self.denied.entry(reason).or_default().insert(wish.permission);
        }
    }
}

fn is_publishers(api: &Loaded, permission: PermissionNumber) -> bool {
    let name = api.catalogue.permission(permission).map(|info| info.name.as_str());
    name.and_then(permissions::find).is_some_and(|own| own.reach == Reach::Publisher)
}

fn names(api: &Loaded, set: &PermissionSet) -> Vec<String> {
    set.iter().filter_map(|number| Some(api.catalogue.permission(number)?.name.clone())).collect()
}

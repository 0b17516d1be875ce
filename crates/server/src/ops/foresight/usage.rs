//! What of a credential's grants was used by recorded calls, judged by today's facts, and how much of them would be enough.

use super::fit::fit;
use super::log::Places;
use super::standing::{Piece, Standing, Wish};
use crate::app::App;
use crate::catalogues::Loaded;
use crate::db::{self, DbError, Tx};
use crate::verify::check::{Past, What};
use crate::verify::entry::{PartEntry, Warm};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use tegata_core::bits::{PermissionNumber, PermissionSet};
use tegata_core::credential::GrantState;
use tegata_core::decide::Grant;
use tegata_core::ids::{ApiId, ContextId, OrgId};
use tegata_core::time::Timestamp;
use tegata_record::Calls;

/// How often something was used, and when last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Count {
    /// How many calls were allowed by it.
    pub calls: u64,
    /// When the last was made, RFC 3339.
    pub last: String,
}

/// What would be enough of a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// All of it is used.
    Keep,
    /// Less would do.
    Narrow,
    /// Nothing of it is used.
    Remove,
    /// It was not in force for the whole span, so nothing is said of it.
    TooNew,
}

impl Verdict {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Narrow => "narrow",
            Self::Remove => "remove",
            Self::TooNew => "too_new",
        }
    }
}

/// What of a grant was used.
#[derive(Debug, Clone)]
pub struct Use {
    /// Which: its place in [`Standing::given`].
    pub piece: usize,
    /// The API.
    pub api: Arc<Loaded>,
    /// The permissions that were used.
    pub used: BTreeMap<PermissionNumber, Count>,
    /// What would be enough.
    pub verdict: Verdict,
    /// The permissions that would be enough; all of them where nothing is said.
    pub keep: Vec<String>,
}

impl Use {
    /// Where it cannot be said that less would do.
    fn keep_all(&mut self, standing: &Standing) {
        let names = standing.given.get(self.piece).map(|piece| piece.stored.permissions.clone());
        (self.verdict, self.keep) = (Verdict::Keep, names.unwrap_or_default());
    }
}

/// What of a credential was used.
#[derive(Debug, Clone, Default)]
pub struct Usage {
    /// Allowed calls that were looked at.
    pub calls: u64,
    /// Those about which nothing can be said: their API, endpoint or place is not there now.
    pub not_judged: u64,
    /// Its grants in force.
    pub grants: Vec<Use>,
}

/// Looks at what allowed calls of a credential took. Where a call could have been allowed by more than one thing, all of
/// them count as used: nothing is taken for unused that a call may have needed.
pub async fn look(
    app: &App,
    tx: &mut Tx,
    standing: &Standing,
    calls: &[&Calls],
    (org, since, now): (OrgId, Timestamp, Timestamp),
) -> Result<Usage, DbError> {
    let (organization, mut usage, mut places) = (org.to_string(), Usage::default(), Places::default());
    let mut used: HashMap<usize, BTreeMap<PermissionNumber, Count>> = HashMap::new();
    let mut still: Vec<(String, Call)> = Vec::new();
    let mut unclear: BTreeSet<ApiId> = BTreeSet::new();
    let allowed = calls.iter().filter(|call| call.allowed > 0);
    for call in allowed {
        usage.calls += call.allowed;
        let loaded = app.catalogues.of(tx, &call.api).await?;
        let what = places.what(tx, org, call).await?;
        let Some((loaded, what)) = loaded.zip(what) else {
            usage.not_judged += call.allowed;
            continue;
        };
        // Whether it comes from an allowed address is not asked here.
        let past = Past { api: &call.api, what, organization: &organization, address: standing.address() };
        let Some(takes) = standing.takes(app, &past, now).filter(|takes| !takes.gone) else {
            usage.not_judged += call.allowed;
            continue;
        };
        if !takes.allowed && takes.needs.is_empty() {
            // It is called still, and nothing says for what: such as where the organization stopped using the API for now.
            usage.not_judged += call.allowed;
            unclear.insert(loaded.id);
            continue;
        }
        if takes.allowed {
            still.push((call.api.clone(), Call::of(what)));
        }
        let anywhere = is_about_several_places(&loaded, &what);
        for (permission, chain) in &takes.needs {
            for (place, piece) in standing.given.iter().enumerate() {
                let wish = Wish { api: &loaded, permission: *permission, kind: None, context: None, chain };
                let counts = standing.is_about(piece, &wish, now) || (anywhere && holds(piece, &wish));
                if counts {
                    let count = used.entry(place).or_default().entry(*permission).or_default();
                    count.calls += call.allowed;
                    count.last = count.last.clone().max(call.last.clone());
                }
            }
        }
    }
    for (place, piece) in standing.given.iter().enumerate() {
        let in_force = piece.stored.state == GrantState::Granted && !piece.stored.is_over(now);
        let Some(api) = app.catalogues.of(tx, &piece.stored.api.to_string()).await?.filter(|_| in_force) else {
            continue;
        };
        let used = used.remove(&place).unwrap_or_default();
        let context_type = context_type(tx, org, piece.stored.context).await?;
        let mut judged = judge(place, piece, api, used, context_type.as_deref(), since);
        if unclear.contains(&piece.stored.api) {
            judged.keep_all(standing);
        }
        usage.grants.push(judged);
    }
    // What is proposed is tried: a proposal that would lose a call is none.
    let narrowed = narrowed(standing, &usage.grants, org);
    let lost = still.iter().any(|(api, call)| {
        let past = Past { api, what: call.what(), organization: &organization, address: standing.address() };
        !standing.keeps(app, &narrowed, &past, now)
    });
    if lost {
        tracing::warn!(credential = %standing.token.id, "less than what it has would lose calls, though nothing else was used");
        for grant in &mut usage.grants {
            grant.keep_all(standing);
        }
    }
    Ok(usage)
}

/// A call that outlives what it was read from.
enum Call {
    Endpoint(String, String),
    Permission(String, Option<String>),
}

impl Call {
    fn of(what: What<'_>) -> Self {
        match what {
            What::Endpoint { method, path } => Self::Endpoint(method.to_owned(), path.to_owned()),
            What::Permission { permission, context } => {
                Self::Permission(permission.to_owned(), context.map(str::to_owned))
            }
        }
    }

    fn what(&self) -> What<'_> {
        match self {
            Self::Endpoint(method, path) => What::Endpoint { method, path },
            Self::Permission(permission, context) => What::Permission { permission, context: context.as_deref() },
        }
    }
}

/// Calls of such endpoints stand together though they may be about different places: the log keeps one place of each.
fn is_about_several_places(api: &Loaded, what: &What<'_>) -> bool {
    let What::Endpoint { method, path } = *what else { return false };
    api.catalogue.route(method, path).is_ok_and(|matched| matched.endpoint.places.len() > 1)
}

/// Whether a grant in force holds a permission, wherever that is.
fn holds(piece: &Piece, wish: &Wish<'_>) -> bool {
    let holds = |rule: &Grant| {
        rule.state == GrantState::Granted && rule.api == wish.api.id && rule.permissions.contains(wish.permission)
    };
    piece.rule.as_ref().is_some_and(holds)
}

fn judge(
    piece: usize,
    given: &Piece,
    api: Arc<Loaded>,
    used: BTreeMap<PermissionNumber, Count>,
    context_type: Option<&str>,
    since: Timestamp,
) -> Use {
    let stored = &given.stored;
    let began = stored.decided.as_ref().map_or(stored.created_at, |decided| decided.at);
    if began > since {
        return Use { piece, api, used, verdict: Verdict::TooNew, keep: stored.permissions.clone() };
    }
    let set: PermissionSet = used.keys().copied().collect();
    let keep = fit(&api.catalogue, &stored.permissions, &set, context_type);
    let verdict = match keep.as_slice() {
        [] => Verdict::Remove,
        kept if kept.len() == stored.permissions.len() && kept.iter().all(|name| stored.permissions.contains(name)) => {
            Verdict::Keep
        }
        _ => Verdict::Narrow,
    };
    Use { piece, api, used, verdict, keep }
}

/// The credential as it would be.
fn narrowed(standing: &Standing, grants: &[Use], org: OrgId) -> Warm {
    let mut warm = standing.warm.clone();
    let rules = grants.iter().filter_map(|used| {
        let piece = standing.given.get(used.piece)?;
        let numbers: PermissionSet = used.keep.iter().filter_map(|name| used.api.catalogue.number(name)).collect();
        let permissions = used.api.catalogue.with_implied(&numbers);
        let rule = Grant::new(piece.stored.api, piece.stored.context, permissions, piece.stored.state);
        (!used.keep.is_empty()).then(|| rule.within(piece.stored.until, piece.stored.access_policy))
    });
    let rules: Vec<Grant> = rules.collect();
    let is_here = |part: &&mut PartEntry| part.org == org;
    if let Some(part) = warm.token.parts.iter_mut().find(is_here) {
        part.grants = rules.into();
    }
    warm
}

async fn context_type(tx: &mut Tx, org: OrgId, context: Option<ContextId>) -> Result<Option<String>, DbError> {
    let Some(id) = context else { return Ok(None) };
    Ok(db::contexts::get(tx, org, id).await?.map(|context| context.kind))
}

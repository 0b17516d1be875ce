//! Where permissions are granted that a new catalogue no longer has: in roles that organizations defined, and in
//! tokens. The publisher learns of numbers and of role keys, never of what a token is called or whose it is.

use crate::db::orgs::Org;
use crate::db::{self, DbError, PageAsk, Tx};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use tegata_core::ids::{ApiId, OrgId, TokenId};
use tegata_core::problem::{Code, Problem};
use tegata_core::time::Timestamp;
use utoipa::ToSchema;

/// How many grants are read at a time.
const BATCH: i64 = 1000;
/// Most permissions of which the places are told in a refusal.
const TOLD_MAX: usize = 200;

/// A permission that goes while it is granted.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RemovedInUse {
    /// Its name.
    pub permission: String,
    /// Where it is granted.
    pub organizations: Vec<UsedIn>,
}

/// Where a permission is granted.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct UsedIn {
    /// The key of the organization.
    pub organization: String,
    /// Keys of its own roles that list the permission.
    pub roles: Vec<String>,
    /// How many live tokens were given it, or ask for it.
    pub tokens: usize,
}

#[derive(Default)]
struct Uses {
    roles: BTreeSet<String>,
    tokens: HashSet<TokenId>,
}

/// Where each of these permissions is granted; those that are granted nowhere are left out.
pub async fn find(tx: &mut Tx, api: ApiId, removed: &[String], now: Timestamp) -> Result<Vec<RemovedInUse>, DbError> {
    if removed.is_empty() {
        return Ok(Vec::new());
    }
    let mut uses: BTreeMap<&str, BTreeMap<OrgId, Uses>> = BTreeMap::new();
    for name in removed {
        for (org, role) in db::roles::listing_permission(tx, api, name).await? {
            uses.entry(name).or_default().entry(org).or_default().roles.insert(role);
        }
    }
    let wanted: HashSet<&str> = removed.iter().map(String::as_str).collect();
    let mut page = PageAsk { after: None, limit: BATCH };
    loop {
        let grants = db::grants::live_of_api(tx, api, now, &page).await?;
        for grant in &grants {
            for name in grant.permissions.iter().filter_map(|name| wanted.get(name.as_str())) {
                uses.entry(name).or_default().entry(grant.org).or_default().tokens.insert(grant.token);
            }
        }
        match grants.last() {
            Some(last) => page.after = Some(last.id.to_string()),
            None => break,
        }
    }
    let mut keys: HashMap<OrgId, String> = HashMap::new();
    for org in uses.values().flat_map(BTreeMap::keys) {
        if !keys.contains_key(org) {
            let found = db::orgs::find(tx, &org.to_string()).await?;
            keys.insert(*org, found.map_or_else(|| org.to_string(), |Org { key, .. }| key));
        }
    }
    let shown = |(org, uses): (OrgId, Uses)| UsedIn {
        organization: keys.get(&org).cloned().unwrap_or_default(),
        roles: uses.roles.into_iter().collect(),
        tokens: uses.tokens.len(),
    };
    Ok(uses
        .into_iter()
        .map(|(name, orgs)| RemovedInUse {
            permission: name.to_owned(),
            organizations: orgs.into_iter().map(shown).collect(),
        })
        .collect())
}

/// Why an import is refused that would take away what is granted.
pub fn refusal(removed: &[RemovedInUse]) -> Problem {
    let detail = format!(
        "{} permissions that the new catalogue no longer has are granted; send `force` to take them away from their holders",
        removed.len()
    );
    let mut problem = Problem::new(Code::InUse, detail);
    for one in removed.iter().take(TOLD_MAX) {
        let places: Vec<_> = one.organizations.iter().map(UsedIn::sentence).collect();
        problem = problem.with(format!("permissions.{}", one.permission), places.join("; "));
    }
    problem
}

impl UsedIn {
    fn sentence(&self) -> String {
        let mut parts = Vec::new();
        if !self.roles.is_empty() {
            parts.push(format!("roles {}", self.roles.join(", ")));
        }
        if self.tokens > 0 {
            parts.push(format!("{} tokens", self.tokens));
        }
        format!("{}: {}", self.organization, parts.join(" and "))
    }
}

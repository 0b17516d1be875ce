//! The organizations that a new token is for, and the API of each entry.

use super::GrantBody;
use crate::catalogues::Loaded;
use crate::db::orgs::Org;
use crate::db::{self, PageAsk};
use crate::ops::Act;
use crate::ops::act::{Reading, internal};
use crate::ops::contexts::kinds::{self, Kinds};
use crate::ops::policies::askable::Askable;
use crate::ops::rights::OwnRights;
use crate::ops::tokens::broken::Broken;
use std::sync::Arc;
use std::time::Duration;
use tegata_core::catalogue::PermissionInfo;
use tegata_core::credential::CredentialKind;
use tegata_core::ids::{ApiId, ContextId, OrgId};
use tegata_core::permissions::OWN_API;
use tegata_core::policy::{Admission, KindPolicies, KindPolicy};
use tegata_core::problem::{Code, Problem};

/// An organization, as far as it matters for a new token.
pub struct World {
    /// The organization.
    pub org: Org,
    /// What the actor may do there.
    pub rights: OwnRights,
    /// What is to be made.
    pub kind: CredentialKind,
    /// What it and its contexts allow for that kind.
    pub policies: KindPolicies,
    /// What may be asked for at all.
    pub askable: Askable,
    /// The longest life of what is made: what the organization says, or less where a place that is asked for says so.
    pub max_lifetime: Duration,
    /// The APIs that it uses, and Tegata's own.
    pub apis: Vec<Arc<Loaded>>,
    /// The context types of those APIs.
    pub kinds: Kinds,
}

impl World {
    /// Reads it.
    pub async fn read<T: Reading>(act: &mut Act<'_, T>, kind: CredentialKind, id: OrgId) -> Result<Self, Problem> {
        let app = act.app;
        let org = db::orgs::find(act.tx(), &id.to_string()).await.map_err(internal)?;
        let org = org.ok_or_else(|| Problem::not_found("organization"))?;
        let rights = act.rights_in(id).await?;
        let policies = db::policies::with_contexts(act.tx(), id, kind).await.map_err(internal)?;
        let askable = Askable::read(app, act.tx(), &org, kind).await.map_err(internal)?;
        let max_lifetime = policies.organization.max_lifetime;
        let enabled = db::orgs::apis(act.tx(), id).await.map_err(internal)?;
        let ids = enabled.iter().map(|(api, _)| api.to_string());
        let mut apis: Vec<Arc<Loaded>> = Vec::with_capacity(enabled.len() + 1);
        for key in ids.chain([OWN_API.to_owned()]) {
            let loaded = app.catalogues.of(act.tx(), &key).await.map_err(internal)?;
            apis.extend(loaded.filter(|loaded| apis.iter().all(|known| known.id != loaded.id)));
        }
        let kinds = kinds::kinds_of(app, act.tx(), id).await.map_err(internal)?;
        Ok(Self { org, rights, kind, policies, askable, max_lifetime, apis, kinds })
    }

    /// What the organization by itself allows.
    pub const fn policy(&self) -> &KindPolicy {
        &self.policies.organization
    }

    /// Whether a permission may be asked for in a place, as far as the policies say; the organization's admission is asked
    /// for by itself.
    pub fn admits_asking(&self, api: ApiId, known: &PermissionInfo, chain: &[ContextId]) -> Result<(), String> {
        let (policy, kind, org) = (self.policies.counting_in(chain), self.kind, &self.org.key);
        if policy.admission == Admission::Deny && self.policy().admission != Admission::Deny {
            return Err(format!(
                "the policy of this place, or of one above it in {org}, admits no credentials of the kind {kind}"
            ));
        }
        if !policy.level.admits(known.level) {
            let (name, level) = (&known.name, known.level.as_str());
            let whose = if self.policy().level.admits(known.level) { "this place, or one above it in " } else { "" };
            return Err(format!(
                "{whose}{org} lets credentials of this kind read only, and `{name}` has the level {level}"
            ));
        }
        self.askable.admits(api, known, chain)
    }

    /// The API of an entry, as far as this organization uses it.
    pub fn api(&self, grant: &GrantBody, at: &str, broken: &mut Broken) -> Option<Arc<Loaded>> {
        let field = format!("{at}.api");
        if let Some(named) = &grant.api {
            let found = self.apis.iter().find(|api| api.key == *named || api.id.to_string() == *named);
            if found.is_none() {
                broken.note(field, format!("{} uses no such API", self.org.key));
            }
            return found.map(Arc::clone);
        }
        let mut others = self.apis.iter().filter(|api| api.key != OWN_API);
        match (others.next(), others.next()) {
            (Some(only), None) => Some(Arc::clone(only)),
            (None, _) => {
                broken.note(field, format!("{} uses no API yet; `{OWN_API}` is the one of this server", self.org.key));
                None
            }
            (Some(_), Some(_)) => {
                broken.note(field, format!("{} uses several APIs: name one", self.org.key));
                None
            }
        }
    }
}

/// The organization of an entry. One that does not exist and one that the actor is no member of look alike.
pub async fn organization<T: Reading>(
    act: &mut Act<'_, T>,
    grant: &GrantBody,
    at: &str,
    broken: &mut Broken,
) -> Result<Option<Org>, Problem> {
    let field = format!("{at}.organization");
    if let Some(named) = &grant.organization {
        return match act.visible_org(named).await {
            Ok(org) => Ok(Some(org)),
            Err(problem) if problem.code == Code::NotFound => {
                broken.note(field, "you are in no organization of this key or id");
                Ok(None)
            }
            Err(problem) => Err(problem),
        };
    }
    // Three are enough to tell: one of them may be the publisher's.
    let ask = PageAsk { after: None, limit: 3 };
    let mine = db::orgs::of_user(act.tx.tx(), act.actor.user.id, &ask).await.map_err(internal)?;
    let (publishers, tenants): (Vec<Org>, Vec<Org>) = mine.into_iter().partition(|org| org.publisher);
    let candidates = if tenants.is_empty() { publishers } else { tenants };
    match <[Org; 1]>::try_from(candidates) {
        Ok([only]) => Ok(Some(only)),
        Err(others) => {
            let why = if others.is_empty() { "you are in no organization" } else { "name one of your organizations" };
            broken.note(field, why);
            Ok(None)
        }
    }
}

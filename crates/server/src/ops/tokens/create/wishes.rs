//! What a new token shall be able to do, read and looked up: organizations, APIs, places and permissions. Whether its
//! owner may have it is not asked here.

use super::GrantBody;
use super::near::near;
use crate::catalogues::Loaded;
use crate::db::orgs::Org;
use crate::db::{self, PageAsk, WriteTx};
use crate::ops::Act;
use crate::ops::act::internal;
use crate::ops::contexts::kinds::{self, Kinds, Resolved};
use crate::ops::rights::OwnRights;
use crate::ops::tokens::broken::Broken;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use tegata_core::bits::PermissionNumber;
use tegata_core::catalogue::PermissionInfo;
use tegata_core::credential::CredentialKind;
use tegata_core::ids::{ContextId, OrgId};
use tegata_core::operations::{Guard, OPERATIONS};
use tegata_core::permissions::{OWN_API, OWN_PERMISSIONS, Reach};
use tegata_core::policy::KindPolicy;
use tegata_core::problem::{Code, Problem};
use tegata_core::scope::{LIST_MAX, Place, Scope};

/// Most entries of `grants`.
const GRANTS_MAX: usize = 100;

/// An organization, as far as it matters for a new token.
pub struct World {
    /// The organization.
    pub org: Org,
    /// What the actor may do there.
    pub rights: OwnRights,
    /// What it allows for personal tokens.
    pub policy: KindPolicy,
    /// The APIs that it uses, and Tegata's own.
    apis: Vec<Arc<Loaded>>,
    /// The context types of those APIs.
    kinds: Kinds,
}

/// One permission in one place, as it was asked for.
pub struct Wish {
    /// Where it stands in the body.
    pub field: String,
    /// The organization.
    pub org: OrgId,
    /// The API.
    pub api: Arc<Loaded>,
    /// The place; none for the whole organization.
    pub context: Option<ContextId>,
    /// The ids of the place and of those above it, innermost first.
    pub chain: Vec<ContextId>,
    /// The place, for messages.
    pub place: Place,
    /// The permission.
    pub permission: PermissionNumber,
}

/// Everything that was asked for.
#[derive(Default)]
pub struct Wishes {
    /// The organizations.
    pub worlds: BTreeMap<OrgId, World>,
    /// The permissions.
    pub list: Vec<Wish>,
}

/// Reads what was asked for; what cannot be is noted.
pub async fn read(act: &mut Act<'_, WriteTx>, grants: &[GrantBody], broken: &mut Broken) -> Result<Wishes, Problem> {
    let mut wishes = Wishes::default();
    if grants.is_empty() || grants.len() > GRANTS_MAX {
        broken.note("grants", format!("name 1 to {GRANTS_MAX} entries, each an organization, an API and scopes"));
        return Ok(wishes);
    }
    if grants.iter().map(|grant| grant.scopes.list().len()).sum::<usize>() > LIST_MAX {
        broken.note("grants", format!("a token has at most {LIST_MAX} scopes; make two tokens"));
        return Ok(wishes);
    }
    let mut places = Places::default();
    for (place, grant) in grants.iter().enumerate() {
        let at = format!("grants[{place}]");
        let Some(org) = organization(act, grant, &at, broken).await? else { continue };
        let org = org.id;
        if let Entry::Vacant(vacant) = wishes.worlds.entry(org) {
            vacant.insert(world(act, org).await?);
        }
        let world = &wishes.worlds[&org];
        let Some(api) = api_of(world, grant, &at, broken) else { continue };
        let scopes = grant.scopes.list();
        if scopes.is_empty() {
            broken.note(format!("{at}.scopes"), "name at least one scope");
        }
        for (number, text) in scopes.into_iter().enumerate() {
            let field = format!("{at}.scopes[{number}]");
            let found = scope(act, world, &api, text, &field, &mut places, broken).await?;
            wishes.list.extend(found);
        }
    }
    Ok(wishes)
}

/// The organization of an entry. One that does not exist and one that the actor is no member of look alike.
async fn organization(
    act: &mut Act<'_, WriteTx>,
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
    let mine = db::orgs::of_user(&mut act.tx, act.actor.user.id, &ask).await.map_err(internal)?;
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

async fn world(act: &mut Act<'_, WriteTx>, id: OrgId) -> Result<World, Problem> {
    let app = act.app;
    let org = db::orgs::find(&mut act.tx, &id.to_string()).await.map_err(internal)?;
    let org = org.ok_or_else(|| Problem::not_found("organization"))?;
    let rights = act.rights_in(id).await?;
    let policy = db::policies::get(&mut act.tx, id, CredentialKind::PersonalToken).await.map_err(internal)?;
    let enabled = db::orgs::apis(&mut act.tx, id).await.map_err(internal)?;
    let ids = enabled.iter().map(|(api, _)| api.to_string());
    let mut apis: Vec<Arc<Loaded>> = Vec::with_capacity(enabled.len() + 1);
    for key in ids.chain([OWN_API.to_owned()]) {
        let loaded = app.catalogues.of(&mut act.tx, &key).await.map_err(internal)?;
        apis.extend(loaded.filter(|loaded| apis.iter().all(|known| known.id != loaded.id)));
    }
    let kinds = kinds::kinds_of(app, &mut act.tx, id).await.map_err(internal)?;
    Ok(World { org, rights, policy, apis, kinds })
}

fn api_of(world: &World, grant: &GrantBody, at: &str, broken: &mut Broken) -> Option<Arc<Loaded>> {
    let field = format!("{at}.api");
    if let Some(named) = &grant.api {
        let found = world.apis.iter().find(|api| api.key == *named || api.id.to_string() == *named);
        if found.is_none() {
            broken.note(field, format!("{} uses no such API", world.org.key));
        }
        return found.map(Arc::clone);
    }
    let mut others = world.apis.iter().filter(|api| api.key != OWN_API);
    match (others.next(), others.next()) {
        (Some(only), None) => Some(Arc::clone(only)),
        (None, _) => {
            broken.note(field, format!("{} uses no API yet; `{OWN_API}` is the one of this server", world.org.key));
            None
        }
        (Some(_), Some(_)) => {
            broken.note(field, format!("{} uses several APIs: name one", world.org.key));
            None
        }
    }
}

async fn scope(
    act: &mut Act<'_, WriteTx>,
    world: &World,
    api: &Arc<Loaded>,
    text: &str,
    field: &str,
    places: &mut Places,
    broken: &mut Broken,
) -> Result<Vec<Wish>, Problem> {
    let own = api.key == OWN_API;
    let is_type = |word: &str| {
        if own { world.kinds.is_type(word) && !begins_own_permission(word) } else { api.catalogue.is_type(word) }
    };
    let wish = |permission, context, chain, place| Wish {
        field: field.to_owned(),
        org: world.org.id,
        api: Arc::clone(api),
        context,
        chain,
        place,
        permission,
    };
    let Some(scope) = broken.take(field, Scope::parse(text, &is_type)) else {
        return Ok(Vec::new());
    };
    let Scope::Permission { place, permission } = scope else {
        let all = if own {
            Err("`**` does not reach Tegata's own API: list its permissions")
        } else {
            everything(world, api)
        };
        let all = broken.take(field, all).unwrap_or_default();
        return Ok(all.into_iter().map(|number| wish(number, None, Vec::new(), Place::Global)).collect());
    };
    let number = api.catalogue.number(&permission);
    let Some(known) = number.and_then(|number| api.catalogue.permission(number)) else {
        broken
            .note(field, format!("{} has no permission `{permission}`{}", api.key, near(&permission, &api.catalogue)));
        return Ok(Vec::new());
    };
    let Some(found) = places.find(act, world, &place).await? else {
        broken.note(field, format!("nobody registered {place} in {}", world.org.key));
        return Ok(Vec::new());
    };
    if let Err(why) = admissible(world, api, known, found.kind.as_deref()) {
        broken.note(field, why);
        return Ok(Vec::new());
    }
    Ok(vec![wish(known.number, found.context, found.chain, place)])
}

/// A place that was looked up.
#[derive(Clone)]
struct Found {
    context: Option<ContextId>,
    kind: Option<String>,
    chain: Vec<ContextId>,
}

/// The places that were looked up so far: a token has many scopes in few places, and everybody waits meanwhile.
#[derive(Default)]
struct Places(HashMap<(OrgId, Place), Option<Found>>);

impl Places {
    async fn find(
        &mut self,
        act: &mut Act<'_, WriteTx>,
        world: &World,
        place: &Place,
    ) -> Result<Option<Found>, Problem> {
        let org = world.org.id;
        if let Some(found) = self.0.get(&(org, place.clone())) {
            return Ok(found.clone());
        }
        let resolved = kinds::resolve_among(&world.kinds, &mut act.tx, org, place).await.map_err(internal)?;
        let found = match resolved {
            Resolved::Global => Some(Found { context: None, kind: None, chain: Vec::new() }),
            Resolved::Context(context) => {
                let chain = db::contexts::chain(&mut act.tx, org, context.id).await.map_err(internal)?;
                Some(Found { context: Some(context.id), kind: Some(context.kind), chain })
            }
            Resolved::Unregistered | Resolved::UnknownType => None,
        };
        self.0.insert((org, place.clone()), found.clone());
        Ok(found)
    }
}

/// Whether a permission may be granted in a place of this type at all, and could be used there.
fn admissible(world: &World, api: &Loaded, known: &PermissionInfo, kind: Option<&str>) -> Result<(), String> {
    let name = &known.name;
    if api.key == OWN_API {
        own_admissible(world, name, kind)?;
    } else if !api.catalogue.grantable_in(kind).contains(known.number) {
        let here = kind.unwrap_or("the whole organization (global)");
        return Err(format!("`{name}` cannot be granted in {here}, only in: {}", known.contexts.join(", ")));
    }
    if !world.policy.level.admits(known.level) {
        let (org, level) = (&world.org.key, known.level.as_str());
        return Err(format!("{org} lets personal tokens read only, and `{name}` has the level {level}"));
    }
    Ok(())
}

fn own_admissible(world: &World, name: &str, kind: Option<&str>) -> Result<(), String> {
    let publishers = OWN_PERMISSIONS.iter().any(|own| own.name == name && own.reach == Reach::Publisher);
    if publishers && !world.org.publisher {
        return Err(format!("`{name}` counts in the publisher's organization only"));
    }
    let in_contexts = name == "tokens:approve"
        || OPERATIONS.iter().any(|operation| matches!(operation.guard, Guard::Context(needed) if needed == name));
    if kind.is_some() && !in_contexts {
        return Err(format!("`{name}` is about the whole organization: leave the context out"));
    }
    Ok(())
}

/// A word before the colon of one of Tegata's own permissions is never a context type in their scopes.
fn begins_own_permission(word: &str) -> bool {
    OWN_PERMISSIONS.iter().any(|own| own.name.split(':').next() == Some(word))
}

/// What `**` stands for at this moment: everything of the API that the actor could be given in the whole organization.
fn everything(world: &World, api: &Loaded) -> Result<Vec<PermissionNumber>, &'static str> {
    let all: Vec<PermissionNumber> = world.rights.with_authority(|authority| {
        let usable = |number: &PermissionNumber| {
            let known = api.catalogue.permission(*number);
            known.is_some_and(|known| {
                world.policy.level.admits(known.level) && authority.covers_all(api.id, &known.with_implied, &[]).is_ok()
            })
        };
        api.catalogue.grantable_in(None).iter().filter(usable).collect()
    });
    if all.is_empty() {
        Err("you have nothing of this API in the whole organization that `**` could stand for")
    } else {
        Ok(all)
    }
}

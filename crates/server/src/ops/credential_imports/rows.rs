//! What a row needs of the installation: its owner, its end, and its scopes. Rows are much alike, so what was looked up is kept.

use crate::catalogues::Loaded;
use crate::db;
use crate::db::Tx;
use crate::imports::{Candidate, Kind, RowError};
use crate::ops::act::internal;
use crate::ops::tokens::bounds;
use crate::ops::tokens::broken::Broken;
use crate::ops::tokens::create::admit::{answers_for, covered};
use crate::ops::tokens::create::scopes::{self, Places};
use crate::ops::tokens::create::world::World;
use crate::ops::tokens::create::{GrantBody, ScopesBody};
use crate::ops::{Act, Allowed};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tegata_core::credential::CredentialKind;
use tegata_core::ids::{ApiId, ContextId, OrgId, ServiceAccountId, UserId};
use tegata_core::permissions::OWN_API;
use tegata_core::policy::{Admission, LIFETIME_MAX};
use tegata_core::problem::{Code, Problem};
use tegata_core::scope::LIST_MAX;
use tegata_core::time::Timestamp;

/// Sets of scopes, and owners, that are kept; beyond, they are looked up again.
const KEPT_MAX: usize = 20_000;

/// Permissions of one API in one place.
#[derive(Debug, Clone)]
pub(super) struct Granted {
    pub api: ApiId,
    pub context: Option<ContextId>,
    pub permissions: Vec<String>,
}

/// What a row is, looked up.
pub(super) struct Sound {
    pub owner: String,
    pub expires_at: Option<Timestamp>,
    pub grants: Arc<[Granted]>,
}

type Owned = Result<String, RowError>;
type Scoped = Result<Arc<[Granted]>, RowError>;

/// What was looked up so far.
pub(super) struct Lookups {
    org: OrgId,
    org_key: String,
    personal: World,
    organization: World,
    access: World,
    /// Tegata's own API, whose permissions say who answers for a place.
    own: Arc<Loaded>,
    /// When the token that acts ends, where one does.
    latest: Option<Timestamp>,
    places: Places,
    owners: HashMap<(Kind, String), Owned>,
    scopes: HashMap<(Kind, Option<String>, String), Scoped>,
    accounts: BTreeSet<ServiceAccountId>,
}

impl Lookups {
    pub async fn begin(act: &mut Act<'_, Tx>, allowed: &Allowed) -> Result<Self, Problem> {
        let org = allowed.org.id;
        let acting = bounds::acting_token(act).await?;
        if acting.as_ref().is_some_and(|acting| !acting.addresses.is_empty()) {
            let detail = "the token that acts counts from some addresses only, and what is imported from any: sign in";
            return Err(Problem::new(Code::BeyondOwnRights, detail));
        }
        let app = act.app;
        let own = app.catalogues.of(&mut act.tx, OWN_API).await.map_err(internal)?.ok_or_else(Problem::internal)?;
        Ok(Self {
            own,
            org,
            org_key: allowed.org.key.clone(),
            personal: World::read(act, CredentialKind::PersonalToken, org).await?,
            organization: World::read(act, CredentialKind::OrganizationKey, org).await?,
            access: World::read(act, CredentialKind::AccessKey, org).await?,
            latest: acting.map(|acting| acting.expires_at),
            places: Places::default(),
            owners: HashMap::new(),
            scopes: HashMap::new(),
            accounts: BTreeSet::new(),
        })
    }

    /// The service accounts that get keys.
    pub fn accounts(&self) -> Vec<ServiceAccountId> {
        self.accounts.iter().copied().collect()
    }

    const fn world(&self, kind: Kind) -> &World {
        match kind {
            Kind::PersonalToken => &self.personal,
            Kind::OrganizationKey => &self.organization,
            Kind::AccessKey => &self.access,
        }
    }

    /// Looks up what a row needs, or names what is wrong with it.
    pub async fn sound(
        &mut self,
        act: &mut Act<'_, Tx>,
        candidate: &Candidate,
    ) -> Result<Result<Sound, Vec<RowError>>, Problem> {
        let kind = candidate.kind;
        if self.world(kind).policy().admission == Admission::Deny {
            let why = format!("the policy of {} admits no credential of this kind: change it first", self.org_key);
            return Ok(Err(vec![RowError::new("kind", why)]));
        }
        let owner = self.owner(act, candidate).await?;
        let grants = self.grants(act, candidate).await?;
        let (lifetime, grants) = match grants {
            Ok(grants) => self.in_places(act, candidate, owner.as_deref().ok(), grants).await?,
            Err(error) => (self.world(kind).max_lifetime, Err(error)),
        };
        let expires_at = self.end(candidate, lifetime, act.now);
        Ok(match (owner, expires_at, grants) {
            (Ok(owner), Ok(expires_at), Ok(grants)) => Ok(Sound { owner, expires_at, grants }),
            (owner, expires_at, grants) => {
                Err([owner.err(), expires_at.err(), grants.err()].into_iter().flatten().collect())
            }
        })
    }

    /// What the policies of the places say of what is granted there: how long it may live, and who may import it.
    async fn in_places(
        &self,
        act: &mut Act<'_, Tx>,
        candidate: &Candidate,
        owner: Option<&str>,
        grants: Arc<[Granted]>,
    ) -> Result<(Duration, Scoped), Problem> {
        let policies = &self.world(candidate.kind).policies;
        let mut lifetime = policies.organization.max_lifetime;
        if policies.contexts().is_empty() {
            return Ok((lifetime, Ok(grants)));
        }
        for context in grants.iter().filter_map(|grant| grant.context) {
            let chain = db::contexts::chain(&mut act.tx, self.org, context).await.map_err(internal)?;
            let policy = policies.counting_in(&chain);
            lifetime = lifetime.min(policy.max_lifetime);
            let own = candidate.kind == Kind::PersonalToken && owner == Some(&act.actor.user.id.to_string());
            if own && policy.four_eyes && policy.admission == Admission::Approval {
                let why = "the policy of the place asks for four eyes, and this is your own: let another administrator import it";
                return Ok((lifetime, Err(RowError::new("owner", why))));
            }
        }
        Ok((lifetime, Ok(grants)))
    }

    fn end(&self, candidate: &Candidate, lifetime: Duration, now: Timestamp) -> Result<Option<Timestamp>, RowError> {
        let policy = self.world(candidate.kind).policy();
        let wrong = |why: String| Err(RowError::new("expires_at", why));
        let latest = now.plus(lifetime.min(LIFETIME_MAX));
        let latest = self.latest.map_or(latest, |acting| latest.min(acting));
        let Some(end) = candidate.expires_at else {
            let endless = candidate.kind == Kind::AccessKey && policy.without_end && self.latest.is_none();
            return if endless { Ok(None) } else { wrong(format!("name an end, {latest} at the latest")) };
        };
        if end <= now {
            return wrong("this moment is over: leave the row out, or name a later one".to_owned());
        }
        if end > latest {
            return wrong(format!("the policy of {} lets it end at {latest} at the latest", self.org_key));
        }
        Ok(Some(end))
    }

    async fn owner(&mut self, act: &mut Act<'_, Tx>, candidate: &Candidate) -> Result<Owned, Problem> {
        let Some(named) = &candidate.owner else { return Ok(Ok(self.org.to_string())) };
        let key = (candidate.kind, named.clone());
        if let Some(known) = self.owners.get(&key) {
            return Ok(known.clone());
        }
        let found = match candidate.kind {
            Kind::AccessKey => self.account(act, named).await?,
            _ => self.member(act, named).await?,
        };
        if self.owners.len() < KEPT_MAX {
            self.owners.insert(key, found.clone());
        }
        Ok(found)
    }

    async fn account(&mut self, act: &mut Act<'_, Tx>, named: &str) -> Result<Owned, Problem> {
        let found = db::service_accounts::find(&mut act.tx, self.org, named).await.map_err(internal)?;
        Ok(match found {
            Some(account) => {
                self.accounts.insert(account.id);
                Ok(account.id.to_string())
            }
            None => Err(RowError::new("owner", "this organization has no such service account: make it first")),
        })
    }

    async fn member(&self, act: &mut Act<'_, Tx>, named: &str) -> Result<Owned, Problem> {
        // Whoever is no member here looks like nobody: no account of another organization is told of.
        let user: Option<UserId> = if named.contains('@') {
            db::users::by_email(&mut act.tx, named).await.map_err(internal)?.map(|user| user.id)
        } else {
            named.parse().ok()
        };
        let member = match user {
            Some(user) => db::members::get(&mut act.tx, self.org, user).await.map_err(internal)?,
            None => None,
        };
        let Some(user) = user.filter(|_| member.is_some_and(|member| member.active)) else {
            return Ok(Err(RowError::new("owner", "no active member has this e-mail address or id: add them first")));
        };
        let policy = self.personal.policy();
        if policy.four_eyes && policy.admission == Admission::Approval && user == act.actor.user.id {
            let why = "the policy asks for four eyes, and this is your own: let another administrator import it";
            return Ok(Err(RowError::new("owner", why)));
        }
        Ok(Ok(user.to_string()))
    }

    async fn grants(&mut self, act: &mut Act<'_, Tx>, candidate: &Candidate) -> Result<Scoped, Problem> {
        if candidate.kind == Kind::AccessKey {
            return Ok(Ok(Arc::new([])));
        }
        let key = (candidate.kind, candidate.api.clone(), candidate.scopes.clone());
        if let Some(known) = self.scopes.get(&key) {
            return Ok(known.clone());
        }
        let found = self.read_scopes(act, candidate).await?;
        if self.scopes.len() < KEPT_MAX {
            self.scopes.insert(key, found.clone());
        }
        Ok(found)
    }

    async fn read_scopes(&mut self, act: &mut Act<'_, Tx>, candidate: &Candidate) -> Result<Scoped, Problem> {
        let mut places = std::mem::take(&mut self.places);
        let read = self.scopes_among(act, candidate, &mut places).await;
        self.places = places;
        read
    }

    async fn scopes_among(
        &self,
        act: &mut Act<'_, Tx>,
        candidate: &Candidate,
        places: &mut Places,
    ) -> Result<Scoped, Problem> {
        let world = self.world(candidate.kind);
        let mut broken = Broken::default();
        let said = GrantBody {
            organization: Some(self.org_key.clone()),
            api: candidate.api.clone(),
            scopes: ScopesBody::Text(candidate.scopes.clone()),
        };
        let Some(api) = world.api(&said, "row", &mut broken) else {
            return Ok(Err(RowError::new("api", first(broken).1)));
        };
        if api.key == OWN_API {
            return Ok(Err(RowError::new(
                "api",
                "an imported key never opens Tegata's own API: make a token for that",
            )));
        }
        let list = said.scopes.list();
        if list.is_empty() || list.len() > LIST_MAX {
            return Ok(Err(RowError::new("scopes", format!("name 1 to {LIST_MAX} scopes"))));
        }
        let mut granted: BTreeMap<Option<ContextId>, BTreeSet<String>> = BTreeMap::new();
        for text in list {
            let wishes = scopes::read(act, world, &api, text, text, places, &mut broken).await?;
            for wish in wishes {
                if let Err(missing) = covered(world, &wish) {
                    let why = format!("{missing}: nobody passes on what they do not have");
                    return Ok(Err(RowError::new("scopes", why)));
                }
                // What an import brings is granted: by somebody, there in person, who could grant it to whoever asked.
                let in_person = act.actor.token.is_none();
                let asks = world.policies.counting_in(&wish.chain).admission == Admission::Approval;
                if asks && !(in_person && answers_for(world, &self.own, &wish.chain)) {
                    let why = format!(
                        "the policy of {} wants a word of whoever answers for {} (`tokens:approve`), signed in: they import it",
                        self.org_key, wish.place
                    );
                    return Ok(Err(RowError::new("scopes", why)));
                }
                let Some(known) = api.catalogue.permission(wish.permission) else { continue };
                granted.entry(wish.context).or_default().insert(known.name.clone());
            }
        }
        if !broken.is_empty() {
            let (scope, why) = first(broken);
            return Ok(Err(RowError::new("scopes", format!("{scope}: {why}"))));
        }
        let grant = |(context, names): (Option<ContextId>, BTreeSet<String>)| Granted {
            api: api.id,
            context,
            permissions: names.into_iter().collect(),
        };
        Ok(Ok(granted.into_iter().map(grant).collect()))
    }
}

/// The first of what is broken: where, and why.
fn first(broken: Broken) -> (String, String) {
    let told = broken.told(Code::Invalid).err().and_then(|problem| problem.errors.into_iter().next());
    told.map(|error| (error.field, error.message)).unwrap_or_default()
}

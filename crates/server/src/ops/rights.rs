//! What somebody may do in one organization at this moment, read from the truth: their roles, directly and through
//! teams, and the grants of the token they act with.

use crate::app::App;
use crate::authn::Actor;
use crate::catalogues::Catalogues;
use crate::db::assignments::{Assignment, Principal};
use crate::db::grants::StoredGrant;
use crate::db::{self, DbError, Tx};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use tegata_core::authority::Authority;
use tegata_core::bits::{PermissionNumber, PermissionSet};
use tegata_core::ceiling::{Ceiling, CeilingPart, Ceilings};
use tegata_core::credential::{CredentialKind, PartState};
use tegata_core::decide::{
    Acting, Alternative, Credential, Decision, Facts, Gate, Grant, Grants, Need, Organization, Part, Place, Presented,
    Target, decide,
};
use tegata_core::ids::{AccessPolicyId, ApiId, ContextId, OrgId, RoleId, TeamId, TokenId, UserId};
use tegata_core::level::Level;
use tegata_core::policy::KindPolicies;
use tegata_core::role::{Held, Right};
use tegata_core::time::Timestamp;

/// What a role holds.
#[derive(Debug, Clone)]
pub enum RoleContent {
    /// Everything, live.
    Everything,
    /// Permissions by API, with what they imply.
    Listed(Vec<(ApiId, PermissionSet)>),
}

/// A role that somebody has, in a place.
#[derive(Debug, Clone)]
pub struct HeldRole {
    /// The role.
    pub role: RoleId,
    /// The place; none for the whole organization.
    pub context: Option<ContextId>,
    /// The team that it was given to, where it was not given to them by themself.
    pub team: Option<TeamId>,
    /// What it holds.
    pub content: Arc<RoleContent>,
}

/// What an actor may do in one organization.
#[derive(Debug, Clone)]
pub struct OwnRights {
    /// Whether account and membership are active.
    pub owner_active: bool,
    /// The roles.
    pub roles: Vec<HeldRole>,
    /// The state of the token's part here; active for sessions.
    pub part_state: PartState,
    /// The grants of the token; none for a session, which is its owner.
    pub grants: Option<Vec<Grant>>,
    /// The access policies that are laid on any of them.
    pub ceilings: Vec<(AccessPolicyId, Ceiling)>,
    /// The policies for the token's kind; none for a session.
    pub policies: Option<KindPolicies>,
    /// Whether an organization key acts for itself, bounded by its grants alone. It has no roles, so it passes nothing on.
    pub for_itself: bool,
}

impl OwnRights {
    /// The roles as the rules read them.
    pub fn list(&self) -> Vec<Right<'_>> {
        rights_of(&self.roles)
    }

    /// The grants as the rules read them; `ceilings` is room for the access policies.
    pub fn grants<'a>(&'a self, ceilings: &'a mut Vec<(AccessPolicyId, &'a Ceiling)>) -> Grants<'a> {
        ceilings.extend(self.ceilings.iter().map(|(id, ceiling)| (*id, ceiling)));
        match &self.grants {
            None => Grants::Whole,
            Some(grants) => Grants::Listed(grants, Ceilings(ceilings)),
        }
    }

    /// Runs a question about what may be passed on.
    pub fn with_authority<R>(&self, ask: impl FnOnce(&Authority<'_>) -> R) -> R {
        let rights = self.list();
        let grants = match &self.grants {
            None => Grants::Whole,
            Some(grants) => Grants::Listed(grants, Ceilings::NONE),
        };
        ask(&Authority { rights: &rights, grants })
    }
}

impl HeldRole {
    /// What it gives, as the rules read it.
    pub fn rights(&self) -> Vec<Right<'_>> {
        let context = self.context;
        match self.content.as_ref() {
            RoleContent::Everything => vec![Right { context, api: None, held: Held::Everything }],
            RoleContent::Listed(list) => {
                list.iter().map(|(api, set)| Right { context, api: Some(*api), held: Held::Set(set) }).collect()
            }
        }
    }
}

/// Roles as the rules read them.
pub fn rights_of(roles: &[HeldRole]) -> Vec<Right<'_>> {
    roles.iter().flat_map(HeldRole::rights).collect()
}

/// What the actor of a call may do in an organization.
pub async fn of_actor(app: &App, tx: &mut Tx, actor: &Actor, org: OrgId) -> Result<OwnRights, DbError> {
    let (owner_active, roles) = if let Some(itself) = &actor.itself {
        (itself.org == org, Vec::new())
    } else {
        let member = db::members::get(tx, org, actor.user.id).await?;
        let active = actor.user.active && member.is_some_and(|member| member.active);
        (active, of_user(app, tx, org, actor.user.id).await?)
    };
    let for_itself = actor.itself.is_some();
    let drawn = match actor.token {
        None => Drawn { part_state: PartState::Active, grants: None, ceilings: Vec::new(), policies: None },
        Some(token) => {
            let kind = actor.itself.as_ref().map_or(CredentialKind::PersonalToken, |itself| itself.kind);
            drawn(app, tx, org, kind, token).await?
        }
    };
    Ok(drawn.of(owner_active, roles, for_itself))
}

/// What a personal token may do in an organization on Tegata's own API.
pub async fn of_personal_token(
    app: &App,
    tx: &mut Tx,
    org: OrgId,
    owner: UserId,
    token: TokenId,
) -> Result<OwnRights, DbError> {
    let member = db::members::get(tx, org, owner).await?;
    let active = member.is_some_and(|member| member.active && member.account_active);
    let roles = of_user(app, tx, org, owner).await?;
    Ok(drawn(app, tx, org, CredentialKind::PersonalToken, token).await?.of(active, roles, false))
}

/// What a token draws on in an organization.
struct Drawn {
    part_state: PartState,
    grants: Option<Vec<Grant>>,
    ceilings: Vec<(AccessPolicyId, Ceiling)>,
    policies: Option<KindPolicies>,
}

impl Drawn {
    fn of(self, owner_active: bool, roles: Vec<HeldRole>, for_itself: bool) -> OwnRights {
        let Self { part_state, grants, ceilings, policies } = self;
        OwnRights { owner_active, roles, part_state, grants, ceilings, policies, for_itself }
    }
}

async fn drawn(app: &App, tx: &mut Tx, org: OrgId, kind: CredentialKind, token: TokenId) -> Result<Drawn, DbError> {
    let part = db::tokens::part(tx, org, token).await?;
    let policies = db::policies::with_contexts(tx, org, kind).await?;
    let grants = grants_of_token(app, tx, token, org).await?;
    let mut ceilings = Vec::new();
    for id in grants.iter().filter_map(Grant::ceiling) {
        if let Some(parts) = db::access_policies::parts(tx, org, id).await? {
            ceilings.push((id, ceiling(&app.catalogues, tx, &parts).await?));
        }
    }
    // A token without a part here was never given anything here.
    let part_state = part.map_or(PartState::Active, |part| part.state);
    Ok(Drawn { part_state, grants: Some(grants), ceilings, policies: Some(policies) })
}

/// A permission of Tegata's own API in a place.
#[derive(Debug, Clone, Copy)]
pub struct OwnNeed<'a> {
    /// Tegata's own API.
    pub api: ApiId,
    /// The permission.
    pub permission: PermissionNumber,
    /// Its level.
    pub level: Level,
    /// The ids of the place and of those above it, innermost first.
    pub chain: &'a [ContextId],
}

impl OwnRights {
    /// What the rule says of a permission of Tegata's own API in a place.
    pub fn decide(
        &self,
        credential: Credential<'_>,
        need: OwnNeed<'_>,
        now: Timestamp,
        address: Option<IpAddr>,
    ) -> Decision {
        let needs = [Need { permission: need.permission, level: need.level, place: Place::Chain(need.chain) }];
        let list = self.list();
        let mut ceilings = Vec::new();
        decide(&Facts {
            gate: Gate::Open,
            now,
            address,
            presented: Presented::Known(credential),
            target: Target::AnyOf(&[Alternative { needs: &needs }]),
            organization: Organization::Known(Part {
                api: need.api,
                own_api: true,
                state: self.part_state,
                owner_active: self.owner_active,
                policies: self.policies.as_ref(),
                grants: self.grants(&mut ceilings),
                chosen: None,
                acting: if self.for_itself { Acting::Itself } else { Acting::For(&list) },
            }),
        })
    }
}

/// The roles of a user in an organization, directly and through teams.
pub async fn of_user(app: &App, tx: &mut Tx, org: OrgId, user: UserId) -> Result<Vec<HeldRole>, DbError> {
    let assignments = db::assignments::reaching_user(tx, org, user).await?;
    held(app, tx, org, &assignments).await
}

/// What was given with some roles.
pub async fn held(app: &App, tx: &mut Tx, org: OrgId, assignments: &[Assignment]) -> Result<Vec<HeldRole>, DbError> {
    let mut contents: HashMap<RoleId, Arc<RoleContent>> = HashMap::new();
    let mut held = Vec::with_capacity(assignments.len());
    for assignment in assignments {
        let role = assignment.role;
        let content = if let Some(content) = contents.get(&role) {
            Arc::clone(content)
        } else {
            let content = Arc::new(content_of_role(app, tx, org, role).await?);
            contents.insert(role, Arc::clone(&content));
            content
        };
        let team = match assignment.principal {
            Principal::Team(team) => Some(team),
            Principal::User(_) | Principal::ServiceAccount(_) => None,
        };
        held.push(HeldRole { role, context: assignment.context, team, content });
    }
    Ok(held)
}

/// What a role holds, in numbers of the catalogues as they are now.
pub async fn content_of_role(app: &App, tx: &mut Tx, org: OrgId, role: RoleId) -> Result<RoleContent, DbError> {
    let found = db::roles::find(tx, org, &role.to_string()).await?;
    if found.is_some_and(|role| role.everything) {
        return Ok(RoleContent::Everything);
    }
    let permissions = db::roles::permissions(tx, org, role).await?;
    listed(app, tx, &permissions).await
}

/// Permissions by name as sets, with what they imply; names that no longer exist fall away.
pub async fn listed(app: &App, tx: &mut Tx, permissions: &db::roles::Permissions) -> Result<RoleContent, DbError> {
    let mut list = Vec::with_capacity(permissions.len());
    for (api, names) in permissions {
        if let Some(loaded) = app.catalogues.of(tx, &api.to_string()).await? {
            let set: PermissionSet = names.iter().filter_map(|name| loaded.catalogue.number(name)).collect();
            list.push((*api, loaded.catalogue.with_implied(&set)));
        }
    }
    Ok(RoleContent::Listed(list))
}

/// What an access policy admits, in numbers of the catalogues as they are now.
pub async fn ceiling(
    catalogues: &Catalogues,
    tx: &mut Tx,
    stored: &[db::access_policies::Part],
) -> Result<Ceiling, DbError> {
    let mut parts = Vec::with_capacity(stored.len());
    for part in stored {
        if let Some(loaded) = catalogues.of(tx, &part.api.to_string()).await? {
            let set: PermissionSet = part.permissions.iter().filter_map(|name| loaded.catalogue.number(name)).collect();
            let permissions = loaded.catalogue.with_implied(&set);
            parts.push(CeilingPart { api: part.api, context: part.context, permissions });
        }
    }
    Ok(Ceiling { parts })
}

/// What a token was given in one organization.
pub async fn grants_of_token(app: &App, tx: &mut Tx, token: TokenId, org: OrgId) -> Result<Vec<Grant>, DbError> {
    let stored = db::grants::of_token(tx, token).await?;
    let mut grants = Vec::with_capacity(stored.len());
    for grant in stored.iter().filter(|grant| grant.org == org) {
        grants.extend(rule_of(app, tx, grant).await?);
    }
    Ok(grants)
}

/// A grant as the rule reads it; none where its API is no longer there.
pub async fn rule_of(app: &App, tx: &mut Tx, stored: &StoredGrant) -> Result<Option<Grant>, DbError> {
    let Some(loaded) = app.catalogues.of(tx, &stored.api.to_string()).await? else { return Ok(None) };
    let set: PermissionSet = stored.permissions.iter().filter_map(|name| loaded.catalogue.number(name)).collect();
    let permissions = loaded.catalogue.with_implied(&set);
    let lasting = Grant::new(stored.api, stored.context, permissions, stored.state);
    Ok(Some(lasting.within(stored.until, stored.access_policy)))
}

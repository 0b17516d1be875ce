//! Who sees a request, and which of its lines: the requester all of them; whoever sees all tokens of the organization,
//! too; otherwise those in places that one answers for, or has a role in.

use super::view::{AskedOf, CredentialView, DecidedView, LineView, RequestView};
use super::{approvers, own};
use crate::db::grants::{Decided, StoredGrant};
use crate::db::requests::Request;
use crate::db::tokens::Token;
use crate::db::{self, DbError};
use crate::ops::Act;
use crate::ops::act::{Reading, internal};
use crate::ops::apis::view::TextView;
use crate::ops::rights::OwnRights;
use crate::ops::tokens::show::Names;
use crate::ops::view::PersonView;
use std::collections::{BTreeSet, HashMap, HashSet};
use tegata_core::bits::PermissionNumber;
use tegata_core::credential::GrantState;
use tegata_core::ids::{ApiId, ContextId, OrgId, UserId};
use tegata_core::permissions::OWN_API;
use tegata_core::problem::{Code, Problem};
use tegata_core::request::{Relation, answers_for};
use tegata_core::scope::Scope;

/// What somebody may see and decide in one organization.
pub struct Sight {
    org: OrgId,
    rights: OwnRights,
    /// The permission that lets people decide.
    approving: (ApiId, PermissionNumber),
    sees_all: bool,
    /// Where they have a role themselves, directly or through a team.
    places: HashSet<ContextId>,
    viewer: UserId,
    in_person: bool,
    chains: HashMap<ContextId, Vec<ContextId>>,
    names: Names,
}

impl Sight {
    /// What the actor may see in an organization.
    pub async fn of<T: Reading>(act: &mut Act<'_, T>, org: OrgId) -> Result<Self, Problem> {
        let rights = act.rights_in(org).await?;
        let app = act.app;
        let own = app.catalogues.of(act.tx(), OWN_API).await.map_err(internal)?;
        let number = |name| own.as_ref().and_then(|own| Some((own.id, own.catalogue.number(name)?)));
        let absent = || Problem::new(Code::Unavailable, "the installation has not been set up yet");
        let approving = number("tokens:approve").ok_or_else(absent)?;
        let reading = number("tokens:read").ok_or_else(absent)?;
        let sees_all = rights.with_authority(|authority| authority.covers(reading.0, reading.1, &[]));
        // A token sees what it was given to see, not where its owner has roles.
        let in_person = act.actor.token.is_none();
        let places = rights.roles.iter().filter(|_| in_person).filter_map(|held| held.context).collect();
        Ok(Self {
            org,
            approving,
            sees_all,
            places,
            viewer: act.actor.user.id,
            in_person,
            rights,
            chains: HashMap::new(),
            names: Names::default(),
        })
    }

    /// The permission that lets people decide.
    pub const fn approving(&self) -> (ApiId, PermissionNumber) {
        self.approving
    }

    /// What the actor may do.
    pub const fn rights(&self) -> &OwnRights {
        &self.rights
    }

    /// What a request is to the actor.
    pub async fn relation<T: Reading>(
        &self,
        act: &mut Act<'_, T>,
        request: &Request,
        token: &Token,
    ) -> Result<Relation, DbError> {
        let own = own::people(act.tx(), request, token).await?.contains(&self.viewer);
        Ok(match (own, self.in_person) {
            (false, _) => Relation::Anothers,
            (true, true) => Relation::OwnInPerson,
            (true, false) => Relation::OwnByCredential,
        })
    }

    /// The ids of a place and of those above it, innermost first.
    pub async fn chain<T: Reading>(
        &mut self,
        act: &mut Act<'_, T>,
        context: Option<ContextId>,
    ) -> Result<Vec<ContextId>, DbError> {
        let Some(context) = context else { return Ok(Vec::new()) };
        if let Some(known) = self.chains.get(&context) {
            return Ok(known.clone());
        }
        let chain = db::contexts::chain(act.tx(), self.org, context).await?;
        self.chains.insert(context, chain.clone());
        Ok(chain)
    }

    /// Whether the actor answers for a place.
    pub fn answers_for(&self, chain: &[ContextId]) -> bool {
        self.rights.owner_active
            && self.rights.with_authority(|authority| answers_for(authority, self.approving, chain))
    }

    /// The lines of a request that the actor sees; none at all where there is no such request for them.
    pub async fn lines<T: Reading>(
        &mut self,
        act: &mut Act<'_, T>,
        request: &Request,
    ) -> Result<Vec<StoredGrant>, DbError> {
        let all = db::grants::of_request(act.tx(), request.org, request.id).await?;
        if self.sees_all || request.requester == self.viewer {
            return Ok(all);
        }
        let mut seen = Vec::new();
        for line in all {
            let chain = self.chain(act, line.context).await?;
            if line.context.is_some_and(|context| self.places.contains(&context)) || self.answers_for(&chain) {
                seen.push(line);
            }
        }
        Ok(seen)
    }

    /// The first of these lines' places that the actor answers for; the whole organization where there is none, so that
    /// they are told what they lack.
    pub async fn own_place<T: Reading>(
        &mut self,
        act: &mut Act<'_, T>,
        lines: &[StoredGrant],
    ) -> Result<Option<ContextId>, DbError> {
        for line in lines {
            let chain = self.chain(act, line.context).await?;
            if self.answers_for(&chain) {
                return Ok(line.context);
            }
        }
        Ok(None)
    }

    /// A request with these lines. `whole` tells who is asked as well.
    pub async fn view<T: Reading>(
        &mut self,
        act: &mut Act<'_, T>,
        request: &Request,
        token: &Token,
        lines: &[StoredGrant],
        whole: bool,
    ) -> Result<RequestView, DbError> {
        let requester = db::users::get(act.tx(), request.requester).await?;
        let requester = requester.ok_or_else(|| DbError::Corrupt(request.requester.to_string()))?;
        let policies = db::policies::with_contexts(act.tx(), self.org, token.kind).await?;
        let relation = self.relation(act, request, token).await?;
        let theirs = own::people(act.tx(), request, token).await?;
        let mut shown = Vec::with_capacity(lines.len());
        for line in lines {
            let chain = self.chain(act, line.context).await?;
            let waits = line.state == GrantState::Requested && act.now < request.expires_at;
            let may_look = match relation {
                Relation::Anothers => true,
                Relation::OwnInPerson => !policies.counting_in(&chain).four_eyes,
                Relation::OwnByCredential => false,
            };
            let can_decide = waits && may_look && self.answers_for(&chain);
            let asked_of = if whole && waits { Some(self.asked_of(act, &theirs, &chain).await?) } else { None };
            shown.push(LineView { can_decide, asked_of, ..self.line(act, line).await? });
        }
        Ok(RequestView {
            id: request.id.to_string(),
            organization: self.names.org(act.tx(), request.org).await?,
            credential: CredentialView {
                id: token.id.to_string(),
                kind: token.kind.as_str().to_owned(),
                name: token.name.clone(),
                expires_at: token.expires_at.to_string(),
            },
            requester: PersonView::from(&requester),
            reason: request.reason.clone(),
            state: request.state.as_str().to_owned(),
            created_at: request.created_at.to_string(),
            expires_at: request.expires_at.to_string(),
            closed_at: request.closed_at.map(|moment| moment.to_string()),
            lines: shown,
        })
    }

    async fn line<T: Reading>(&mut self, act: &mut Act<'_, T>, line: &StoredGrant) -> Result<LineView, DbError> {
        let app = act.app;
        let place = self.names.place(act.tx(), self.org, line.context).await?;
        let permission = line.permissions.first().cloned().unwrap_or_default();
        let loaded = app.catalogues.of(act.tx(), &line.api.to_string()).await?;
        let known = loaded.as_ref().and_then(|api| api.catalogue.permission(api.catalogue.number(&permission)?));
        let decided = match &line.decided {
            None => None,
            Some(Decided { by, at, comment }) => {
                let by = match by {
                    Some(user) => db::users::get(act.tx(), *user).await?,
                    None => None,
                };
                let by = by.as_ref().map(PersonView::from);
                Some(DecidedView { by, at: at.to_string(), comment: comment.clone() })
            }
        };
        Ok(LineView {
            line: line.line.map_or(0, |(_, number)| number),
            api: self.names.api(app, act.tx(), line.api).await?,
            title: known.map(|known| TextView::from(&known.title)),
            level: known.map(|known| known.level.as_str().to_owned()),
            scope: Scope::Permission { place, permission }.to_string(),
            asked: line.asked.clone(),
            state: line.state.as_str().to_owned(),
            until: line.until.map(|until| until.to_string()),
            access_policy: line.access_policy.map(|policy| policy.to_string()),
            decided,
            can_decide: false,
            asked_of: None,
        })
    }

    async fn asked_of<T: Reading>(
        &mut self,
        act: &mut Act<'_, T>,
        theirs: &BTreeSet<UserId>,
        chain: &[ContextId],
    ) -> Result<AskedOf, DbError> {
        let app = act.app;
        let asked = approvers::of_place(app, act.tx(), self.approving, self.org, chain, theirs).await?;
        Ok(AskedOf {
            place: self.names.place(act.tx(), self.org, asked.context).await?.to_string(),
            escalated: asked.escalated,
            people: asked.people.iter().map(PersonView::from).collect(),
        })
    }
}

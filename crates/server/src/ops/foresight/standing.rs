//! A credential with all that what it may do is made of: what it was given, what bounds that, and whose rights it acts on.
//! Whether it may do something is decided by the very rule and memory of checks; what is kept here says by what.

use crate::app::App;
use crate::catalogues::Loaded;
use crate::db::assignments::Assignment;
use crate::db::grants::StoredGrant;
use crate::db::tokens::Token;
use crate::db::{self, DbError, Tx};
use crate::ops::rights::{self, HeldRole, OwnNeed, OwnRights};
use crate::verify::check::{Past, Takes, What};
use crate::verify::entry::Warm;
use std::collections::BTreeSet;
use std::net::IpAddr;
use tegata_core::bits::PermissionNumber;
use tegata_core::ceiling::{Ceiling, Ceilings};
use tegata_core::credential::{Coverage, CredentialKind, GrantState};
use tegata_core::decide::{Credential, Decision, Grant, Reason};
use tegata_core::ids::{AccessPolicyId, ContextId, OrgId, TokenId};
use tegata_core::owner::Owner;
use tegata_core::permissions::OWN_API;
use tegata_core::policy::KindPolicies;
use tegata_core::time::Timestamp;

/// Something that was given, as it is stored and as the rule reads it.
#[derive(Debug, Clone)]
pub struct Piece {
    /// As it is stored.
    pub stored: StoredGrant,
    /// As the rule reads it; none where its API is no longer there.
    pub rule: Option<Grant>,
}

/// A credential in one organization.
pub struct Standing {
    /// The credential.
    pub token: Token,
    /// As the rule reads it.
    pub warm: Warm,
    /// What was given: to it, or to the application that it belongs to.
    pub given: Vec<Piece>,
    /// What it chose of that, where it lists less.
    pub chosen: Option<Vec<Piece>>,
    /// The roles of the person or service account that it acts for.
    pub roles: Vec<HeldRole>,
    ceilings: Vec<(AccessPolicyId, Ceiling)>,
    /// The policies for its kind, but for addresses.
    policies: KindPolicies,
    /// What a personal token may do on Tegata's own API.
    own: Option<OwnRights>,
    org: OrgId,
    /// Addresses of which one is allowed, if any is; none where it may come from anywhere.
    sources: Vec<Option<IpAddr>>,
}

/// A permission in a place.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// The API.
    pub api: &'a Loaded,
    /// The permission.
    pub permission: PermissionNumber,
    /// The type of the place; none for the whole organization.
    pub kind: Option<&'a str>,
    /// The place as checks write it; none for the whole organization.
    pub context: Option<&'a str>,
    /// The ids of the place and of those above it, innermost first.
    pub chain: &'a [ContextId],
}

/// By what something is allowed: where it stands in [`Standing::given`] and [`Standing::roles`].
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reasons {
    /// Grants.
    pub grants: Vec<usize>,
    /// Roles.
    pub roles: Vec<usize>,
}

impl Standing {
    /// Reads a credential in an organization; none where it is no longer there.
    pub async fn read(app: &App, tx: &mut Tx, org: OrgId, token: Token) -> Result<Option<Self>, DbError> {
        let Some(warm) = app.verify.as_stored(tx, token.id).await? else { return Ok(None) };
        let application = match (token.kind, token.owner) {
            (CredentialKind::ApplicationToken, Owner::Application(id)) => {
                db::applications::find(tx, org, &id.to_string()).await?
            }
            _ => None,
        };
        let own = pieces(app, tx, org, token.id).await?;
        let (given, chosen) = match (application, token.kind) {
            (Some((_, install)), _) => {
                let chosen = (token.coverage == Coverage::Listed).then_some(own);
                (pieces(app, tx, org, install.token).await?, chosen)
            }
            (None, CredentialKind::ApplicationToken) => (Vec::new(), None),
            (None, _) => (own, None),
        };
        let laid: BTreeSet<AccessPolicyId> = given.iter().filter_map(|piece| piece.stored.access_policy).collect();
        let mut ceilings = Vec::with_capacity(laid.len());
        for id in laid {
            if let Some(parts) = db::access_policies::parts(tx, org, id).await? {
                ceilings.push((id, rights::ceiling(&app.catalogues, tx, &parts).await?));
            }
        }
        let roles = roles_of(app, tx, org, token.owner).await?;
        let own = match (token.kind, token.owner) {
            (CredentialKind::PersonalToken, Owner::User(user)) => {
                let mut own = rights::of_personal_token(app, tx, org, user, token.id).await?;
                own.policies = own.policies.map(|policies| policies.from_anywhere());
                Some(own)
            }
            _ => None,
        };
        let policies = db::policies::with_contexts(tx, org, token.kind).await?.from_anywhere();
        let ranges = token.addresses.iter().map(|range| Some(range.network()));
        let sources = if token.addresses.is_empty() { vec![None] } else { ranges.collect() };
        Ok(Some(Self { token, warm, given, chosen, roles, ceilings, policies, own, org, sources }))
    }

    /// What the rule says of a permission in a place at this moment, asked from an address that the credential may be
    /// shown from; none where there is no such permission, or no such place in the API.
    pub fn decide(&self, app: &App, wish: &Wish<'_>, now: Timestamp) -> Option<Decision> {
        if wish.api.key == OWN_API {
            if let Some(own) = &self.own {
                return self.decide_own(own, wish, now);
            }
            // No other credential opens a door of Tegata's own that is about one place.
            if !wish.chain.is_empty() {
                return None;
            }
        } else if wish.kind.is_some_and(|kind| !wish.api.catalogue.is_type(kind)) {
            return None;
        }
        let organization = self.org.to_string();
        let permission = &wish.api.catalogue.permission(wish.permission)?.name;
        let what = What::Permission { permission, context: wish.context };
        let mut decision = None;
        for address in &self.sources {
            let past = Past { api: &wish.api.key, what, organization: &organization, address: *address };
            decision = app.verify.would_decide(&self.warm, &past, &self.policies, now);
            if decision.is_none_or(|decision| decision.reason() != Reason::AddressNotAllowed) {
                break;
            }
        }
        decision
    }

    /// As the doors of Tegata's own API decide.
    fn decide_own(&self, own: &OwnRights, wish: &Wish<'_>, now: Timestamp) -> Option<Decision> {
        let level = wish.api.catalogue.permission(wish.permission)?.level;
        let (state, expires_at) = (self.token.state, self.token.expires_at);
        let credential = Credential { state, expires_at, addresses: &[] };
        let need = OwnNeed { api: wish.api.id, permission: wish.permission, level, chain: wish.chain };
        Some(own.decide(credential, need, now, None))
    }

    /// An address that it may be shown from, where only some are allowed.
    pub fn address(&self) -> Option<IpAddr> {
        self.sources.first().copied().flatten()
    }

    /// What a recorded call takes, by today's facts, wherever it came from.
    pub fn takes(&self, app: &App, past: &Past<'_>, now: Timestamp) -> Option<Takes> {
        app.verify.what_it_takes(&self.warm, past, &self.policies, now)
    }

    /// Whether it would still be allowed a recorded call, if what was given to it were this.
    pub fn keeps(&self, app: &App, with: &Warm, past: &Past<'_>, now: Timestamp) -> bool {
        let decision = app.verify.would_decide(with, past, &self.policies, now);
        decision.is_none_or(Decision::is_allowed)
    }

    /// By what a permission in a place is covered at this moment, whether or not something else stands in the way.
    pub fn reasons(&self, wish: &Wish<'_>, now: Timestamp) -> Reasons {
        let covers =
            |held: &HeldRole| held.rights().iter().any(|right| right.covers(wish.api.id, wish.permission, wish.chain));
        Reasons {
            grants: places(&self.given, |piece| self.is_about(piece, wish, now)),
            roles: places(&self.roles, covers),
        }
    }

    /// Whether something that was given is in force, and about a permission in a place at this moment.
    pub fn is_about(&self, piece: &Piece, wish: &Wish<'_>, now: Timestamp) -> bool {
        let ceilings: Vec<(AccessPolicyId, &Ceiling)> = self.ceilings.iter().map(|(id, one)| (*id, one)).collect();
        let about = |rule: &Grant| {
            rule.state == GrantState::Granted
                && rule.is_about(wish.api.id, wish.permission, wish.chain, now, Ceilings(&ceilings))
        };
        piece.rule.as_ref().is_some_and(about)
    }

    /// The places that make a difference to what it may do: what holds anywhere else holds in the nearest of these above.
    pub fn contexts(&self) -> BTreeSet<ContextId> {
        let listed = self.given.iter().chain(self.chosen.iter().flatten()).filter_map(|piece| piece.stored.context);
        let ceilings = self.ceilings.iter().flat_map(|(_, ceiling)| &ceiling.parts).filter_map(|part| part.context);
        let roles = self.roles.iter().filter_map(|held| held.context);
        let tightened = self.policies.contexts().iter().map(|(context, _)| *context);
        listed.chain(ceilings).chain(roles).chain(tightened).collect()
    }

    /// What it covers beside what is listed: `everything` of its owner's (up to `read`, or to `write`), what the `roles` of
    /// its service account give, or `unscoped`.
    pub const fn beyond_grants(&self) -> Option<&'static str> {
        match self.token.coverage {
            Coverage::Listed | Coverage::Application => None,
            coverage => Some(coverage.as_str()),
        }
    }
}

fn places<T>(list: &[T], is_it: impl Fn(&T) -> bool) -> Vec<usize> {
    list.iter().enumerate().filter(|(_, one)| is_it(one)).map(|(place, _)| place).collect()
}

async fn roles_of(app: &App, tx: &mut Tx, org: OrgId, owner: Owner) -> Result<Vec<HeldRole>, DbError> {
    match owner {
        Owner::User(user) => rights::of_user(app, tx, org, user).await,
        Owner::ServiceAccount(account) => {
            let principal = db::assignments::Principal::ServiceAccount(account);
            let given: Vec<Assignment> = db::assignments::of_principal(tx, org, principal).await?;
            rights::held(app, tx, org, &given).await
        }
        Owner::Organization(_) | Owner::Application(_) => Ok(Vec::new()),
    }
}

async fn pieces(app: &App, tx: &mut Tx, org: OrgId, token: TokenId) -> Result<Vec<Piece>, DbError> {
    let stored = db::grants::of_token(tx, token).await?;
    let mut pieces = Vec::with_capacity(stored.len());
    for grant in stored.into_iter().filter(|grant| grant.org == org) {
        let rule = rights::rule_of(app, tx, &grant).await?;
        pieces.push(Piece { stored: grant, rule });
    }
    Ok(pieces)
}

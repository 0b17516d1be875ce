//! Deciding about a known credential: whose it is, what they may do at this moment, and what the rule says of it.

use super::evaluate::{Asked, Found, Known, Said};
use super::target::Wanted;
use crate::ops::rights::RoleContent;
use crate::verify::entry::{OrgEntry, TokenEntry, UserEntry};
use smallvec::SmallVec;
use tegata_core::catalogue::Access;
use tegata_core::ceiling::{Ceiling, Ceilings};
use tegata_core::credential::{Coverage, CredentialKind, PartState};
use tegata_core::decide::{
    Acting, Alternative, Credential, Facts, Gate, Grant, Grants, Need, Organization, Part, Place, Presented, Reason,
    Target, decide, is_chosen, is_granted, is_held_by_owner,
};
use tegata_core::ids::{AccessPolicyId, ContextId, OrgId, RoleId, UserId};
use tegata_core::level::Level;
use tegata_core::owner::Owner;
use tegata_core::permissions::OWN_API;
use tegata_core::policy::KindPolicies;
use tegata_core::role::{Held, Right};

/// What a credential may draw on in one organization.
#[derive(Clone, Copy)]
struct Given<'a> {
    /// What was granted: to it, or to the application that it belongs to.
    grants: &'a [Grant],
    /// What it chose of that, where it lists less.
    chosen: Option<&'a [Grant]>,
}

/// One question about one known credential.
pub(super) struct Judge<'v> {
    /// The question.
    pub asked: Asked<'v>,
    /// The credential.
    pub token: &'v TokenEntry,
    /// Policies to judge by in the place of the organizations' own for its kind: only for asking what would be.
    pub supposed: Option<&'v KindPolicies>,
}

impl<'v> Judge<'v> {
    /// Decides in the organizations that the question is about (DESIGN §1, "Which organization a check is in").
    pub fn decide(&self, found: &mut Found<'v>) -> Known {
        match self.asked.said() {
            Said::One(org) => self.in_organization(org, found),
            Said::Nothing => self.in_organization(
                match self.token.parts.as_slice() {
                    [only] => Some(only.org),
                    _ => None,
                },
                found,
            ),
            Said::Outside => self.in_any(found),
        }
    }

    /// An endpoint outside all organizations: allowed where any part of the credential allows it, and otherwise denied
    /// for the reason of the part that came furthest.
    fn in_any(&self, found: &mut Found<'v>) -> Known {
        let mut parts = self.token.parts.iter().map(|part| Some(part.org));
        let mut known = self.in_organization(parts.next().flatten(), found);
        for org in parts {
            if found.decision.is_allowed() {
                break;
            }
            let mut other = Found::denied(Reason::Unknown);
            let known_there = self.in_organization(org, &mut other);
            if other.decision.is_allowed() || other.decision.reason() > found.decision.reason() {
                (*found, known) = (other, known_there);
            }
        }
        known
    }

    /// The person who owns it: memory comes first, since it is never older than what was read for this question.
    fn user(&self, id: UserId) -> Option<&'v UserEntry> {
        self.asked.view.user(id).or_else(|| self.read_user())
    }

    /// The same, as they were read for this question.
    fn read_user(&self) -> Option<&'v UserEntry> {
        let read = self.asked.cold.warm().filter(|warm| warm.token.owner == self.token.owner);
        read.and_then(|warm| warm.user.as_ref())
    }

    /// What the owner is called.
    pub fn owner_name(&self) -> Option<&'v str> {
        match self.token.owner {
            Owner::User(id) => self.user(id).map(|user| &*user.name),
            Owner::Organization(id) => self.asked.view.org(id).map(|org| &*org.name),
            Owner::ServiceAccount(id) => self.asked.view.service_account(id).map(|account| &*account.name),
            Owner::Application(id) => self.asked.view.application(id).map(|application| &*application.name),
        }
    }

    /// Decides in one organization.
    fn in_organization(&self, org: Option<OrgId>, found: &mut Found<'v>) -> Known {
        found.org = org;
        let entry = org.and_then(|org| self.asked.org_that_uses_it(org));
        let part = org.and_then(|org| self.token.part(org));
        let (Some(org), Some(entry), Some(part)) = (org, entry, part) else {
            found.decision = decide(&self.facts(Target::AuthenticatedOnly, Organization::Unknown));
            found.org_entry = entry;
            return Known::All;
        };
        found.org_entry = Some(entry);
        let mut rights: SmallVec<[Right<'v>; 4]> = SmallVec::new();
        let (mut given, mut chosen) = (part.grants.as_slice(), None);
        let (owner_active, known) = match self.token.owner {
            Owner::User(id) => self.person(id, org, &mut rights, found),
            // It acts for itself, in its own organization and nowhere else.
            Owner::Organization(id) => {
                found.owner_name = self.owner_name();
                (id == org, Known::All)
            }
            Owner::ServiceAccount(id) => {
                let account = self.asked.view.service_account(id).filter(|account| account.org == org);
                found.owner_name = account.map(|account| &*account.name);
                if let Some(account) = account {
                    self.rights_of(&account.roles, &mut rights);
                }
                (account.is_some_and(|account| account.active), Known::All)
            }
            Owner::Application(id) => {
                let application = self.asked.view.application(id);
                found.owner_name = application.map(|application| &*application.name);
                let rights = application.and_then(|application| application.part(org));
                // What the application is there, its tokens are; of itself, its own part says so.
                if self.token.kind == CredentialKind::ApplicationToken {
                    given = rights.map_or(&[], |rights| rights.grants.as_slice());
                    chosen = (self.token.coverage == Coverage::Listed).then_some(part.grants.as_slice());
                    (rights.is_some_and(|rights| rights.state == PartState::Active), Known::All)
                } else {
                    (rights.is_some(), Known::All)
                }
            }
        };
        found.needs.look_up(self.asked.view, self.asked.loaded, self.asked.wanted, org);
        self.decide_needs(found, entry, part.state, Given { grants: given, chosen }, owner_active, &rights);
        known
    }

    /// Whether a person is active in an organization, and what they may do there.
    fn person(
        &self,
        id: UserId,
        org: OrgId,
        rights: &mut SmallVec<[Right<'v>; 4]>,
        found: &mut Found<'v>,
    ) -> (bool, Known) {
        let user = self.user(id);
        found.owner_name = user.map(|user| &*user.name);
        let member = user.and_then(|user| user.member(org));
        let member = member.or_else(|| self.read_user().and_then(|user| user.member(org)));
        let Some(member) = member else { return (false, Known::Cold) };
        self.rights_of(&member.roles, rights);
        for team in member.teams.iter().filter_map(|team| self.asked.view.team(*team)) {
            self.rights_of(team, rights);
        }
        (user.is_some_and(|user| user.active) && member.active, Known::All)
    }

    /// Roles as the rule reads them.
    fn rights_of(&self, roles: &[(RoleId, Option<ContextId>)], rights: &mut SmallVec<[Right<'v>; 4]>) {
        for (role, context) in roles {
            let context = *context;
            match self.asked.view.role(*role) {
                None => {}
                Some(RoleContent::Everything) => rights.push(Right { context, api: None, held: Held::Everything }),
                Some(RoleContent::Listed(list)) => {
                    // What a role holds of other APIs has no say here.
                    for (api, set) in list.iter().filter(|(api, _)| *api == self.asked.loaded.id) {
                        rights.push(Right { context, api: Some(*api), held: Held::Set(set) });
                    }
                }
            }
        }
    }

    fn decide_needs(
        &self,
        found: &mut Found<'v>,
        entry: &OrgEntry,
        state: PartState,
        given: Given<'_>,
        owner_active: bool,
        rights: &[Right<'_>],
    ) {
        let ceilings = given.grants.iter().filter_map(Grant::ceiling);
        let ceilings: SmallVec<[(AccessPolicyId, &Ceiling); 2]> =
            ceilings.filter_map(|id| Some((id, self.asked.view.ceiling(id)?))).collect();
        let part = Part {
            api: self.asked.loaded.id,
            own_api: self.asked.loaded.key == OWN_API,
            state,
            owner_active,
            policies: self.supposed.or_else(|| entry.policies.of(self.token.kind)),
            grants: match self.token.coverage {
                Coverage::Listed | Coverage::Application => Grants::Listed(given.grants, Ceilings(&ceilings)),
                Coverage::Read => Grants::UpTo(Level::Read),
                Coverage::ReadWrite => Grants::UpTo(Level::Write),
                Coverage::Roles => Grants::UpTo(Level::Admin),
                Coverage::Unscoped => Grants::Unscoped,
            },
            chosen: given.chosen,
            acting: match self.token.owner {
                Owner::User(_) | Owner::ServiceAccount(_) => Acting::For(rights),
                Owner::Organization(_) | Owner::Application(_) => Acting::Itself,
            },
        };
        let needs: SmallVec<[Need<'_>; 4]> = found
            .needs
            .needs
            .iter()
            .map(|need| Need {
                permission: need.permission,
                level: need.level,
                place: match found.needs.place(need) {
                    Some(place) if place.registered => Place::Chain(&place.chain),
                    _ => Place::Unregistered,
                },
            })
            .collect();
        let mut start = 0;
        let alternatives: SmallVec<[Alternative<'_>; 4]> = found
            .needs
            .ends
            .iter()
            .map(|end| {
                let alternative = Alternative { needs: &needs[start..*end] };
                start = *end;
                alternative
            })
            .collect();
        let target = match (self.asked.wanted, self.asked.wanted.access()) {
            (Wanted::Nothing, _) => Target::NoSuchEndpoint,
            (_, Some(Access::Denied)) => Target::Closed,
            (_, Some(Access::AuthenticatedOnly)) => Target::AuthenticatedOnly,
            (_, Some(Access::UnscopedOnly)) => Target::UnscopedOnly,
            (_, Some(Access::AnyOf(_)) | None) => Target::AnyOf(&alternatives),
        };
        let decision = decide(&self.facts(target, Organization::Known(part)));
        let asked_for_one = matches!(self.asked.wanted, Wanted::Permission(..));
        let alternative = decision.alternative().map(usize::from).or(asked_for_one.then_some(0));
        let deciding = alternative.map_or(0..0, |alternative| found.needs.range(alternative));
        let lacks = |need: &Need<'_>| match decision.reason() {
            Reason::ApprovalPending | Reason::ApprovalRejected | Reason::InsufficientScope => {
                !is_granted(&part, need, self.asked.now)
            }
            Reason::OwnerLacksPermission => !is_held_by_owner(&part, need),
            _ => false,
        };
        let missing: SmallVec<[usize; 2]> =
            deciding.clone().filter(|place| needs.get(*place).is_some_and(lacks)).collect();
        let held = |place: usize| needs.get(place).is_some_and(|need| is_held_by_owner(&part, need));
        let was_chosen = |place: usize| needs.get(place).is_some_and(|need| is_chosen(&part, need, self.asked.now));
        let askable = decision.reason() == Reason::InsufficientScope
            && matches!(
                self.token.kind,
                CredentialKind::PersonalToken | CredentialKind::Application | CredentialKind::ApplicationToken
            )
            && !missing.is_empty()
            && missing.iter().all(|place| held(*place) && was_chosen(*place));
        drop(alternatives);
        drop(needs);
        found.decision = decision;
        found.deciding = deciding;
        found.missing = missing;
        found.askable = askable;
    }

    fn facts<'b>(&'b self, target: Target<'b>, organization: Organization<'b>) -> Facts<'b> {
        let target = if matches!(self.asked.wanted, Wanted::Nothing) { Target::NoSuchEndpoint } else { target };
        Facts {
            gate: Gate::Open,
            now: self.asked.now,
            address: self.asked.question.address,
            presented: Presented::Known(Credential {
                state: self.token.state,
                expires_at: self.token.expires_at,
                addresses: &self.token.addresses,
            }),
            target,
            organization,
        }
    }
}

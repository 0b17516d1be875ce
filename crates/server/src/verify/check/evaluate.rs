//! Gathering the facts of a check from memory, and deciding. Everything is lent by the [`View`]: nothing is copied,
//! counted or moved that a decision does not need.

use super::Question;
use super::target::{FoundNeeds, Wanted};
use crate::authn::Digest;
use crate::catalogues::Loaded;
use crate::ops::rights::RoleContent;
use crate::verify::Verify;
use crate::verify::entry::{OrgEntry, PartEntry, TokenEntry, UserEntry, Warm};
use crate::verify::index::View;
use crate::verify::limits::told::RateLimit;
use crate::verify::tokens::Room;
use smallvec::SmallVec;
use std::ops::Range;
use std::time::Duration;
use tegata_core::catalogue::{Access, OrganizationOf};
use tegata_core::ceiling::{Ceiling, Ceilings};
use tegata_core::decide::{
    Acting, Alternative, Credential, Decision, Facts, Gate, Grant, Grants, Need, Organization, Part, Place, Presented,
    Reason, Target, decide, is_granted, is_held_by_owner,
};
use tegata_core::ids::{AccessPolicyId, ContextId, OrgId};
use tegata_core::role::{Held, Right};
use tegata_core::secret::{SecretKind, classify};
use tegata_core::time::Timestamp;

/// Whether memory was enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// Everything that the decision needs was in memory, or was handed in.
    All,
    /// The credential, or something of its owner, has to be read; the decision so far is a denial.
    Cold,
}

/// What is known of a credential beside memory.
#[derive(Debug, Clone, Copy)]
pub enum Cold<'a> {
    /// The database was not asked.
    NotAsked,
    /// The database was asked, and has no such credential.
    Absent,
    /// The database was asked, and has it.
    Read(&'a Warm),
    /// The database was not asked, because of a rate; it may be asked after this time.
    Throttled(Duration),
}

impl<'a> Cold<'a> {
    const fn warm(self) -> Option<&'a Warm> {
        match self {
            Self::Read(warm) => Some(warm),
            Self::NotAsked | Self::Absent | Self::Throttled(_) => None,
        }
    }
}

/// A decision with what its record and its answer need. Texts are made where they are needed, not here.
pub struct Found<'v> {
    /// The decision.
    pub decision: Decision,
    /// The credential, where it is known.
    pub token: Option<&'v TokenEntry>,
    /// Its owner, where they were looked up.
    pub owner: Option<&'v UserEntry>,
    /// The organization.
    pub org: Option<OrgId>,
    /// The same, where it uses the API.
    pub org_entry: Option<&'v OrgEntry>,
    /// What was needed.
    pub needs: FoundNeeds<'v>,
    /// The needs of the alternative that decided.
    pub deciding: Range<usize>,
    /// Which of them are lacking.
    pub missing: SmallVec<[usize; 2]>,
    /// Whether what is lacking can be asked for: the owner has it, and only a grant is wanting.
    pub askable: bool,
    /// With what it is asked for.
    pub request: Option<Box<str>>,
    /// After which time another try makes sense, where a rate decided.
    pub retry_after: Option<Duration>,
    /// What the limits on calls said, where any covers it.
    pub rate_limit: Option<Box<RateLimit>>,
}

impl Found<'_> {
    /// A denial of which no more is known.
    pub fn denied(reason: Reason) -> Self {
        Self {
            decision: Decision::Deny { reason, alternative: None },
            token: None,
            owner: None,
            org: None,
            org_entry: None,
            needs: FoundNeeds::default(),
            deciding: 0..0,
            missing: SmallVec::new(),
            askable: false,
            request: None,
            retry_after: None,
            rate_limit: None,
        }
    }
}

/// One question with what it is about, as far as that does not depend on who asks.
#[derive(Clone, Copy)]
pub struct Asked<'v> {
    /// What is in memory.
    pub view: &'v View<'v>,
    /// The catalogue.
    pub loaded: &'v Loaded,
    /// What is asked for, found in it.
    pub wanted: &'v Wanted<'v>,
    /// The question.
    pub question: &'v Question<'v>,
    /// The moment.
    pub now: Timestamp,
    /// What was read beside memory.
    pub cold: Cold<'v>,
}

/// Credentials that are asked for before the first of them is looked at: as many as a processor fetches from memory at a
/// time, or more.
pub const SOUGHT_AHEAD: usize = 16;

/// What was shown, before it is looked up.
#[derive(Clone, Copy)]
pub enum Sought {
    /// Nothing is decided here, or it cannot be a credential.
    Refused(Reason),
    /// What may be a credential, by its digest.
    Digest(Digest),
}

impl Sought {
    /// The digest of what may be a credential.
    pub const fn digest(&self) -> Option<&Digest> {
        match self {
            Self::Digest(digest) => Some(digest),
            Self::Refused(_) => None,
        }
    }
}

/// What was shown, as far as it can be told without the call that it is for.
#[derive(Clone, Copy)]
pub enum Shown<'v> {
    /// Nothing is decided here, or it cannot be a credential.
    Refused(Reason),
    /// A credential.
    Token(&'v TokenEntry),
    /// It is not in memory, and was not asked for.
    Cold,
}

impl Verify {
    /// Looks at what was shown, and asks for the memory of the credentials that it may be. Comes before anything else is
    /// looked at, so that this memory is on its way while the calls are recognized; for many of them at once, so that it
    /// comes at once.
    pub fn seek<'t>(&self, view: &View<'_>, tokens: impl Iterator<Item = &'t str>) -> SmallVec<[Sought; SOUGHT_AHEAD]> {
        let holds = self.lease.holds();
        let sought = tokens.map(|token| {
            if !holds {
                Sought::Refused(Reason::LeaseLost)
            } else if classify(&self.product, token) == Some(SecretKind::PersonalToken) {
                Sought::Digest(self.hasher.digest(token))
            } else {
                Sought::Refused(Reason::Malformed)
            }
        });
        let sought: SmallVec<[Sought; SOUGHT_AHEAD]> = sought.collect();
        view.seek_tokens(sought.iter().filter_map(Sought::digest));
        sought
    }

    /// Finds what was shown; `room` is for the credential.
    pub fn shown<'v>(
        &self,
        view: &View<'_>,
        sought: Sought,
        token: &str,
        cold: Cold<'v>,
        room: &'v mut Room,
    ) -> Shown<'v> {
        let digest = match sought {
            Sought::Refused(reason) => return Shown::Refused(reason),
            Sought::Digest(digest) => digest,
        };
        if !view.token(&digest, room)
            && let Some(previous) = self.hasher.previous_digest(token)
        {
            view.token(&previous, room);
        }
        match (room.token(), cold) {
            (Some(token), _) => Shown::Token(token),
            (None, Cold::Read(warm)) => Shown::Token(&warm.token),
            (None, Cold::Absent) => Shown::Refused(Reason::Unknown),
            (None, Cold::Throttled(_)) => Shown::Refused(Reason::RateLimited),
            (None, Cold::NotAsked) if self.is_unknown(&digest) => Shown::Refused(Reason::Unknown),
            (None, Cold::NotAsked) => Shown::Cold,
        }
    }
}

impl<'v> Asked<'v> {
    /// Decides from memory, and from what was read for this question. Writes what it finds into `found`, which is a
    /// fresh denial: it is large, and moving it would cost more than some of the steps.
    pub fn evaluate(&self, shown: Shown<'v>, found: &mut Found<'v>) -> Known {
        let token = match shown {
            Shown::Token(token) => token,
            Shown::Cold => return Known::Cold,
            Shown::Refused(reason) => {
                found.decision = Decision::Deny { reason, alternative: None };
                if reason != Reason::LeaseLost {
                    self.nobody(found);
                }
                return Known::All;
            }
        };
        let judge = Judge { asked: *self, token };
        let known = judge.decide(found);
        found.token = Some(token);
        if found.owner.is_none() {
            found.owner = judge.owner();
        }
        match (self.cold, known) {
            (Cold::NotAsked, _) => known,
            // It came into memory meanwhile, without its owner: what was not read is not judged.
            (Cold::Throttled(_), Known::Cold) => {
                found.decision = Decision::Deny { reason: Reason::RateLimited, alternative: None };
                Known::All
            }
            _ => Known::All,
        }
    }
}

/// What check and endpoint say about the organization.
enum Said {
    /// This one; none when what they say is not known or not the same.
    One(Option<OrgId>),
    /// The endpoint belongs to no organization.
    Outside,
    /// Nothing.
    Nothing,
}

impl<'v> Asked<'v> {
    /// The organization, as far as check and endpoint say (DESIGN §1). What two say differently is not known.
    fn said(&self) -> Said {
        let by_check = self.question.organization.map(|name| self.view.org_named(name));
        let by_endpoint = match self.wanted.organization() {
            OrganizationOf::Named(name) => Some(self.view.org_named(&name)),
            OrganizationOf::None if by_check.is_none() => return Said::Outside,
            OrganizationOf::None | OrganizationOf::Unsaid => None,
        };
        match (by_endpoint, by_check) {
            (Some(one), Some(other)) => Said::One(one.filter(|_| one == other)),
            (Some(one), None) | (None, Some(one)) => Said::One(one),
            (None, None) => Said::Nothing,
        }
    }

    /// A denial of what nobody owns. Whoever was called finds it in their records, as far as the call says who that is.
    fn nobody(&self, found: &mut Found<'v>) {
        if let Said::One(Some(org)) = self.said() {
            found.org_entry = self.org_that_uses_it(org);
            found.org = found.org_entry.map(|_| org);
        }
    }

    fn org_that_uses_it(&self, org: OrgId) -> Option<&'v OrgEntry> {
        self.view.org(org).filter(|entry| entry.apis.contains(&self.loaded.id))
    }
}

/// One question about one known credential.
struct Judge<'v> {
    asked: Asked<'v>,
    token: &'v TokenEntry,
}

impl<'v> Judge<'v> {
    /// Decides in the organizations that the question is about (DESIGN §1, "Which organization a check is in").
    fn decide(&self, found: &mut Found<'v>) -> Known {
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

    /// The owner: memory comes first, since it is never older than what was read for this question.
    fn owner(&self) -> Option<&'v UserEntry> {
        let read = self.asked.cold.warm().filter(|warm| warm.token.owner == self.token.owner);
        self.asked.view.user(self.token.owner).or(read.map(|warm| &warm.user))
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
        found.owner = self.owner();
        let read = self.asked.cold.warm().filter(|warm| warm.token.owner == self.token.owner);
        let member = found.owner.and_then(|user| user.member(org));
        let member = member.or_else(|| read.and_then(|warm| warm.user.member(org)));
        let owner_active = found.owner.is_some_and(|user| user.active) && member.is_some_and(|member| member.active);
        let mut rights: SmallVec<[Right<'v>; 4]> = SmallVec::new();
        if let Some(member) = member {
            self.rights_of(&member.roles, &mut rights);
            for team in member.teams.iter().filter_map(|team| self.asked.view.team(*team)) {
                self.rights_of(team, &mut rights);
            }
        }
        found.needs.look_up(self.asked.view, self.asked.loaded, self.asked.wanted, org);
        self.decide_needs(found, entry, part, owner_active, &rights);
        if member.is_some() { Known::All } else { Known::Cold }
    }

    /// Roles as the rule reads them.
    fn rights_of(
        &self,
        roles: &[(tegata_core::ids::RoleId, Option<ContextId>)],
        rights: &mut SmallVec<[Right<'v>; 4]>,
    ) {
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
        part: &PartEntry,
        owner_active: bool,
        rights: &[Right<'_>],
    ) {
        let ceilings = part.grants.iter().filter_map(Grant::ceiling);
        let ceilings: SmallVec<[(AccessPolicyId, &Ceiling); 2]> =
            ceilings.filter_map(|id| Some((id, self.asked.view.ceiling(id)?))).collect();
        let part = Part {
            api: self.asked.loaded.id,
            state: part.state,
            owner_active,
            policy: Some(&entry.personal_tokens),
            grants: Grants::Listed(&part.grants, Ceilings(&ceilings)),
            acting: Acting::For(rights),
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
        let askable = decision.reason() == Reason::InsufficientScope
            && !missing.is_empty()
            && missing.iter().all(|place| held(*place));
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

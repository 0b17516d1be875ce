//! Gathering the facts of a check from memory, and deciding.

use super::target::{FoundNeeds, Wanted, needs_in};
use super::{Question, Verify};
use crate::catalogues::Loaded;
use crate::ops::rights::RoleContent;
use crate::verify::entry::{TokenEntry, UserEntry, VerifierEntry, Warm};
use smallvec::SmallVec;
use std::ops::Range;
use std::sync::Arc;
use tegata_core::catalogue::{Access, OrganizationOf};
use tegata_core::decide::{
    Acting, Alternative, Credential, Decision, Facts, Gate, Grants, Need, Organization, Part, Place, Presented, Reason,
    Target, decide, is_granted, is_held_by_owner,
};
use tegata_core::ids::{ContextId, OrgId};
use tegata_core::name::folded;
use tegata_core::role::{Held, Right};
use tegata_core::secret::{SecretKind, classify};
use tegata_core::time::Timestamp;

/// What memory says about a question.
pub enum Evaluated<'w> {
    /// Everything was in memory.
    Done(Found<'w>),
    /// The credential, or something of its owner, is not in memory; the decision so far is a denial.
    Cold(Found<'w>),
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
}

impl<'a> Cold<'a> {
    const fn warm(self) -> Option<&'a Warm> {
        match self {
            Self::Read(warm) => Some(warm),
            Self::NotAsked | Self::Absent => None,
        }
    }
}

/// A decision with what its record and its answer need. Texts are made where they are needed, not here.
pub struct Found<'w> {
    /// The decision.
    pub decision: Decision,
    /// The credential, where it is known.
    pub token: Option<Arc<TokenEntry>>,
    /// Its owner's account, where that was looked up.
    pub owner: Option<Arc<UserEntry>>,
    /// The organization.
    pub org: Option<OrgId>,
    /// What was needed.
    pub needs: FoundNeeds<'w>,
    /// The needs of the alternative that decided.
    pub deciding: Range<usize>,
    /// Which of them are lacking.
    pub missing: SmallVec<[usize; 2]>,
}

impl Found<'_> {
    /// A denial of which no more is known.
    pub fn denied(reason: Reason) -> Self {
        Self {
            decision: Decision::Deny { reason, alternative: None },
            token: None,
            owner: None,
            org: None,
            needs: FoundNeeds::default(),
            deciding: 0..0,
            missing: SmallVec::new(),
        }
    }
}

impl Verify {
    /// The catalogue of the API of a question, where this verifier may ask about it.
    pub fn api_of(&self, verifier: &VerifierEntry, question: &Question<'_>) -> Option<Arc<Loaded>> {
        let apis = self.index.apis.load();
        apis.get(question.api).filter(|loaded| verifier.apis.contains(&loaded.id)).cloned()
    }

    /// Decides from memory, and from what was read for this question. `wanted` is what it asks for, found in `loaded`.
    pub fn evaluate<'w>(
        &self,
        loaded: &'w Loaded,
        wanted: &'w Wanted<'w>,
        question: &Question<'_>,
        now: Timestamp,
        cold: Cold<'_>,
    ) -> Evaluated<'w> {
        if !self.lease.holds() {
            return Evaluated::Done(Found::denied(Reason::LeaseLost));
        }
        if classify(&self.product, question.token) != Some(SecretKind::PersonalToken) {
            return Evaluated::Done(self.nobody(loaded, wanted, question, Reason::Malformed));
        }
        let token = match (self.token_in_memory(question.token), cold) {
            (Some(token), _) => token,
            (None, Cold::Read(warm)) => Arc::clone(&warm.token),
            (None, Cold::Absent) => {
                return Evaluated::Done(self.nobody(loaded, wanted, question, Reason::Unknown));
            }
            (None, Cold::NotAsked) => return Evaluated::Cold(Found::denied(Reason::Unknown)),
        };
        token.touch();
        self.evaluate_known(loaded, wanted, question, now, token, cold)
    }

    /// A denial of what nobody owns. Whoever was called finds it in their records, as far as the call says who that is.
    fn nobody<'w>(&self, loaded: &Loaded, wanted: &Wanted<'_>, question: &Question<'_>, reason: Reason) -> Found<'w> {
        let org = match self.said(question, wanted) {
            Said::One(org) => org,
            Said::Outside | Said::Nothing => None,
        };
        let uses_it = |org: &OrgId| self.index.orgs.pin().get(org).is_some_and(|entry| entry.apis.contains(&loaded.id));
        Found { org: org.filter(uses_it), ..Found::denied(reason) }
    }

    /// The organization, as far as check and endpoint say (DESIGN §1). What two say differently is not known.
    fn said(&self, question: &Question<'_>, wanted: &Wanted<'_>) -> Said {
        let by_check = question.organization.map(|name| self.organization_named(name));
        let by_endpoint = match wanted.organization() {
            OrganizationOf::Named(name) => Some(self.organization_named(&name)),
            OrganizationOf::None if by_check.is_none() => return Said::Outside,
            OrganizationOf::None | OrganizationOf::Unsaid => None,
        };
        match (by_endpoint, by_check) {
            (Some(one), Some(other)) => Said::One(one.filter(|_| one == other)),
            (Some(one), None) | (None, Some(one)) => Said::One(one),
            (None, None) => Said::Nothing,
        }
    }

    fn organization_named(&self, name: &str) -> Option<OrgId> {
        let names = self.index.org_names.pin();
        names.get(name).or_else(|| names.get(folded(name).as_ref())).copied()
    }

    fn token_in_memory(&self, text: &str) -> Option<Arc<TokenEntry>> {
        let tokens = self.index.tokens.pin();
        tokens
            .get(&self.hasher.digest(text))
            .or_else(|| self.hasher.previous_digest(text).and_then(|previous| tokens.get(&previous)))
            .cloned()
    }

    fn evaluate_known<'w>(
        &self,
        loaded: &'w Loaded,
        wanted: &'w Wanted<'w>,
        question: &Question<'_>,
        now: Timestamp,
        token: Arc<TokenEntry>,
        cold: Cold<'_>,
    ) -> Evaluated<'w> {
        let judge = Judge { verify: self, loaded, question, now, token: &token, wanted, cold };
        let outcome = match judge.organizations() {
            Candidates::One(org) => judge.in_organization(org),
            // An endpoint outside all organizations: allowed where any part of the credential allows it, and
            // otherwise denied for the reason of the part that came furthest.
            Candidates::Any => token
                .parts
                .iter()
                .map(|part| judge.in_organization(Some(part.org)))
                .fold(None, |best: Option<Outcome<'w>>, next| match best {
                    Some(best) if best.found.decision.is_allowed() || best.reason() >= next.reason() => Some(best),
                    _ => Some(next),
                })
                .unwrap_or_else(|| judge.in_organization(None)),
        };
        let mut found = outcome.found;
        if found.owner.is_none() {
            let owner = self.index.users.pin().get(&token.owner).cloned();
            found.owner = owner.or_else(|| cold.warm().map(|warm| Arc::clone(&warm.user)));
        }
        found.token = Some(token);
        let again = outcome.cold && matches!(cold, Cold::NotAsked);
        if again { Evaluated::Cold(found) } else { Evaluated::Done(found) }
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

/// In which organizations a question is looked at.
enum Candidates {
    /// In this one; none when it is not known.
    One(Option<OrgId>),
    /// In each of the credential's.
    Any,
}

struct Outcome<'w> {
    found: Found<'w>,
    /// Whether something of the owner was not in memory.
    cold: bool,
}

impl Outcome<'_> {
    fn reason(&self) -> Reason {
        self.found.decision.reason()
    }
}

/// What is known of one question about one known credential.
struct Judge<'a, 'w> {
    verify: &'a Verify,
    loaded: &'w Loaded,
    question: &'a Question<'a>,
    now: Timestamp,
    token: &'a Arc<TokenEntry>,
    wanted: &'w Wanted<'w>,
    cold: Cold<'a>,
}

impl<'w> Judge<'_, 'w> {
    /// DESIGN §1, "Which organization a check is in".
    fn organizations(&self) -> Candidates {
        match self.verify.said(self.question, self.wanted) {
            Said::One(org) => Candidates::One(org),
            Said::Outside => Candidates::Any,
            Said::Nothing => Candidates::One(match self.token.parts.as_slice() {
                [only] => Some(only.org),
                _ => None,
            }),
        }
    }

    /// Decides in one organization.
    fn in_organization(&self, org: Option<OrgId>) -> Outcome<'w> {
        let index = &self.verify.index;
        let entry = org.and_then(|org| index.orgs.pin().get(&org).cloned());
        let entry = entry.filter(|entry| entry.apis.contains(&self.loaded.id));
        let part = org.and_then(|org| self.token.part(org));
        let (Some(org), Some(entry), Some(part)) = (org, entry, part) else {
            let decision = decide(&self.facts(Target::AuthenticatedOnly, Organization::Unknown));
            return Outcome {
                found: Found { decision, org, ..Found::denied(Reason::OrganizationUnknown) },
                cold: false,
            };
        };
        let warm = self.cold.warm().filter(|warm| warm.token.owner == self.token.owner);
        // Memory comes first: it is never older than what was read for this question.
        let user = index.users.pin().get(&self.token.owner).or(warm.map(|warm| &warm.user)).cloned();
        let read = warm.and_then(|warm| warm.members.iter().find(|(other, _)| *other == org));
        let member = index.members.pin().get(&(org, self.token.owner)).or(read.map(|(_, member)| member)).cloned();
        let cold = user.is_none() || member.is_none();
        let owner_active =
            user.as_ref().is_some_and(|user| user.active) && member.as_ref().is_some_and(|member| member.active);
        let mut held: SmallVec<[(Arc<RoleContent>, Option<ContextId>); 8]> = SmallVec::new();
        if let Some(member) = &member {
            let (roles, teams) = (index.roles.pin(), index.teams.pin());
            let of_teams = member.teams.iter().filter_map(|team| teams.get(team)).flat_map(|list| list.iter());
            for (role, context) in member.roles.iter().chain(of_teams) {
                held.extend(roles.get(role).map(|content| (Arc::clone(content), *context)));
            }
        }
        let rights = rights_of(&held);
        let known = Part {
            api: self.loaded.id,
            state: part.state,
            owner_active,
            policy: Some(&entry.personal_tokens),
            grants: Grants::Listed(&part.grants),
            acting: Acting::For(&rights),
        };
        let needs = needs_in(index, self.loaded, self.wanted, org);
        let mut found = self.decide_needs(needs, known, org);
        found.owner = user;
        Outcome { found, cold }
    }

    fn decide_needs(&self, found: FoundNeeds<'w>, part: Part<'_>, org: OrgId) -> Found<'w> {
        let needs: SmallVec<[Need<'_>; 2]> = found
            .needs
            .iter()
            .map(|need| Need {
                permission: need.permission,
                level: need.level,
                place: if need.registered { Place::Chain(&need.chain) } else { Place::Unregistered },
            })
            .collect();
        let mut start = 0;
        let alternatives: SmallVec<[Alternative<'_>; 2]> = found
            .ends
            .iter()
            .map(|end| {
                let alternative = Alternative { needs: &needs[start..*end] };
                start = *end;
                alternative
            })
            .collect();
        let target = match (self.wanted, self.wanted.access()) {
            (Wanted::Nothing, _) => Target::NoSuchEndpoint,
            (_, Some(Access::Denied)) => Target::Closed,
            (_, Some(Access::AuthenticatedOnly)) => Target::AuthenticatedOnly,
            (_, Some(Access::UnscopedOnly)) => Target::UnscopedOnly,
            (_, Some(Access::AnyOf(_)) | None) => Target::AnyOf(&alternatives),
        };
        let decision = decide(&self.facts(target, Organization::Known(part)));
        let asked_for_one = matches!(self.wanted, Wanted::Permission(..));
        let alternative = decision.alternative().map(usize::from).or(asked_for_one.then_some(0));
        let deciding = alternative.map_or(0..0, |alternative| found.range(alternative));
        let lacks = |need: &Need<'_>| match decision.reason() {
            Reason::ApprovalPending | Reason::ApprovalRejected | Reason::InsufficientScope => !is_granted(&part, need),
            Reason::OwnerLacksPermission => !is_held_by_owner(&part, need),
            _ => false,
        };
        let missing = deciding.clone().filter(|place| needs.get(*place).is_some_and(lacks)).collect();
        drop(alternatives);
        drop(needs);
        Found { decision, org: Some(org), deciding, missing, needs: found, ..Found::denied(Reason::Unknown) }
    }

    fn facts<'b>(&'b self, target: Target<'b>, organization: Organization<'b>) -> Facts<'b> {
        let target = if matches!(self.wanted, Wanted::Nothing) { Target::NoSuchEndpoint } else { target };
        Facts {
            gate: Gate::Open,
            now: self.now,
            address: self.question.address,
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

/// Roles as the rule reads them.
fn rights_of(held: &[(Arc<RoleContent>, Option<ContextId>)]) -> SmallVec<[Right<'_>; 8]> {
    let mut rights = SmallVec::new();
    for (content, context) in held {
        match content.as_ref() {
            RoleContent::Everything => rights.push(Right { context: *context, api: None, held: Held::Everything }),
            RoleContent::Listed(list) => {
                for (api, set) in list {
                    rights.push(Right { context: *context, api: Some(*api), held: Held::Set(set) });
                }
            }
        }
    }
    rights
}

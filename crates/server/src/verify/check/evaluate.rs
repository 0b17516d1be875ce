//! Gathering the facts of a check from memory, and deciding.

use super::target::{FoundNeeds, Wanted, needs_in};
use super::{Question, Verify};
use crate::catalogues::Loaded;
use crate::ops::rights::RoleContent;
use crate::verify::entry::{TokenEntry, UserEntry, VerifierEntry, Warm};
use smallvec::SmallVec;
use std::sync::Arc;
use tegata_core::catalogue::{Access, OrganizationOf};
use tegata_core::decide::{
    Acting, Alternative, Credential, Decision, Facts, Gate, Grants, Need, Organization, Part, Place, Presented, Reason,
    Target, decide, is_granted, is_held_by_owner,
};
use tegata_core::ids::{ContextId, OrgId};
use tegata_core::role::{Held, Right};
use tegata_core::secret::{SecretKind, classify};
use tegata_core::time::Timestamp;

/// What memory says about a question.
pub enum Evaluated {
    /// Everything was in memory.
    Done(Box<Found>),
    /// The credential, or something of its owner, is not in memory; the decision so far is a denial.
    Cold(Box<Found>),
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

/// A decision with what its record and its answer need.
pub struct Found {
    /// The decision.
    pub decision: Decision,
    /// The credential, where it is known.
    pub token: Option<Arc<TokenEntry>>,
    /// What its owner is called, where that was looked up.
    pub owner: Option<Arc<UserEntry>>,
    /// The organization.
    pub org: Option<OrgId>,
    /// The first permission of the alternative that decided.
    pub permission: Option<String>,
    /// Its level.
    pub level: Option<&'static str>,
    /// Its place, as text.
    pub place: Option<String>,
    /// The context of its place.
    pub context: Option<ContextId>,
    /// What is lacking, as scopes.
    pub missing: Vec<String>,
    /// The endpoint's path template.
    pub endpoint: Option<String>,
    /// The version of the catalogue.
    pub catalogue_version: u64,
}

impl Found {
    fn denied(reason: Reason) -> Self {
        Self {
            decision: Decision::Deny { reason, alternative: None },
            token: None,
            owner: None,
            org: None,
            permission: None,
            level: None,
            place: None,
            context: None,
            missing: Vec::new(),
            endpoint: None,
            catalogue_version: 0,
        }
    }
}

impl Evaluated {
    /// The truth could not be read, so that nothing is known about what was revoked.
    pub fn unreadable() -> Self {
        Self::Done(Box::new(Found::denied(Reason::LeaseLost)))
    }
}

impl Verify {
    /// Decides from memory, and from what was read for this question.
    pub fn evaluate(
        &self,
        verifier: &VerifierEntry,
        question: &Question<'_>,
        now: Timestamp,
        cold: Cold<'_>,
    ) -> Evaluated {
        let done = |found| Evaluated::Done(Box::new(found));
        let apis = self.index.apis.load();
        let loaded = apis.get(question.api).filter(|loaded| verifier.apis.contains(&loaded.id));
        let Some(loaded) = loaded else {
            return done(Found::denied(Reason::VerifierNotAllowed));
        };
        if !self.lease.holds() {
            return done(Found::denied(Reason::LeaseLost));
        }
        if classify(&self.product, question.token) != Some(SecretKind::PersonalToken) {
            return done(self.nobody(loaded, question, Reason::Malformed));
        }
        let token = match (self.token_in_memory(question.token), cold) {
            (Some(token), _) => token,
            (None, Cold::Read(warm)) => Arc::clone(&warm.token),
            (None, Cold::Absent) => return done(self.nobody(loaded, question, Reason::Unknown)),
            (None, Cold::NotAsked) => return Evaluated::Cold(Box::new(Found::denied(Reason::Unknown))),
        };
        token.touch();
        self.evaluate_known(loaded, question, now, token, cold)
    }

    /// A denial of what nobody owns. Whoever was called finds it in their records, as far as the call says who that is.
    fn nobody(&self, loaded: &Loaded, question: &Question<'_>, reason: Reason) -> Found {
        let wanted = Wanted::find(loaded, &question.what);
        let org = match self.said(question, &wanted) {
            Said::One(org) => org,
            Said::Outside | Said::Nothing => None,
        };
        let uses_it = |org: &OrgId| self.index.orgs.pin().get(org).is_some_and(|entry| entry.apis.contains(&loaded.id));
        Found {
            org: org.filter(uses_it),
            endpoint: wanted.template().map(str::to_owned),
            catalogue_version: loaded.version,
            ..Found::denied(reason)
        }
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
        names.get(name).or_else(|| names.get(tegata_core::name::fold(name).as_str())).copied()
    }

    fn token_in_memory(&self, text: &str) -> Option<Arc<TokenEntry>> {
        let tokens = self.index.tokens.pin();
        tokens
            .get(&self.hasher.digest(text))
            .or_else(|| self.hasher.previous_digest(text).and_then(|previous| tokens.get(&previous)))
            .cloned()
    }

    fn evaluate_known(
        &self,
        loaded: &Loaded,
        question: &Question<'_>,
        now: Timestamp,
        token: Arc<TokenEntry>,
        cold: Cold<'_>,
    ) -> Evaluated {
        let wanted = Wanted::find(loaded, &question.what);
        let judge = Judge { verify: self, loaded, question, now, token: &token, wanted: &wanted, cold };
        let outcome = match judge.organizations() {
            Candidates::One(org) => judge.in_organization(org),
            // An endpoint outside all organizations: allowed where any part of the credential allows it, and
            // otherwise denied for the reason of the part that came furthest.
            Candidates::Any => token
                .parts
                .iter()
                .map(|part| judge.in_organization(Some(part.org)))
                .fold(None, |best: Option<Outcome>, next| match best {
                    Some(best) if best.found.decision.is_allowed() || best.reason() >= next.reason() => Some(best),
                    _ => Some(next),
                })
                .unwrap_or_else(|| judge.in_organization(None)),
        };
        let mut found = outcome.found;
        found.endpoint = wanted.template().map(str::to_owned);
        found.catalogue_version = loaded.version;
        drop(wanted);
        if found.owner.is_none() {
            let owner = self.index.users.pin().get(&token.owner).cloned();
            found.owner = owner.or_else(|| cold.warm().map(|warm| Arc::clone(&warm.user)));
        }
        found.token = Some(token);
        let again = outcome.cold && matches!(cold, Cold::NotAsked);
        if again { Evaluated::Cold(Box::new(found)) } else { Evaluated::Done(Box::new(found)) }
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

struct Outcome {
    found: Found,
    /// Whether something of the owner was not in memory.
    cold: bool,
}

impl Outcome {
    fn reason(&self) -> Reason {
        self.found.decision.reason()
    }
}

/// What is known of one question about one known credential.
struct Judge<'a> {
    verify: &'a Verify,
    loaded: &'a Loaded,
    question: &'a Question<'a>,
    now: Timestamp,
    token: &'a Arc<TokenEntry>,
    wanted: &'a Wanted<'a>,
    cold: Cold<'a>,
}

impl Judge<'_> {
    /// DESIGN §1, "Which organization a check is in".
    fn organizations(&self) -> Candidates {
        match self.verify.said(self.question, self.wanted) {
            Said::One(org) => Candidates::One(org),
            Said::Outside => Candidates::Any,
            Said::Nothing => Candidates::One(match self.token.parts.as_ref() {
                [only] => Some(only.org),
                _ => None,
            }),
        }
    }

    /// Decides in one organization.
    fn in_organization(&self, org: Option<OrgId>) -> Outcome {
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
        let owner_active = user.is_some_and(|user| user.active) && member.as_ref().is_some_and(|member| member.active);
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
        Outcome { found: self.decide_needs(&needs, known, org), cold }
    }

    fn decide_needs(&self, found: &FoundNeeds, part: Part<'_>, org: OrgId) -> Found {
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
        let mut answer = Found { decision, org: Some(org), ..Found::denied(Reason::Unknown) };
        let asked_for_one = matches!(self.wanted, Wanted::Permission(..));
        let Some(alternative) = decision.alternative().map(usize::from).or(asked_for_one.then_some(0)) else {
            return answer;
        };
        let begin = if alternative == 0 { 0 } else { found.ends[alternative - 1] };
        let range = begin..found.ends[alternative];
        if let Some(first) = found.needs.get(begin) {
            let info = self.loaded.catalogue.permission(first.permission);
            answer.permission = info.map(|info| info.name.clone());
            answer.level = Some(first.level.as_str());
            answer.place = Some(first.place.to_string());
            answer.context = first.chain.first().copied();
        }
        let lacks = |need: &Need<'_>| match decision.reason() {
            Reason::ApprovalPending | Reason::ApprovalRejected | Reason::InsufficientScope => !is_granted(&part, need),
            Reason::OwnerLacksPermission => !is_held_by_owner(&part, need),
            _ => false,
        };
        answer.missing = needs[range.clone()]
            .iter()
            .zip(&found.needs[range])
            .filter(|(need, _)| lacks(need))
            .filter_map(|(_, found)| {
                let info = self.loaded.catalogue.permission(found.permission)?;
                Some(format!("{}:{}", found.place, info.name))
            })
            .collect();
        answer
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

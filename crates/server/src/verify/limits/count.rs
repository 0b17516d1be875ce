//! Counting one call: out of every limit that covers it, or out of none.

use super::subjects::Subject;
use super::told::RateLimit;
use super::{Limit, Limits};
use crate::authn::Actor;
use crate::verify::Verify;
use crate::verify::check::{Asked, Found, Wanted};
use smallvec::SmallVec;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tegata_core::ids::{ApiId, OrgId, SessionId, TokenId};
use tegata_core::limit::{Left, Per};
use tegata_core::owner::Owner;
use tegata_core::permissions::OWN_API;
use tegata_core::time::Timestamp;

/// A call that everything else has let pass.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The number of the credential that was shown.
    pub credential: u128,
    /// Who acts.
    pub principal: Owner,
    /// The organization; none where the call is in none.
    pub organization: Option<OrgId>,
    /// The API.
    pub api: ApiId,
    /// The class of the endpoint.
    pub class: Option<&'a str>,
    /// The moment.
    pub now: Timestamp,
}

impl Call<'_> {
    /// Who is counted by a limit; none where a call has nobody such.
    fn subject(&self, per: Per) -> Option<Subject> {
        let id = match per {
            Per::Credential => self.credential,
            Per::Principal => self.principal.as_u128(),
            Per::Organization => {
                self.organization?;
                0
            }
        };
        Some(Subject::new(self.organization, id))
    }
}

/// A limit that covers a call, with what is left of it.
#[derive(Debug)]
pub struct Counted<'l> {
    /// The limit.
    pub limit: &'l Limit,
    /// What is left.
    pub left: Left,
    /// Whether it said no, and after which time it would not.
    pub denied: Option<Duration>,
}

impl Limits {
    /// Takes a call out of each of these limits that covers it; where one of them says no, out of none. None where no limit
    /// covers it.
    pub fn count<'l>(
        &self,
        limits: impl Iterator<Item = &'l Arc<Limit>>,
        call: &Call<'_>,
    ) -> Option<SmallVec<[Counted<'l>; 4]>> {
        let mut covering: SmallVec<[(&Limit, Subject); 4]> = limits
            .filter(|limit| limit.covers.call(call.api, call.class))
            .filter_map(|limit| Some((&**limit, call.subject(limit.per)?)))
            .collect();
        if covering.is_empty() {
            return None;
        }
        // Narrow ones first, whoever set them.
        covering.sort_by_key(|(limit, _)| limit.per);
        let mut counted: SmallVec<[Counted<'l>; 4]> = SmallVec::new();
        for (limit, subject) in &covering {
            let taken = limit.subjects.take(*subject, &limit.rate, call.now);
            counted.push(Counted { limit, left: taken.left, denied: taken.denied });
            if taken.denied.is_some() {
                break;
            }
        }
        if counted.last().is_some_and(|last| last.denied.is_some())
            && let Some(denying) = counted.pop()
        {
            for (limit, subject) in covering.iter().take(counted.len()) {
                limit.subjects.give_back(*subject, &limit.rate);
            }
            counted.clear();
            // All that say no are named, so that nobody waits for one of them only.
            for (limit, subject) in &covering {
                let left = limit.subjects.look(*subject, &limit.rate, call.now);
                let denied =
                    if limit.id == denying.limit.id { denying.denied } else { left.next.filter(|_| left.calls == 0) };
                counted.push(Counted { limit, left, denied });
            }
            if let Some(count) = self.held_back.get(denying.limit.per as usize) {
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
        Some(counted)
    }
}

impl Verify {
    /// Counts a call that the rule allows; where a limit says no, the decision becomes a denial: the last condition.
    #[inline]
    pub(in crate::verify) fn hold_back(&self, asked: &Asked<'_>, found: &mut Found<'_>) {
        let everywhere = self.limits.everywhere();
        let own = found.org_entry.map_or(&[][..], |org| &org.limits);
        if (everywhere.is_none() && own.is_empty()) || !found.decision.is_allowed() {
            return;
        }
        self.hold_back_by(everywhere.iter().flat_map(|limits| limits.iter()).chain(own), asked, found);
    }

    #[inline(never)]
    fn hold_back_by<'l>(&self, limits: impl Iterator<Item = &'l Arc<Limit>>, asked: &Asked<'_>, found: &mut Found<'_>) {
        // Whatever is allowed has a credential.
        let Some(token) = found.token else { return };
        let class = match asked.wanted {
            Wanted::Endpoint(matched) => matched.endpoint.class.as_deref(),
            Wanted::Nothing | Wanted::Permission(..) => None,
        };
        let call = Call {
            credential: token.id.as_u128(),
            principal: token.owner,
            organization: found.org,
            api: asked.loaded.id,
            class,
            now: asked.now,
        };
        let Some(counted) = self.limits.count(limits, &call) else { return };
        let told = RateLimit::of(&counted, asked.now);
        if let Some(after) = told.retry_after {
            found.decision = found.decision.held_back();
            found.retry_after = Some(after);
        }
        found.rate_limit = Some(Box::new(told));
    }

    /// Counts a call of Tegata's own API that its guard has let pass. None where no limit covers it.
    pub fn count_own(&self, actor: &Actor, organization: Option<OrgId>, now: Timestamp) -> Option<RateLimit> {
        let view = self.index.view();
        let everywhere = self.limits.everywhere();
        let own = organization.and_then(|org| view.org(org)).map_or(&[][..], |org| &org.limits);
        if everywhere.is_none() && own.is_empty() {
            return None;
        }
        let credential = actor.token.map(TokenId::as_u128).or_else(|| actor.session.map(SessionId::as_u128));
        let call = Call {
            credential: credential?,
            principal: actor.owner(),
            organization,
            api: view.api(OWN_API)?.id,
            class: None,
            now,
        };
        let limits = everywhere.iter().flat_map(|limits| limits.iter()).chain(own);
        self.limits.count(limits, &call).map(|counted| RateLimit::of(&counted, now))
    }

    /// The limits on calls.
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }
}

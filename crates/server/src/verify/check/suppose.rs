//! What would be decided: the very rule and the very memory of a check, with a policy that is not in force. Nothing is
//! recorded, and no limit counts it.

use super::evaluate::{Asked, Cold, Found};
use super::judge::Judge;
use super::target::Wanted;
use super::{Question, What};
use crate::db::{DbError, Tx};
use crate::verify::entry::Warm;
use crate::verify::{Verify, load};
use std::net::IpAddr;
use tegata_core::bits::PermissionNumber;
use tegata_core::decide::{Decision, Reason};
use tegata_core::ids::{ContextId, TokenId};
use tegata_core::owner::Owner;
use tegata_core::policy::KindPolicies;
use tegata_core::time::Timestamp;

/// A call, as it was recorded.
#[derive(Debug, Clone, Copy)]
pub struct Past<'a> {
    /// The API, by its key.
    pub api: &'a str,
    /// What it wanted.
    pub what: What<'a>,
    /// The organization, by its id.
    pub organization: &'a str,
    /// Where it came from.
    pub address: Option<IpAddr>,
}

/// Whether a call would be allowed, and what for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Takes {
    /// Whether it would be.
    pub allowed: bool,
    /// Whether nothing is called like this any more.
    pub gone: bool,
    /// Permissions, each with the ids of its place and of those above it, innermost first.
    pub needs: Vec<(PermissionNumber, Vec<ContextId>)>,
}

impl Verify {
    /// A credential with its owner, as they are stored; none where there is no such credential any more.
    pub async fn as_stored(&self, tx: &mut Tx, id: TokenId) -> Result<Option<Warm>, DbError> {
        let Some(token) = load::entry_of(tx, &self.catalogues, id).await? else { return Ok(None) };
        let user = match token.owner {
            Owner::User(owner) => load::user(tx, owner, token.parts.iter().map(|part| part.org)).await?,
            Owner::Organization(_) | Owner::ServiceAccount(_) | Owner::Application(_) => None,
        };
        Ok(Some(Warm { token, user }))
    }

    /// Decides a call by today's facts: under the policies in force, and under others for the credential's kind. None where
    /// the API is no longer there.
    pub fn suppose(
        &self,
        warm: &Warm,
        past: &Past<'_>,
        other: &KindPolicies,
        now: Timestamp,
    ) -> Option<(Decision, Decision)> {
        let [before, after] = self.judged(warm, past, [None, Some(other)], now, |found| found.decision)?;
        Some((before, after))
    }

    /// Decides a call by today's facts, under these policies for the credential's kind. None where the API is no longer
    /// there.
    pub fn would_decide(
        &self,
        warm: &Warm,
        past: &Past<'_>,
        policies: &KindPolicies,
        now: Timestamp,
    ) -> Option<Decision> {
        let [decision] = self.judged(warm, past, [Some(policies)], now, |found| found.decision)?;
        Some(decision)
    }

    /// The same, and by which permissions: those of the alternative that decided where it is allowed, and otherwise those of
    /// every alternative.
    pub fn what_it_takes(
        &self,
        warm: &Warm,
        past: &Past<'_>,
        policies: &KindPolicies,
        now: Timestamp,
    ) -> Option<Takes> {
        let takes = |found: &Found<'_>| {
            let allowed = found.decision.is_allowed();
            let deciding = if allowed { found.deciding.clone() } else { 0..found.needs.needs.len() };
            let needs = found.needs.needs.get(deciding).unwrap_or_default().iter();
            let needs = needs.filter_map(|need| {
                let place = found.needs.place(need).filter(|place| place.registered)?;
                Some((need.permission, place.chain.to_vec()))
            });
            Takes { allowed, gone: found.decision.reason() == Reason::NoSuchEndpoint, needs: needs.collect() }
        };
        let [takes] = self.judged(warm, past, [Some(policies)], now, takes)?;
        Some(takes)
    }

    /// Judges a call under each of these policies, none being those in force, within one view of the memory.
    fn judged<R, const N: usize>(
        &self,
        warm: &Warm,
        past: &Past<'_>,
        under: [Option<&KindPolicies>; N],
        now: Timestamp,
        tell: impl Fn(&Found<'_>) -> R,
    ) -> Option<[R; N]> {
        let view = self.index.view();
        let loaded = view.api(past.api)?;
        let wanted = Wanted::find(loaded, &past.what);
        let question = Question {
            token: "",
            api: past.api,
            what: past.what,
            organization: Some(past.organization),
            address: past.address,
            user_agent: None,
            request_id: None,
        };
        let cold = Cold::Read(warm);
        let asked = Asked { view: &view, loaded, wanted: &wanted, question: &question, now, cold };
        Some(under.map(|supposed| {
            let mut found = Found::denied(Reason::Unknown);
            Judge { asked, token: &warm.token, supposed }.decide(&mut found);
            tell(&found)
        }))
    }
}

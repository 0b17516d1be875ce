//! Who may decide what was asked for, and how far a decision may narrow it (DESIGN §4).

use crate::authority::Authority;
use crate::bits::{PermissionNumber, PermissionSet};
use crate::credential::{GrantState, TransitionError, UnknownWord, words};
use crate::ids::{ApiId, ContextId};
use crate::level::Level;
use crate::policy::{Admission, KindPolicy};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

words! {
    /// Whether anything of a request waits for a decision.
    RequestState {
        /// At least one line does.
        Open = "open",
        /// None does any more.
        Closed = "closed",
    }
}

/// One line of a request: a permission in a place.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    /// Its state.
    pub state: GrantState,
    /// The API.
    pub api: ApiId,
    /// The ids of the place and of those above it, innermost first.
    pub chain: &'a [ContextId],
    /// The permission with what it implies; empty where the catalogue no longer has it, so that nothing of it is granted.
    pub with_implied: &'a PermissionSet,
}

/// Somebody who wants to decide.
#[derive(Debug, Clone, Copy)]
pub struct Decider<'a> {
    /// What they may do, and therefore pass on.
    pub authority: Authority<'a>,
    /// Tegata's own API, and the permission to answer for credentials that are used in a place.
    pub approving: (ApiId, PermissionNumber),
    /// What the request is to them.
    pub relation: Relation,
}

/// What a request is to whoever wants to decide it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// Somebody else's, whatever they act with.
    Anothers,
    /// Their own, as requester, owner, creator or the person acted for; and they are there in person.
    OwnInPerson,
    /// Their own, and a credential acts for them.
    OwnByCredential,
}

/// What a line is decided to be.
#[derive(Debug, Clone, Copy)]
pub enum Verdict<'a> {
    /// Granted, as this.
    Grant(Narrowed<'a>),
    /// Rejected.
    Reject,
}

/// What of a line is granted: the whole of it, or less.
#[derive(Debug, Clone, Copy)]
pub struct Narrowed<'a> {
    /// The ids of the place and of those above it, innermost first: the line's own, or one below.
    pub chain: &'a [ContextId],
    /// The permission: the line's own, or one that it implies.
    pub permission: PermissionNumber,
    /// The permission with what it implies.
    pub with_implied: &'a PermissionSet,
    /// Its level.
    pub level: Level,
}

/// Why a line cannot be decided this way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// They do not answer for the place.
    #[error("you do not answer for credentials that are used in this place")]
    NotTheirs,
    /// It is their own, and a credential acts for them.
    #[error("no credential decides a request of its owner: sign in and decide in person")]
    OwnByCredential,
    /// It is their own, and two people have to look.
    #[error("the organization's policy wants two people to look (four-eyes): somebody else decides your requests")]
    FourEyes,
    /// They do not have it themself.
    #[error("you do not have this permission in this place yourself, and nobody passes on what they do not have")]
    BeyondOwnRights,
    /// What would be granted is more than what was asked for.
    #[error(
        "this is not within what was asked for: name the same permission or one that it implies, in the same place or below"
    )]
    Wider,
    /// The policy has changed since it was asked for.
    #[error("the organization's policy admits no credentials of this kind any more")]
    PolicyDenied,
    /// The policy has changed since it was asked for.
    #[error("the organization's policy lets credentials of this kind read only")]
    PolicyReadOnly,
    /// It was decided meanwhile.
    #[error("{0}")]
    State(#[from] TransitionError),
}

/// Whether somebody answers for a place: what lets them see its requests, and decide them.
pub fn answers_for(authority: &Authority<'_>, approving: (ApiId, PermissionNumber), chain: &[ContextId]) -> bool {
    authority.covers(approving.0, approving.1, chain)
}

/// Decides a line: the state that it has then.
pub fn decide(
    line: &Line<'_>,
    decider: &Decider<'_>,
    policy: &KindPolicy,
    verdict: Verdict<'_>,
) -> Result<GrantState, Refused> {
    if !answers_for(&decider.authority, decider.approving, line.chain) {
        return Err(Refused::NotTheirs);
    }
    match decider.relation {
        Relation::OwnByCredential => return Err(Refused::OwnByCredential),
        Relation::OwnInPerson if policy.four_eyes => return Err(Refused::FourEyes),
        Relation::OwnInPerson | Relation::Anothers => {}
    }
    let Verdict::Grant(narrowed) = verdict else {
        return Ok(line.state.reject()?);
    };
    let next = line.state.grant()?;
    // A place is its own chain's first; the line's whole chain has to follow from somewhere within the narrower one.
    if !narrowed.chain.ends_with(line.chain) || !line.with_implied.contains(narrowed.permission) {
        return Err(Refused::Wider);
    }
    if policy.admission == Admission::Deny {
        return Err(Refused::PolicyDenied);
    }
    if !policy.level.admits(narrowed.level) {
        return Err(Refused::PolicyReadOnly);
    }
    match decider.authority.covers_all(line.api, narrowed.with_implied, narrowed.chain) {
        Ok(()) => Ok(next),
        Err(_) => Err(Refused::BeyondOwnRights),
    }
}

#[cfg(test)]
mod tests;

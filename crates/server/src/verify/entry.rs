//! What is kept in memory of each noun: just what a decision and its record need.

use crate::authn::Digest;
use crate::ops::rights::RoleContent;
use ipnet::IpNet;
use smallvec::SmallVec;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tegata_core::credential::{CredentialKind, CredentialState, PartState};
use tegata_core::decide::Grant;
use tegata_core::ids::{ApiId, ContextId, OrgId, RoleId, TeamId, TokenId, UserId, VerifierId};
use tegata_core::policy::KindPolicy;
use tegata_core::time::Timestamp;

/// A token, under one of its secrets.
#[derive(Debug)]
pub struct TokenEntry {
    /// Its id.
    pub id: TokenId,
    /// What it is.
    pub kind: CredentialKind,
    /// What its owner calls it.
    pub name: Box<str>,
    /// Whose it is.
    pub owner: UserId,
    /// Its state in all organizations.
    pub state: CredentialState,
    /// When it ends, or when the overlap of this secret does.
    pub expires_at: Timestamp,
    /// Where it may be shown from.
    pub addresses: Box<[IpNet]>,
    /// Its part in each organization.
    pub parts: SmallVec<[PartEntry; 1]>,
    /// Whether it was used since the eviction last came by.
    pub used: AtomicBool,
}

impl TokenEntry {
    /// Its part in an organization.
    pub fn part(&self, org: OrgId) -> Option<&PartEntry> {
        self.parts.iter().find(|part| part.org == org)
    }

    /// Marks it as used, without writing to shared memory more than once.
    pub fn touch(&self) {
        if !self.used.load(Ordering::Relaxed) {
            self.used.store(true, Ordering::Relaxed);
        }
    }
}

/// One organization's part of a token.
#[derive(Debug, Clone)]
pub struct PartEntry {
    /// The organization.
    pub org: OrgId,
    /// The state there.
    pub state: PartState,
    /// What was granted there.
    pub grants: SmallVec<[Grant; 1]>,
}

/// A verifier, under one of its secrets.
#[derive(Debug)]
pub struct VerifierEntry {
    /// Its id.
    pub id: VerifierId,
    /// Whether it was stopped.
    pub revoked: bool,
    /// When the overlap of this secret ends.
    pub valid_until: Option<Timestamp>,
    /// The APIs it may ask about.
    pub apis: Box<[ApiId]>,
}

/// A person's account.
#[derive(Debug)]
pub struct UserEntry {
    /// Whether it may be used.
    pub active: bool,
    /// What they are called.
    pub name: Box<str>,
}

/// A person in an organization.
#[derive(Debug)]
pub struct MemberEntry {
    /// Whether the membership is active.
    pub active: bool,
    /// Roles given to them directly, each in its place.
    pub roles: SmallVec<[(RoleId, Option<ContextId>); 2]>,
    /// The teams they are in.
    pub teams: Box<[TeamId]>,
}

/// A context.
#[derive(Debug)]
pub struct ContextEntry {
    /// The organization.
    pub org: OrgId,
    /// The context above it.
    pub parent: Option<ContextId>,
    /// Its type.
    pub kind: Box<str>,
    /// Its key as people write it.
    pub key: Box<str>,
}

/// An organization.
#[derive(Debug)]
pub struct OrgEntry {
    /// Its key.
    pub key: Box<str>,
    /// What it allows for personal tokens.
    pub personal_tokens: KindPolicy,
    /// The APIs it uses.
    pub apis: Box<[ApiId]>,
}

/// A role with what it holds.
pub type RoleEntry = Arc<RoleContent>;
/// The roles of a team, each in its place.
pub type TeamEntry = Arc<[(RoleId, Option<ContextId>)]>;

/// A token with all of its secrets, as it was read.
#[derive(Debug, Default)]
pub struct TokenReading {
    /// An entry for each secret.
    pub entries: Vec<(Digest, Arc<TokenEntry>)>,
}

/// A token that was read just now, with all that a decision about it needs of its owner.
#[derive(Debug)]
pub struct Warm {
    /// The token, under the secret that was shown.
    pub token: Arc<TokenEntry>,
    /// The owner's account.
    pub user: Arc<UserEntry>,
    /// The owner's memberships in the organizations of the token.
    pub members: Vec<(OrgId, Arc<MemberEntry>)>,
}

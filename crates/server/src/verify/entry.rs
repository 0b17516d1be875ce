//! What is kept in memory of each noun: just what a decision and its record need.

use crate::authn::Digest;
use crate::ops::rights::RoleContent;
use crate::verify::limits::List;
use ipnet::IpNet;
use smallvec::SmallVec;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use tegata_core::ceiling::Ceiling;
use tegata_core::credential::{Coverage, CredentialKind, CredentialState, PartState};
use tegata_core::decide::Grant;
use tegata_core::ids::{ApiId, ApplicationId, ContextId, OrgId, RoleId, TeamId, TokenId, VerifierId};
use tegata_core::owner::Owner;
use tegata_core::policy::KindPolicies;
use tegata_core::time::Timestamp;

/// A token, under one of its secrets.
#[derive(Debug)]
pub struct TokenEntry {
    /// Its id.
    pub id: TokenId,
    /// What it is.
    pub kind: CredentialKind,
    /// What its owner calls it.
    pub name: ShortText,
    /// How it says what it covers.
    pub coverage: Coverage,
    /// Whose it is.
    pub owner: Owner,
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

/// A text that needs no memory of its own where it is short.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct ShortText(SmallVec<[u8; 32]>);

impl ShortText {
    /// A text from its bytes; what is not UTF-8 reads as the empty text.
    #[inline]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(SmallVec::from_slice(bytes))
    }
}

impl std::ops::Deref for ShortText {
    type Target = str;

    fn deref(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl From<&str> for ShortText {
    fn from(text: &str) -> Self {
        Self::from_bytes(text.as_bytes())
    }
}

impl From<String> for ShortText {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl fmt::Debug for ShortText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl Clone for TokenEntry {
    fn clone(&self) -> Self {
        Self {
            id: self.id,
            kind: self.kind,
            name: self.name.clone(),
            coverage: self.coverage,
            owner: self.owner,
            state: self.state,
            expires_at: self.expires_at,
            addresses: self.addresses.clone(),
            parts: self.parts.clone(),
            used: AtomicBool::new(self.used.load(Ordering::Relaxed)),
        }
    }
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
    /// Until when its use there need not be noted again.
    pub noted: Noted,
}

/// In which step of time the use of something was last noted ([`super::uses`]); 0 where it was not.
#[derive(Debug, Default)]
pub struct Noted(AtomicU32);

impl Noted {
    /// Noted in a step.
    pub const fn at(step: u32) -> Self {
        Self(AtomicU32::new(step))
    }

    /// The step.
    pub fn step(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    /// Notes it.
    pub fn set(&self, step: u32) {
        self.0.store(step, Ordering::Relaxed);
    }
}

impl Clone for Noted {
    fn clone(&self) -> Self {
        Self::at(self.step())
    }
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

impl VerifierEntry {
    /// Whether it was not stopped.
    pub fn may_ask(&self, now: Timestamp) -> bool {
        !self.revoked && self.valid_until.is_none_or(|until| now < until)
    }
}

/// A person: their account, and their memberships as far as those were asked for.
#[derive(Debug, Clone)]
pub struct UserEntry {
    /// Whether the account may be used.
    pub active: bool,
    /// What they are called.
    pub name: Box<str>,
    /// Memberships; one that is not active stands for none.
    pub members: SmallVec<[(OrgId, MemberEntry); 1]>,
}

impl UserEntry {
    /// The membership in an organization; none where nobody asked for it yet.
    pub fn member(&self, org: OrgId) -> Option<&MemberEntry> {
        self.members.iter().find(|(other, _)| *other == org).map(|(_, member)| member)
    }

    /// Puts a membership in the place of an older one.
    pub fn set_member(&mut self, org: OrgId, member: MemberEntry) {
        match self.members.iter_mut().find(|(other, _)| *other == org) {
            Some((_, older)) => *older = member,
            None => self.members.push((org, member)),
        }
    }
}

/// A person in an organization.
#[derive(Debug, Clone)]
pub struct MemberEntry {
    /// Whether the membership is active.
    pub active: bool,
    /// Roles given to them directly, each in its place.
    pub roles: SmallVec<[(RoleId, Option<ContextId>); 2]>,
    /// The teams they are in.
    pub teams: Box<[TeamId]>,
}

/// A context.
#[derive(Debug, Clone, Copy)]
pub struct ContextEntry {
    /// The context above it.
    pub parent: Option<ContextId>,
}

/// An organization.
#[derive(Debug)]
pub struct OrgEntry {
    /// Its key.
    pub key: Box<str>,
    /// What people call it.
    pub name: Box<str>,
    /// What it allows for each kind of credential.
    pub policies: Policies,
    /// The APIs it uses.
    pub apis: Box<[ApiId]>,
    /// Its own limits on calls.
    pub limits: List,
}

/// What an organization and its contexts allow for each kind of credential.
#[derive(Debug)]
pub struct Policies {
    /// For personal tokens.
    pub personal_token: KindPolicies,
    /// For legacy tokens.
    pub legacy_token: KindPolicies,
    /// For organization keys.
    pub organization_key: KindPolicies,
    /// For access keys.
    pub access_key: KindPolicies,
    /// For applications and their tokens.
    pub application_token: KindPolicies,
}

impl Policies {
    /// The policy for a kind; none for sign-in sessions, which no policy governs.
    #[inline]
    pub const fn of(&self, kind: CredentialKind) -> Option<&KindPolicies> {
        match kind {
            CredentialKind::PersonalToken => Some(&self.personal_token),
            CredentialKind::LegacyToken => Some(&self.legacy_token),
            CredentialKind::OrganizationKey => Some(&self.organization_key),
            CredentialKind::AccessKey => Some(&self.access_key),
            CredentialKind::Application | CredentialKind::ApplicationToken => Some(&self.application_token),
            CredentialKind::Session => None,
        }
    }
}

/// A service account, with what it was given.
#[derive(Debug)]
pub struct ServiceAccountEntry {
    /// Its organization.
    pub org: OrgId,
    /// What it is called.
    pub name: Box<str>,
    /// Whether its keys count.
    pub active: bool,
    /// Its roles, each in its place.
    pub roles: TeamEntry,
}

/// An application, with what it was granted.
#[derive(Debug)]
pub struct ApplicationEntry {
    /// What it is called.
    pub name: Box<str>,
    /// What it is in each organization that has it: the part of the credential that carries its rights there.
    pub parts: SmallVec<[PartEntry; 1]>,
}

impl ApplicationEntry {
    /// What it is in an organization.
    pub fn part(&self, org: OrgId) -> Option<&PartEntry> {
        self.parts.iter().find(|part| part.org == org)
    }
}

/// A role with what it holds.
pub type RoleEntry = RoleContent;
/// The roles of a team, each in its place.
pub type TeamEntry = Box<[(RoleId, Option<ContextId>)]>;

/// What is always in memory, under ids that are random and so never the same for two nouns.
#[derive(Debug)]
pub enum Noun {
    /// An organization.
    Org(Box<OrgEntry>),
    /// A role.
    Role(RoleEntry),
    /// A team.
    Team(TeamEntry),
    /// A context.
    Context(ContextEntry),
    /// A service account.
    ServiceAccount(Box<ServiceAccountEntry>),
    /// An application.
    Application(Box<ApplicationEntry>),
    /// An access policy.
    AccessPolicy(Ceiling),
}

/// A token with all of its secrets, as it was read.
#[derive(Debug, Default)]
pub struct TokenReading {
    /// An entry for each secret.
    pub entries: Vec<(Digest, TokenEntry)>,
    /// The application whose rights it carries, where it does.
    pub application: Option<ApplicationId>,
}

/// A token that was read just now, with all that a decision about it needs of its owner.
#[derive(Debug, Clone)]
pub struct Warm {
    /// The token, under the secret that was shown.
    pub token: TokenEntry,
    /// Its owner with their memberships in the organizations of the token, where that is a person.
    pub user: Option<UserEntry>,
}

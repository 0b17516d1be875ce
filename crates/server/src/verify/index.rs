//! The maps, and the one rule of writing to them: no older reading ever covers a newer change.
//!
//! Readers take no lock. Whoever installs holds [`Index::installing`] from before the database is read until after
//! the last entry is in, and the follower applies changes under the same lock. A reading that began under the lock is
//! at least as new as the last change that was applied, so a refill that raced a revocation cannot bring it back:
//! either it is installed first and the revocation replaces it, or it is read later and contains the revocation.

use super::entry::{ContextEntry, MemberEntry, OrgEntry, RoleEntry, TeamEntry, TokenEntry, UserEntry, VerifierEntry};
use crate::authn::Digest;
use crate::catalogues::Loaded;
use arc_swap::ArcSwap;
use papaya::{Equivalent, HashMap};
use std::collections::VecDeque;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tegata_core::ids::{ContextId, OrgId, RoleId, TeamId, UserId};
use tokio::sync::Mutex;

/// Hashes what is random already. Digests are, under a key that nobody outside knows, and so are the ids that this
/// server makes: their low halves are as good as any hash of them.
#[derive(Debug, Default, Clone, Copy)]
pub struct FirstBytes(u64);

impl Hasher for FirstBytes {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk::<8>() {
            self.0 = self.0.rotate_left(23) ^ u64::from_le_bytes(*first);
        }
    }

    fn write_u128(&mut self, value: u128) {
        self.write(&value.to_le_bytes());
    }

    // The length of an array, which all keys of a map share.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

/// A map whose keys are random.
type ById<K, V> = HashMap<K, V, BuildHasherDefault<FirstBytes>>;
/// A map whose keys come from people.
type ByName<K, V> = HashMap<K, V, foldhash::quality::RandomState>;

/// Catalogues by API key.
pub type ByApi = std::collections::HashMap<String, Arc<Loaded>, foldhash::quality::RandomState>;

/// Everything that is in memory.
#[derive(Debug)]
pub struct Index {
    /// Tokens by the digest of their secret.
    pub tokens: ById<Digest, Arc<TokenEntry>>,
    /// Verifiers by the digest of their secret.
    pub verifiers: ById<Digest, Arc<VerifierEntry>>,
    /// Accounts.
    pub users: ById<UserId, Arc<UserEntry>>,
    /// Memberships.
    pub members: ById<(OrgId, UserId), Arc<MemberEntry>>,
    /// Roles; all of them.
    pub roles: ById<RoleId, RoleEntry>,
    /// Teams; all of them.
    pub teams: ById<TeamId, TeamEntry>,
    /// Contexts; all of them.
    pub contexts: ById<ContextId, Arc<ContextEntry>>,
    /// Contexts by what calls name them.
    pub context_names: ByName<ContextName, ContextId>,
    /// Organizations; all of them.
    pub orgs: ById<OrgId, Arc<OrgEntry>>,
    /// Organizations by key and by id.
    pub org_names: ByName<Box<str>, OrgId>,
    /// Catalogues by API key.
    pub apis: ArcSwap<ByApi>,
    /// Held by whoever installs; see the module's text.
    pub installing: Mutex<Installing>,
    /// Most tokens in memory.
    capacity: usize,
}

/// What only installers touch.
#[derive(Debug, Default)]
pub struct Installing {
    /// The number of the last change that was applied.
    pub applied: u64,
    /// The tokens in the order in which they came, for the eviction to go round.
    arrivals: VecDeque<Digest>,
}

impl Index {
    /// An empty memory for at most this many tokens.
    pub fn new(capacity: usize) -> Self {
        Self {
            tokens: HashMap::default(),
            verifiers: HashMap::default(),
            users: HashMap::default(),
            members: HashMap::default(),
            roles: HashMap::default(),
            teams: HashMap::default(),
            contexts: HashMap::default(),
            context_names: HashMap::default(),
            orgs: HashMap::default(),
            org_names: HashMap::default(),
            apis: ArcSwap::default(),
            installing: Mutex::default(),
            capacity: capacity.max(1),
        }
    }

    /// Puts a token into memory and, where there is no room, lets one go that was not used of late.
    pub fn install_token(&self, installing: &mut Installing, digest: Digest, entry: Arc<TokenEntry>) {
        let tokens = self.tokens.pin();
        if tokens.insert(digest, entry).is_none() {
            installing.arrivals.push_back(digest);
        }
        // Second chance: a token that was used since the last round goes to the end of the queue, once.
        let mut chances = installing.arrivals.len();
        while tokens.len() > self.capacity {
            let Some(oldest) = installing.arrivals.pop_front() else { break };
            chances = chances.saturating_sub(1);
            let used = tokens.get(&oldest).is_some_and(|entry| entry.used.swap(false, Ordering::Relaxed));
            if used && chances > 0 {
                installing.arrivals.push_back(oldest);
            } else {
                tokens.remove(&oldest);
            }
        }
        // Accounts and memberships are few beside tokens; where they are not, they are read again when needed.
        if self.users.len() > self.capacity {
            self.users.pin().clear();
        }
        if self.members.len() > self.capacity {
            self.members.pin().clear();
        }
    }

    /// Forgets every token: what their grants mean has changed. They are read again when they are next shown.
    pub fn forget_tokens(&self, installing: &mut Installing) {
        self.tokens.pin().clear();
        installing.arrivals.clear();
    }

    /// The ids of a context and of those above it, innermost first. The depth is bounded as in the database.
    pub fn chain(&self, context: ContextId, chain: &mut smallvec::SmallVec<[ContextId; 2]>) {
        let contexts = self.contexts.pin();
        let mut next = Some(context);
        while let Some(id) = next.filter(|_| chain.len() < 32) {
            chain.push(id);
            next = contexts.get(&id).and_then(|entry| entry.parent);
        }
    }
}

/// How a context is found in memory: organization, type, and its key or id as it is compared.
#[derive(Debug, PartialEq, Eq)]
pub struct ContextName {
    org: OrgId,
    kind: Box<str>,
    by: ContextBy,
    text: Box<str>,
}

/// The same, as a call names it: asking copies nothing.
#[derive(Debug, Clone, Copy)]
pub struct ContextNamed<'a> {
    /// The organization.
    pub org: OrgId,
    /// The type.
    pub kind: &'a str,
    /// What `text` is.
    pub by: ContextBy,
    /// The key or id.
    pub text: &'a str,
}

impl ContextName {
    /// The name of a context.
    pub fn new(org: OrgId, kind: &str, by: ContextBy, text: &str) -> Self {
        Self { org, kind: kind.into(), by, text: text.into() }
    }
}

impl Hash for ContextName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        ContextNamed { org: self.org, kind: &self.kind, by: self.by, text: &self.text }.hash(state);
    }
}

impl Hash for ContextNamed<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.org, self.kind, self.by, self.text).hash(state);
    }
}

impl Equivalent<ContextName> for ContextNamed<'_> {
    fn equivalent(&self, name: &ContextName) -> bool {
        self.org == name.org && self.by == name.by && *self.kind == *name.kind && *self.text == *name.text
    }
}

/// By what a context is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ContextBy {
    /// Its key as it is written, where its type minds case.
    Key,
    /// Its key in folded letters, where its type does not.
    FoldedKey,
    /// Its id, ours or the API's.
    Id,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;
    use tegata_core::credential::{CredentialKind, CredentialState};
    use tegata_core::ids::TokenId;
    use tegata_core::time::Timestamp;

    fn token(number: u8) -> (Digest, Arc<TokenEntry>) {
        let entry = TokenEntry {
            id: TokenId::from_u128(number.into()),
            kind: CredentialKind::PersonalToken,
            name: "t".into(),
            owner: UserId::from_u128(1),
            state: CredentialState::Active,
            expires_at: Timestamp::MAX,
            addresses: Box::default(),
            parts: smallvec::SmallVec::new(),
            used: AtomicBool::new(false),
        };
        (Digest([number; 32]), Arc::new(entry))
    }

    #[test]
    fn memory_is_bounded_and_what_is_used_stays() {
        let index = Index::new(3);
        let mut installing = Installing::default();
        for number in 1..=3 {
            let (digest, entry) = token(number);
            index.install_token(&mut installing, digest, entry);
        }
        index.tokens.pin().get(&Digest([1; 32])).unwrap().touch();
        let (digest, entry) = token(4);
        index.install_token(&mut installing, digest, entry);
        let tokens = index.tokens.pin();
        assert_eq!(tokens.len(), 3);
        assert!(tokens.contains_key(&Digest([1; 32])), "it was used");
        assert!(!tokens.contains_key(&Digest([2; 32])), "it was the oldest unused");
    }

    #[test]
    fn installing_again_takes_no_more_room() {
        let index = Index::new(2);
        let mut installing = Installing::default();
        for _ in 0..5 {
            let (digest, entry) = token(1);
            index.install_token(&mut installing, digest, entry);
        }
        assert_eq!(index.tokens.len(), 1);
        assert_eq!(installing.arrivals.len(), 1);
    }
}

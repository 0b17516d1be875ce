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
use papaya::HashMap;
use std::collections::VecDeque;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tegata_core::ids::{ContextId, OrgId, RoleId, TeamId, UserId};
use tokio::sync::Mutex;

/// Digests are random under a key that nobody outside knows: their first bytes are as good as any hash of them.
#[derive(Debug, Default, Clone, Copy)]
pub struct FirstBytes(u64);

impl Hasher for FirstBytes {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk::<8>() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    // The length of the array, which every digest has.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Everything that is in memory.
#[derive(Debug)]
pub struct Index {
    /// Tokens by the digest of their secret.
    pub tokens: HashMap<Digest, Arc<TokenEntry>, BuildHasherDefault<FirstBytes>>,
    /// Verifiers by the digest of their secret.
    pub verifiers: HashMap<Digest, Arc<VerifierEntry>, BuildHasherDefault<FirstBytes>>,
    /// Accounts.
    pub users: HashMap<UserId, Arc<UserEntry>>,
    /// Memberships.
    pub members: HashMap<(OrgId, UserId), Arc<MemberEntry>>,
    /// Roles; all of them.
    pub roles: HashMap<RoleId, RoleEntry>,
    /// Teams; all of them.
    pub teams: HashMap<TeamId, TeamEntry>,
    /// Contexts; all of them.
    pub contexts: HashMap<ContextId, Arc<ContextEntry>>,
    /// Contexts by what calls name them: see [`context_name`].
    pub context_names: HashMap<Box<str>, ContextId>,
    /// Organizations; all of them.
    pub orgs: HashMap<OrgId, Arc<OrgEntry>>,
    /// Organizations by key and by id.
    pub org_names: HashMap<Box<str>, OrgId>,
    /// Catalogues by API key.
    pub apis: ArcSwap<std::collections::HashMap<String, Arc<Loaded>>>,
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
    pub fn chain(&self, context: ContextId, chain: &mut smallvec::SmallVec<[ContextId; 4]>) {
        let contexts = self.contexts.pin();
        let mut next = Some(context);
        while let Some(id) = next.filter(|_| chain.len() < 32) {
            chain.push(id);
            next = contexts.get(&id).and_then(|entry| entry.parent);
        }
    }
}

/// How a context is found in memory: organization, type, and its key or id as it is compared.
pub fn context_name(org: OrgId, kind: &str, by: ContextBy, text: &str) -> String {
    use std::fmt::Write as _;
    let mut name = String::with_capacity(40 + kind.len() + text.len());
    let _ = write!(name, "{:x}\0{kind}\0", org.as_u128());
    name.push(match by {
        ContextBy::Key => 'k',
        ContextBy::FoldedKey => 'f',
        ContextBy::Id => 'i',
    });
    name.push_str(text);
    name
}

/// By what a context is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
            parts: Box::default(),
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

//! The maps, and the one rule of writing to them: no older reading ever covers a newer change.
//!
//! Readers take no lock. Whoever installs holds [`Index::installing`] from before the database is read until after
//! the last entry is in, and the follower applies changes under the same lock. A reading that began under the lock is
//! at least as new as the last change that was applied, so a refill that raced a revocation cannot bring it back:
//! either it is installed first and the revocation replaces it, or it is read later and contains the revocation.

use super::bytes::OF_A_SLOT;
use super::entry::{
    ApplicationEntry, ContextEntry, Noun, OrgEntry, RoleEntry, ServiceAccountEntry, TeamEntry, TokenEntry, UserEntry,
    VerifierEntry,
};
use super::tokens::{Moving, Room, Tokens, TokensView};
use super::users::Users;
use crate::authn::Digest;
use crate::catalogues::Loaded;
use arc_swap::ArcSwap;
use papaya::{Equivalent, HashMap, LocalGuard};
use seize::Collector;
use std::collections::VecDeque;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::Arc;
use tegata_core::ceiling::Ceiling;
use tegata_core::ids::{AccessPolicyId, ApplicationId, ContextId, OrgId, RoleId, ServiceAccountId, TeamId, UserId};
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
pub type ById<K, V> = HashMap<K, V, BuildHasherDefault<FirstBytes>>;
/// A map whose keys come from people.
type ByName<K, V> = HashMap<K, V, foldhash::quality::RandomState>;

/// Catalogues by API key.
pub type ByApi = std::collections::HashMap<String, Arc<Loaded>, foldhash::quality::RandomState>;

/// Everything that is in memory.
#[derive(Debug)]
pub struct Index {
    /// Tokens by the digest of their secret.
    pub tokens: Tokens,
    /// Verifiers by the digest of their secret.
    pub verifiers: ById<Digest, Arc<VerifierEntry>>,
    /// Owners of tokens.
    pub users: Users,
    /// Organizations, roles, teams and contexts; all of them.
    pub nouns: ById<u128, Noun>,
    /// Organizations and contexts by what calls name them.
    pub names: ByName<Name, Named>,
    /// Catalogues by API key.
    pub apis: ArcSwap<ByApi>,
    /// Held by whoever installs; see the module's text.
    pub installing: Mutex<Installing>,
    /// What tokens and their owners may take of memory.
    bytes_max: usize,
}

/// The part of memory that owners of tokens may take of what is for both.
const FOR_USERS: usize = 4;

/// What only installers touch.
#[derive(Debug, Default)]
pub struct Installing {
    /// The number of the last change that was applied.
    pub applied: u64,
    /// The tokens in the order in which they came, for the eviction to go round.
    arrivals: VecDeque<Digest>,
    /// How far a growing memory of tokens has been moved.
    moving: Moving,
}

impl Index {
    /// An empty memory for tokens and owners that take this many bytes.
    pub fn new(bytes_max: usize) -> Self {
        // One for the maps that every question looks at, so that it has to announce itself once.
        let collector = Arc::new(Collector::new());
        Self {
            tokens: Tokens::new((bytes_max / OF_A_SLOT).max(1)),
            verifiers: HashMap::default(),
            users: Users::new(&collector, bytes_max / FOR_USERS),
            nouns: shared(&collector),
            names: shared(&collector),
            apis: ArcSwap::default(),
            installing: Mutex::default(),
            bytes_max,
        }
    }

    /// What tokens and their owners take of memory, about. While the table of tokens grows, it takes half as much again.
    pub fn bytes(&self) -> usize {
        self.tokens.bytes() + self.users.bytes()
    }

    /// Puts a token into memory and, where there is no room, lets others go that were not used of late.
    pub fn install_token(&self, installing: &mut Installing, digest: Digest, entry: TokenEntry) {
        if self.tokens.put(&mut installing.moving, digest, entry) {
            installing.arrivals.push_back(digest);
        }
        // Second chance: a token that was used since the last round goes to the end of the queue, once.
        let mut chances = installing.arrivals.len();
        let room = self.bytes_max - self.users.bytes().min(self.bytes_max / FOR_USERS);
        while self.tokens.bytes() > room {
            let Some(oldest) = installing.arrivals.pop_front() else { break };
            chances = chances.saturating_sub(1);
            if self.tokens.take_used(&oldest) && chances > 0 {
                installing.arrivals.push_back(oldest);
            } else {
                self.tokens.remove(&oldest);
            }
        }
    }

    /// Forgets every token: what their grants mean has changed. They are read again when they are next shown.
    pub fn forget_tokens(&self, installing: &mut Installing) {
        self.tokens.clear(&mut installing.moving);
        installing.arrivals.clear();
    }

    /// What is in memory now, for one question. It holds back the memory of what is replaced meanwhile, so it is kept
    /// for one question or batch, and never while something is waited for.
    pub fn view(&self) -> View<'_> {
        View { tokens: self.tokens.view(), index: self, guard: self.nouns.guard(), apis: self.apis.load() }
    }
}

/// A map whose memory is collected together with that of others.
pub fn shared<K: Send + 'static, V: Send + 'static, S: Default>(collector: &Arc<Collector>) -> HashMap<K, V, S> {
    HashMap::builder().hasher(S::default()).shared_collector(Arc::clone(collector)).build()
}

/// The memory as one question sees it: lends, and copies nothing. Each entry is of some moment of the question.
pub struct View<'i> {
    tokens: TokensView<'i>,
    index: &'i Index,
    /// Keeps what was lent of users, nouns and names.
    guard: LocalGuard<'i>,
    apis: arc_swap::Guard<Arc<ByApi>>,
}

impl View<'_> {
    /// Asks for the memory of tokens that are about to be looked up, and does not wait for it.
    pub fn seek_tokens<'d>(&self, digests: impl Iterator<Item = &'d Digest> + Clone) {
        self.tokens.seek(digests);
    }

    /// Looks a token up. Tells whether there is one in `room` now.
    pub fn token(&self, digest: &Digest, room: &mut Room) -> bool {
        self.tokens.find(digest, room)
    }

    /// An owner of tokens.
    pub fn user(&self, id: UserId) -> Option<&UserEntry> {
        self.index.users.get(id, &self.guard)
    }

    /// A catalogue, by the API's key.
    pub fn api(&self, key: &str) -> Option<&Loaded> {
        self.apis.get(key).map(AsRef::as_ref)
    }

    /// An organization.
    pub fn org(&self, id: OrgId) -> Option<&OrgEntry> {
        match self.index.nouns.get(&id.as_u128(), &self.guard) {
            Some(Noun::Org(org)) => Some(org),
            _ => None,
        }
    }

    /// A role.
    pub fn role(&self, id: RoleId) -> Option<&RoleEntry> {
        match self.index.nouns.get(&id.as_u128(), &self.guard) {
            Some(Noun::Role(role)) => Some(role),
            _ => None,
        }
    }

    /// A team.
    pub fn team(&self, id: TeamId) -> Option<&TeamEntry> {
        match self.index.nouns.get(&id.as_u128(), &self.guard) {
            Some(Noun::Team(team)) => Some(team),
            _ => None,
        }
    }

    /// A service account.
    pub fn service_account(&self, id: ServiceAccountId) -> Option<&ServiceAccountEntry> {
        match self.index.nouns.get(&id.as_u128(), &self.guard) {
            Some(Noun::ServiceAccount(account)) => Some(account),
            _ => None,
        }
    }

    /// An application.
    pub fn application(&self, id: ApplicationId) -> Option<&ApplicationEntry> {
        match self.index.nouns.get(&id.as_u128(), &self.guard) {
            Some(Noun::Application(application)) => Some(application),
            _ => None,
        }
    }

    /// An access policy.
    pub fn ceiling(&self, id: AccessPolicyId) -> Option<&Ceiling> {
        match self.index.nouns.get(&id.as_u128(), &self.guard) {
            Some(Noun::AccessPolicy(ceiling)) => Some(ceiling),
            _ => None,
        }
    }

    /// A context.
    pub fn context(&self, id: ContextId) -> Option<&ContextEntry> {
        match self.index.nouns.get(&id.as_u128(), &self.guard) {
            Some(Noun::Context(context)) => Some(context),
            _ => None,
        }
    }

    /// The organization with this key or id, however its letters are written.
    pub fn org_named(&self, text: &str) -> Option<OrgId> {
        let find =
            |text: &str| match self.index.names.get(&Naming { org: None, kind: "", by: NameBy::Id, text }, &self.guard)
            {
                Some(Named::Org(org)) => Some(*org),
                _ => None,
            };
        find(text).or_else(|| find(tegata_core::name::folded(text).as_ref()))
    }

    /// The context that a call names.
    pub fn context_named(&self, org: OrgId, kind: &str, by: NameBy, text: &str) -> Option<ContextId> {
        match self.index.names.get(&Naming { org: Some(org), kind, by, text }, &self.guard) {
            Some(Named::Context(context)) => Some(*context),
            _ => None,
        }
    }

    /// The ids of a context and of those above it, innermost first. The depth is bounded as in the database.
    pub fn chain(&self, context: ContextId, chain: &mut smallvec::SmallVec<[ContextId; 2]>) {
        let mut next = Some(context);
        while let Some(id) = next.filter(|_| chain.len() < 32) {
            chain.push(id);
            next = self.context(id).and_then(|entry| entry.parent);
        }
    }
}

/// How something is found in memory: the organization that it is in, its type, and its key or id as it is compared.
#[derive(Debug, PartialEq, Eq)]
pub struct Name {
    org: Option<OrgId>,
    kind: Box<str>,
    by: NameBy,
    text: Box<str>,
}

/// The same, as a call names it: asking copies nothing.
#[derive(Debug, Clone, Copy)]
struct Naming<'a> {
    org: Option<OrgId>,
    kind: &'a str,
    by: NameBy,
    text: &'a str,
}

/// What has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// An organization.
    Org(OrgId),
    /// A context.
    Context(ContextId),
}

impl Name {
    /// The name of an organization: its key, or its id.
    pub fn of_org(text: &str) -> Self {
        Self { org: None, kind: Box::default(), by: NameBy::Id, text: text.into() }
    }

    /// The name of a context.
    pub fn of_context(org: OrgId, kind: &str, by: NameBy, text: &str) -> Self {
        Self { org: Some(org), kind: kind.into(), by, text: text.into() }
    }
}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Naming { org: self.org, kind: &self.kind, by: self.by, text: &self.text }.hash(state);
    }
}

impl Hash for Naming<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // The type is left out: keys of two types are seldom the same, and then they are compared.
        state.write_u128(self.org.map_or(0, OrgId::as_u128));
        state.write(self.text.as_bytes());
        state.write_u8(self.by as u8);
    }
}

impl Equivalent<Name> for Naming<'_> {
    fn equivalent(&self, name: &Name) -> bool {
        self.org == name.org && self.by == name.by && *self.text == *name.text && *self.kind == *name.kind
    }
}

/// By what something is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NameBy {
    /// Its key as it is written, where its type minds case.
    Key,
    /// Its key in folded letters, where its type does not.
    FoldedKey,
    /// Its id, ours or the API's; for organizations also the key, which no id is like.
    Id,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;
    use tegata_core::credential::{Coverage, CredentialKind, CredentialState};
    use tegata_core::ids::TokenId;
    use tegata_core::owner::Owner;
    use tegata_core::time::Timestamp;

    fn token(number: u8) -> (Digest, TokenEntry) {
        let entry = TokenEntry {
            id: TokenId::from_u128(number.into()),
            kind: CredentialKind::PersonalToken,
            name: "t".into(),
            coverage: Coverage::Listed,
            owner: Owner::User(UserId::from_u128(1)),
            state: CredentialState::Active,
            expires_at: Timestamp::MAX,
            addresses: Box::default(),
            parts: smallvec::SmallVec::new(),
            used: AtomicBool::new(false),
        };
        (Digest([number; 32]), entry)
    }

    #[test]
    fn memory_is_bounded_and_what_is_used_stays() {
        let index = Index::new(3 * token(1).1.bytes().max(OF_A_SLOT));
        let mut installing = Installing::default();
        for number in 1..=3 {
            let (digest, entry) = token(number);
            index.install_token(&mut installing, digest, entry);
        }
        assert!(index.view().token(&Digest([1; 32]), &mut Room::Empty));
        let (digest, entry) = token(4);
        index.install_token(&mut installing, digest, entry);
        let tokens = &index.tokens;
        assert_eq!(tokens.len(), 3);
        assert!(tokens.contains(&Digest([1; 32])), "it was used");
        assert!(!tokens.contains(&Digest([2; 32])), "it was the oldest unused");
    }

    #[test]
    fn large_tokens_take_more_of_the_room() {
        let (_, entry) = token(1);
        let entry = TokenEntry { name: "n".repeat(300).as_str().into(), ..entry };
        let room = 10 * entry.bytes();
        let index = Index::new(room);
        let mut installing = Installing::default();
        for number in 1..=50 {
            let (digest, _) = token(number);
            index.install_token(&mut installing, digest, entry.clone());
            assert!(index.bytes() <= room);
        }
        assert_eq!(index.tokens.len(), 10);
        let (digest, small) = token(50);
        index.install_token(&mut installing, digest, small);
        assert_eq!(index.tokens.len(), 10, "one that became smaller");
        assert!(index.bytes() < room);
    }

    #[test]
    fn installing_again_takes_no_more_room() {
        let index = Index::new(2 * OF_A_SLOT);
        let mut installing = Installing::default();
        for _ in 0..5 {
            let (digest, entry) = token(1);
            index.install_token(&mut installing, digest, entry);
        }
        assert_eq!(index.tokens.len(), 1);
        assert_eq!(installing.arrivals.len(), 1);
    }
}

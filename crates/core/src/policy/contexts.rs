//! What contexts say of a kind of credential beyond the organization. A context only tightens: what counts in a place is
//! the strictest of what the organization says and of what every context on the way there says.

use super::{Admission, KindPolicy, LevelLimit};
use crate::ids::ContextId;
use ipnet::IpNet;
use std::borrow::Cow;
use std::time::Duration;

/// What a context says of one kind of credential, in itself and everything below. What it does not say is as above.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ContextPolicy {
    /// Whether and how they come into use there.
    pub admission: Option<Admission>,
    /// How far they reach there.
    pub level: Option<LevelLimit>,
    /// Longest life of what is made for use there.
    pub max_lifetime: Option<Duration>,
    /// Whether nobody decides a request of their own there.
    pub four_eyes: bool,
    /// How long requests for something there wait.
    pub request_lifetime: Option<Duration>,
    /// Where they may be shown from for something there; empty where it says nothing of it.
    pub addresses: Vec<IpNet>,
}

/// The first thing in which a context's policy would be looser than what is above it. A context cannot say no to
/// four-eyes, so that is never one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looser {
    /// Admission: above there is this.
    Admission(Admission),
    /// Level: above they only read.
    Level,
    /// Longest life: above there is this.
    MaxLifetime(Duration),
    /// How long requests wait: above there is this.
    RequestLifetime(Duration),
    /// Addresses: this range is not within those above.
    Addresses(IpNet),
}

impl ContextPolicy {
    /// Whether it says anything.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it could stand below this one.
    pub fn is_within(&self, above: &Self) -> Result<(), Looser> {
        if let (Some(own), Some(above)) = (self.admission, above.admission)
            && strictness(own) < strictness(above)
        {
            return Err(Looser::Admission(above));
        }
        if self.level == Some(LevelLimit::All) && above.level == Some(LevelLimit::ReadOnly) {
            return Err(Looser::Level);
        }
        if let Some(longest) = longer(self.max_lifetime, above.max_lifetime) {
            return Err(Looser::MaxLifetime(longest));
        }
        if let Some(longest) = longer(self.request_lifetime, above.request_lifetime) {
            return Err(Looser::RequestLifetime(longest));
        }
        let outside = |range: &&IpNet| !above.addresses.iter().any(|around| around.contains(*range));
        match self.addresses.iter().find(outside) {
            Some(range) if !above.addresses.is_empty() => Err(Looser::Addresses(*range)),
            _ => Ok(()),
        }
    }
}

/// What is above, where one's own is longer.
fn longer(own: Option<Duration>, above: Option<Duration>) -> Option<Duration> {
    above.filter(|above| own.is_some_and(|own| own > *above))
}

const fn strictness(admission: Admission) -> u8 {
    match admission {
        Admission::Allow => 0,
        Admission::Approval => 1,
        Admission::Deny => 2,
    }
}

impl KindPolicy {
    /// The same, as far as a context could say it.
    pub fn as_context(&self) -> ContextPolicy {
        ContextPolicy {
            admission: Some(self.admission),
            level: Some(self.level),
            max_lifetime: Some(self.max_lifetime),
            four_eyes: self.four_eyes,
            request_lifetime: Some(self.request_lifetime),
            addresses: self.addresses.clone(),
        }
    }

    /// The stricter of this and of what a context says, in everything but addresses: of those each list counts by itself.
    fn tighten(&mut self, by: &ContextPolicy) {
        if let Some(admission) = by.admission.filter(|own| strictness(*own) > strictness(self.admission)) {
            self.admission = admission;
        }
        if by.level == Some(LevelLimit::ReadOnly) {
            self.level = LevelLimit::ReadOnly;
        }
        self.max_lifetime = by.max_lifetime.map_or(self.max_lifetime, |own| own.min(self.max_lifetime));
        self.request_lifetime = by.request_lifetime.map_or(self.request_lifetime, |own| own.min(self.request_lifetime));
        self.four_eyes |= by.four_eyes;
    }
}

/// What an organization and its contexts say of one kind of credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KindPolicies {
    /// What the organization says.
    pub organization: KindPolicy,
    /// What contexts say, in the order of their ids. Few organizations have any.
    contexts: Box<[(ContextId, ContextPolicy)]>,
}

impl KindPolicies {
    /// An organization's policy with those of its contexts, each at most once.
    pub fn new(organization: KindPolicy, mut contexts: Vec<(ContextId, ContextPolicy)>) -> Self {
        contexts.sort_unstable_by_key(|(context, _)| *context);
        Self { organization, contexts: contexts.into() }
    }

    /// The same, but for addresses: for asking what may be done from wherever it is allowed.
    #[must_use]
    pub fn from_anywhere(&self) -> Self {
        let mut anywhere = self.clone();
        anywhere.organization.addresses.clear();
        for (_, policy) in &mut anywhere.contexts {
            policy.addresses.clear();
        }
        anywhere
    }

    /// What contexts say, in the order of their ids.
    pub const fn contexts(&self) -> &[(ContextId, ContextPolicy)] {
        &self.contexts
    }

    /// What a context says by itself.
    pub fn of(&self, context: ContextId) -> Option<&ContextPolicy> {
        let place = self.contexts.binary_search_by_key(&context, |(context, _)| *context).ok()?;
        self.contexts.get(place).map(|(_, policy)| policy)
    }

    /// What the contexts of a place say, innermost first.
    pub fn on<'a>(&'a self, chain: &'a [ContextId]) -> impl Iterator<Item = (ContextId, &'a ContextPolicy)> {
        chain.iter().filter_map(|context| Some((*context, self.of(*context)?)))
    }

    /// What counts in a place, whose ids come innermost first: the strictest of all that is said on the way there. The
    /// addresses are the organization's alone: see [`Self::addresses_in`].
    pub fn counting_in(&self, chain: &[ContextId]) -> Cow<'_, KindPolicy> {
        let mut policy = Cow::Borrowed(&self.organization);
        if !self.contexts.is_empty() {
            for (_, own) in self.on(chain) {
                policy.to_mut().tighten(own);
            }
        }
        policy
    }

    /// From where credentials may be shown in a place: none for anywhere, and an empty list for nowhere.
    pub fn addresses_in(&self, chain: &[ContextId]) -> Option<Vec<IpNet>> {
        let lists = self.on(chain).map(|(_, policy)| &policy.addresses).chain([&self.organization.addresses]);
        lists.filter(|list| !list.is_empty()).fold(None, |known, list| match known {
            None => Some(list.clone()),
            Some(known) => Some(common(&known, list)),
        })
    }
}

/// What two lists of ranges have in common. Of two ranges that meet one lies in the other.
fn common(one: &[IpNet], other: &[IpNet]) -> Vec<IpNet> {
    let meet = |a: &IpNet, b: &IpNet| match (a.contains(b), b.contains(a)) {
        (true, _) => Some(*b),
        (_, true) => Some(*a),
        _ => None,
    };
    let all: Vec<IpNet> = one.iter().flat_map(|a| other.iter().filter_map(move |b| meet(a, b))).collect();
    IpNet::aggregate(&all)
}

#[cfg(test)]
mod tests;

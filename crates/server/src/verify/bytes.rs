//! What entries take of memory: what they are, what they point to, and their place in a map. About, and rather more.

use super::entry::{MemberEntry, PartEntry, TokenEntry, UserEntry};
use smallvec::{Array, SmallVec};
use tegata_core::decide::Grant;

/// A place in a map, with its key and what the map leaves empty.
const PLACE: usize = 96;

/// A token that lies in a slot: 256 bytes, a quarter more since a fifth of all slots stays empty, its tag, and its place in
/// the order of arrivals.
pub const OF_A_SLOT: usize = 384;

impl TokenEntry {
    /// What it takes of memory where it lies in no slot.
    pub fn bytes(&self) -> usize {
        PLACE
            + size_of::<Self>()
            + self.name.len()
            + size_of_val(&*self.addresses)
            + heap(&self.parts)
            + self.parts.iter().map(PartEntry::beyond).sum::<usize>()
    }
}

impl PartEntry {
    fn beyond(&self) -> usize {
        let bounds = |grant: &Grant| grant.bounds.as_ref().map_or(0, |bounds| size_of_val(&**bounds));
        let words = |grant: &Grant| size_of_val(grant.permissions.words()) + bounds(grant);
        heap(&self.grants) + self.grants.iter().map(words).sum::<usize>()
    }
}

impl UserEntry {
    /// What they take of memory.
    pub fn bytes(&self) -> usize {
        let beyond = |member: &MemberEntry| heap(&member.roles) + size_of_val(&*member.teams);
        PLACE
            + size_of::<Self>()
            + self.name.len()
            + heap(&self.members)
            + self.members.iter().map(|(_, member)| beyond(member)).sum::<usize>()
    }
}

/// What a list has outside of itself.
fn heap<A: Array>(list: &SmallVec<A>) -> usize {
    if list.spilled() { list.capacity() * size_of::<A::Item>() } else { 0 }
}

//! The owners of tokens in memory, bounded by what they take of it.

use super::entry::{MemberEntry, UserEntry};
use super::index::{ById, shared};
use papaya::LocalGuard;
use seize::Collector;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tegata_core::ids::{OrgId, UserId};

/// Owners by their ids. One installer at a time puts them in ([`super::index`]); readers take no lock.
#[derive(Debug)]
pub struct Users {
    map: ById<UserId, Kept>,
    /// What they take of memory.
    bytes: AtomicUsize,
    /// What they may take.
    bytes_max: usize,
}

#[derive(Debug)]
struct Kept {
    user: UserEntry,
    bytes: usize,
    /// Whether a question asked for them since room was last made.
    used: AtomicBool,
}

impl Users {
    /// Nobody, with room for so many bytes.
    pub fn new(collector: &Arc<Collector>, bytes_max: usize) -> Self {
        Self { map: shared(collector), bytes: AtomicUsize::new(0), bytes_max }
    }

    /// What they take of memory, about.
    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// An owner, for a question.
    #[inline]
    pub fn get<'g>(&self, id: UserId, guard: &'g LocalGuard<'_>) -> Option<&'g UserEntry> {
        let kept = self.map.get(&id, guard)?;
        if !kept.used.load(Ordering::Relaxed) {
            kept.used.store(true, Ordering::Relaxed);
        }
        Some(&kept.user)
    }

    /// Looks at an owner.
    pub fn look<T>(&self, id: UserId, at: impl FnOnce(&UserEntry) -> T) -> Option<T> {
        self.map.pin().get(&id).map(|kept| at(&kept.user))
    }

    /// Puts an owner into memory, and lets others go where there is no room: those first that no question asked for since
    /// that was last done. Whoever went is read again when needed.
    pub fn put(&self, id: UserId, user: UserEntry) {
        let users = self.map.pin();
        let kept = Kept { bytes: user.bytes(), user, used: AtomicBool::new(true) };
        self.bytes.fetch_add(kept.bytes, Ordering::Relaxed);
        if let Some(older) = users.insert(id, kept) {
            self.bytes.fetch_sub(older.bytes, Ordering::Relaxed);
        }
        if self.bytes() <= self.bytes_max {
            return;
        }
        // So much that it is not to be done again for each who comes.
        let wanted = self.bytes_max / 4 * 3;
        for the_used_as_well in [false, true] {
            for (other, kept) in &users {
                if self.bytes() <= wanted {
                    return;
                }
                if *other != id && (the_used_as_well || !kept.used.swap(false, Ordering::Relaxed)) {
                    users.remove(other);
                    self.bytes.fetch_sub(kept.bytes, Ordering::Relaxed);
                }
            }
        }
    }

    /// Puts a membership into memory where its person is there: of others it is read when it is needed.
    pub fn put_member(&self, org: OrgId, id: UserId, member: MemberEntry) {
        if let Some(mut user) = self.look(id, UserEntry::clone) {
            user.set_member(org, member);
            self.put(id, user);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use smallvec::SmallVec;

    fn user() -> UserEntry {
        UserEntry { active: true, name: "somebody".into(), members: SmallVec::new() }
    }

    #[test]
    fn whoever_was_asked_for_stays() {
        let collector = Arc::new(Collector::new());
        let users = Users::new(&collector, 100 * user().bytes());
        let id = UserId::from_u128;
        let is_there = |number| users.map.pin().contains_key(&id(number));
        (0..100).for_each(|number| users.put(id(number), user()));
        assert!((0..100).all(is_there) && users.bytes() == 100 * user().bytes());
        // The first that does not fit: all count as used, so any may go, but for the one who came.
        users.put(id(100), user());
        assert!(is_there(100));
        assert!(users.bytes() <= 75 * user().bytes());
        // Now they are told apart.
        let left: Vec<u128> = (0..=100).filter(|number| is_there(*number)).collect();
        let (asked, others) = left.split_at(20);
        let guard = users.map.guard();
        assert!(asked.iter().all(|number| users.get(id(*number), &guard).is_some()));
        drop(guard);
        (200..230).for_each(|number| users.put(id(number), user()));
        assert!(asked.iter().all(|number| is_there(*number)), "they were asked for");
        assert!(!others.iter().all(|number| is_there(*number)), "somebody had to go");
        assert!(users.bytes() <= 100 * user().bytes());
    }

    #[test]
    fn bytes_are_those_of_who_is_there() {
        let users = Users::new(&Arc::new(Collector::new()), usize::MAX);
        let id = UserId::from_u128(1);
        users.put(id, user());
        users.put(id, UserEntry { name: "a much longer name than before".into(), ..user() });
        let member = MemberEntry { active: true, roles: SmallVec::new(), teams: Box::default() };
        users.put_member(OrgId::from_u128(1), id, member.clone());
        users.put_member(OrgId::from_u128(1), UserId::from_u128(2), member);
        assert_eq!(users.bytes(), users.look(id, UserEntry::bytes).unwrap());
        assert_eq!(users.map.len(), 1, "a membership alone is of no use");
    }
}

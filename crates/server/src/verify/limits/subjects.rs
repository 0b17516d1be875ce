//! Who has used how much of one limit: a map without locks from subjects to what they have used, bounded. A subject whose
//! quota has refilled needs no place and is swept out.
//!
//! Where there is no place left, subjects that have none share what one of them would have: nobody is denied for the mere
//! number of others, and a limit still limits.

use crate::verify::index::FirstBytes;
use papaya::HashMap;
use std::hash::BuildHasherDefault;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use tegata_core::base32;
use tegata_core::ids::OrgId;
use tegata_core::limit::{Left, Rate, Taken, Used};
use tegata_core::time::Timestamp;

/// Who is counted: within which organization, and whom, by the number behind their id. Nobody is counted across
/// organizations, since one would learn of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Subject {
    organization: u128,
    id: u128,
}

impl Subject {
    /// Somebody in an organization; none where a call is in none.
    pub fn new(organization: Option<OrgId>, id: u128) -> Self {
        Self { organization: organization.map_or(0, OrgId::as_u128), id }
    }

    /// As it is stored.
    pub fn text(self) -> String {
        let letters = [base32::encode(self.organization), base32::encode(self.id)];
        letters.iter().flatten().map(|letter| char::from(*letter)).collect()
    }

    /// From what is stored.
    pub fn parse(text: &str) -> Option<Self> {
        let (organization, id) = text.split_at_checked(base32::LENGTH)?;
        Some(Self { organization: base32::decode(organization)?, id: base32::decode(id)? })
    }
}

/// Places for subjects, which several limits share.
#[derive(Debug)]
pub struct Room {
    taken: AtomicUsize,
    places: usize,
}

impl Room {
    /// So many places.
    pub const fn new(places: usize) -> Self {
        Self { taken: AtomicUsize::new(0), places }
    }

    /// How many are taken.
    pub fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    fn take(&self) -> bool {
        self.taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |taken| (taken < self.places).then_some(taken + 1))
            .is_ok()
    }

    fn leave(&self, places: usize) {
        self.taken.fetch_sub(places, Ordering::Relaxed);
    }
}

/// What one subject has used: nanoseconds of [`Used`], or [`GONE`].
#[derive(Debug)]
struct State {
    used: AtomicI64,
    /// What of it is in the database.
    written: AtomicI64,
}

/// The state was swept out of the map, and whoever still holds it looks again.
const GONE: i64 = i64::MIN;

/// What is used of one limit.
#[derive(Debug)]
pub struct Subjects {
    map: HashMap<Subject, State, BuildHasherDefault<FirstBytes>>,
    /// What those have used who have no place.
    others: AtomicI64,
    room: Arc<Room>,
}

/// Something of a state that is to be stored.
#[derive(Debug, Clone, Copy)]
pub struct Unwritten {
    /// Whose.
    pub subject: Subject,
    /// What is used.
    pub used: Used,
}

impl Subjects {
    /// Nothing is used.
    pub fn new(room: Arc<Room>) -> Self {
        Self { map: HashMap::default(), others: AtomicI64::new(0), room }
    }

    /// Takes a call of a subject out of their quota, if it is there.
    pub fn take(&self, subject: Subject, rate: &Rate, now: Timestamp) -> Taken {
        let map = self.map.pin();
        loop {
            let state = match map.get(&subject) {
                Some(state) => state,
                None if self.room.take() => match map.try_insert(subject, State::new(0, 0)) {
                    Ok(state) => state,
                    Err(there) => {
                        self.room.leave(1);
                        there.current
                    }
                },
                None => loop {
                    // The state of the others is never gone.
                    if let Some(taken) = take(&self.others, rate, now) {
                        return taken;
                    }
                },
            };
            match take(&state.used, rate, now) {
                Some(taken) => return taken,
                None => self.remove(&subject),
            }
        }
    }

    /// What a subject has left.
    pub fn look(&self, subject: Subject, rate: &Rate, now: Timestamp) -> Left {
        let used = self.map.pin().get(&subject).map(|state| state.used.load(Ordering::Acquire));
        let used = used.unwrap_or_else(|| if self.is_full() { self.others.load(Ordering::Acquire) } else { 0 });
        rate.look(Used::from_nanos(used), now)
    }

    /// Gives a call back that was taken a moment ago.
    pub fn give_back(&self, subject: Subject, rate: &Rate) {
        let map = self.map.pin();
        let used = map.get(&subject).map_or(&self.others, |state| &state.used);
        update(used, |used| rate.give_back(used));
    }

    /// Makes of what was used of one rate what is used of another.
    pub fn carry(&self, step_nanos: i64, rate: &Rate, now: Timestamp) {
        for (_, state) in &self.map.pin() {
            update(&state.used, |used| rate.carry(used, step_nanos, now));
        }
        update(&self.others, |used| rate.carry(used, step_nanos, now));
    }

    /// Puts back what was stored, where there is a place and nothing is known yet.
    pub fn restore(&self, subject: Subject, used: Used) {
        if self.room.take() && self.map.pin().try_insert(subject, State::new(used.as_nanos(), used.as_nanos())).is_err()
        {
            self.room.leave(1);
        }
    }

    /// Lets go of subjects whose quota has refilled.
    pub fn sweep(&self, now: Timestamp) {
        let map = self.map.pin();
        for (subject, state) in &map {
            let used = state.used.load(Ordering::Acquire);
            let at_rest = used == GONE || Used::from_nanos(used).is_nothing(now);
            if at_rest && state.used.compare_exchange(used, GONE, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
                self.remove(subject);
            }
        }
    }

    /// What changed since it was last stored and has not refilled, at most so much of it. The order is the same as long as
    /// nobody comes or goes.
    pub fn unwritten(&self, now: Timestamp, most: usize) -> Vec<Unwritten> {
        let map = self.map.pin();
        let changed = map.iter().filter_map(|(subject, state)| {
            let nanos = state.used.load(Ordering::Acquire);
            let used = Used::from_nanos(nanos);
            let is_news = nanos != state.written.load(Ordering::Relaxed) && !used.is_nothing(now);
            is_news.then_some(Unwritten { subject: *subject, used })
        });
        changed.take(most).collect()
    }

    /// Notes that something was stored.
    pub fn written(&self, stored: &Unwritten) {
        if let Some(state) = self.map.pin().get(&stored.subject) {
            state.written.store(stored.used.as_nanos(), Ordering::Relaxed);
        }
    }

    fn is_full(&self) -> bool {
        self.room.taken() >= self.room.places
    }

    /// Takes a state out of the map that is gone.
    fn remove(&self, subject: &Subject) {
        let map = self.map.pin();
        let removed = map.remove_if(subject, |_, state| state.used.load(Ordering::Acquire) == GONE);
        if matches!(removed, Ok(Some(_))) {
            self.room.leave(1);
        }
    }
}

impl Drop for Subjects {
    fn drop(&mut self) {
        self.room.leave(self.map.pin().len());
    }
}

impl State {
    const fn new(used: i64, written: i64) -> Self {
        Self { used: AtomicI64::new(used), written: AtomicI64::new(written) }
    }
}

/// Takes a call out of a state; none where the state is gone.
fn take(state: &AtomicI64, rate: &Rate, now: Timestamp) -> Option<Taken> {
    let mut used = state.load(Ordering::Acquire);
    loop {
        if used == GONE {
            return None;
        }
        let taken = rate.take(Used::from_nanos(used), now);
        let after = taken.used.as_nanos();
        if after == used {
            return Some(taken);
        }
        match state.compare_exchange_weak(used, after, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => return Some(taken),
            Err(other) => used = other,
        }
    }
}

/// Changes a state, unless it is gone.
fn update(state: &AtomicI64, change: impl Fn(Used) -> Used) {
    // An error says that it is gone, and nothing is left to change.
    let _ = state.fetch_update(Ordering::AcqRel, Ordering::Acquire, |used| {
        (used != GONE).then(|| change(Used::from_nanos(used)).as_nanos())
    });
}

#[cfg(test)]
mod tests;

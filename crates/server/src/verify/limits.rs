//! Limits on calls, as checks count them. All limits are in memory always, fed by the follower; what is used of them is
//! counted here, and only here ([`subjects`]). A check takes no lock and asks no database; where there are no limits, it
//! looks at one flag and one empty list.
//!
//! A call is counted when everything else has let it pass: the rule decides, and then the limits do. It takes a call out of
//! each limit that covers it, or out of none ([`count`]).

pub mod count;
pub mod keeping;
pub mod subjects;
pub mod told;

use crate::db::limits::Limit as Stored;
use arc_swap::{ArcSwap, Guard};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use subjects::{Room, Subjects};
use tegata_core::ids::{LimitId, OrgId};
use tegata_core::limit::{Covers, Per, Rate};
use tegata_core::time::Timestamp;

/// Most limits that hold in every organization.
pub const EVERYWHERE_MAX: usize = 50;
/// Most limits of one organization's own.
pub const OWN_MAX: usize = 20;
/// Most subjects that the limits for every organization tell apart at a time, together.
const SUBJECTS_EVERYWHERE: usize = 1_000_000;
/// The same for the own limits of one organization, so that what one counts takes no room from another.
const SUBJECTS_OWN: usize = 50_000;

/// A limit with what is used of it.
#[derive(Debug)]
pub struct Limit {
    /// Its id.
    pub id: LimitId,
    /// The name that callers are told. An organization may give its own limit the name that the publisher gave one, so its
    /// own stand behind `organization/`, which no name has in it.
    pub policy: Box<str>,
    /// How many calls in which time.
    pub rate: Rate,
    /// For whom.
    pub per: Per,
    /// Which calls.
    pub covers: Covers,
    /// What is used of it.
    pub subjects: Arc<Subjects>,
}

/// Limits of one owner, narrow ones first: whoever is held back by one that counts for them alone disturbs no other.
pub type List = Arc<[Arc<Limit>]>;

/// All limits.
#[derive(Debug)]
pub struct Limits {
    /// Whether any holds in every organization.
    any: AtomicBool,
    everywhere: ArcSwap<Vec<Arc<Limit>>>,
    /// The same and those of organizations, for whoever installs, writes or sweeps; no check looks here.
    all: Mutex<HashMap<Option<OrgId>, Owned>>,
    /// Calls that were held back, by that for whom the limit counts that said so first; see [`Per::ALL`].
    held_back: [AtomicU64; Per::ALL.len()],
}

/// Limits of one owner, with the room that they share.
#[derive(Debug)]
struct Owned {
    list: List,
    room: Arc<Room>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            any: AtomicBool::new(false),
            everywhere: ArcSwap::default(),
            all: Mutex::default(),
            held_back: Default::default(),
        }
    }
}

impl Limits {
    /// The limits that hold in every organization; none where there are none.
    #[inline]
    pub fn everywhere(&self) -> Option<Guard<Arc<Vec<Arc<Limit>>>>> {
        self.any.load(Ordering::Acquire).then(|| self.everywhere.load())
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Option<OrgId>, Owned>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An organization's own limits.
    pub fn own(&self, org: OrgId) -> List {
        self.all().get(&Some(org)).map(|owned| Arc::clone(&owned.list)).unwrap_or_default()
    }

    /// Every limit there is.
    pub fn every(&self) -> Vec<Arc<Limit>> {
        self.all().values().flat_map(|owned| owned.list.iter().map(Arc::clone)).collect()
    }

    /// Installs the limits of an owner, none for those in every organization, in place of those that were there. What was
    /// used of a limit stays used: as many calls, and all of its quota at most.
    pub fn install(&self, owner: Option<OrgId>, stored: &[Stored], now: Timestamp) {
        let mut all = self.all();
        let before = all.get(&owner);
        let places = if owner.is_none() { SUBJECTS_EVERYWHERE } else { SUBJECTS_OWN };
        let room = before.map_or_else(|| Arc::new(Room::new(places)), |owned| Arc::clone(&owned.room));
        let mut list: Vec<Arc<Limit>> = stored
            .iter()
            .map(|stored| {
                let known = before.and_then(|owned| owned.list.iter().find(|known| known.id == stored.id));
                let subjects = match known {
                    Some(known) => {
                        if known.rate != stored.rate {
                            // A call that is being counted by the old rate meanwhile counts as that.
                            known.subjects.carry(known.rate.step_nanos(), &stored.rate, now);
                        }
                        Arc::clone(&known.subjects)
                    }
                    None => Arc::new(Subjects::new(Arc::clone(&room))),
                };
                Arc::new(Limit {
                    id: stored.id,
                    policy: policy(owner, &stored.name).into(),
                    rate: stored.rate,
                    per: stored.per,
                    covers: stored.covers.clone(),
                    subjects,
                })
            })
            .collect();
        list.sort_by_key(|limit| (limit.per, limit.id));
        if owner.is_none() {
            self.everywhere.store(Arc::new(list.clone()));
            self.any.store(!list.is_empty(), Ordering::Release);
        }
        if list.is_empty() {
            all.remove(&owner);
        } else {
            all.insert(owner, Owned { list: list.into(), room });
        }
    }

    /// Calls that were held back since the start, by that for whom the first limit that said no counts.
    pub fn held_back(&self) -> impl Iterator<Item = (Per, u64)> {
        Per::ALL.iter().zip(&self.held_back).map(|(per, count)| (*per, count.load(Ordering::Relaxed)))
    }

    /// How many subjects are told apart now.
    pub fn subjects(&self) -> usize {
        self.all().values().map(|owned| owned.room.taken()).sum()
    }
}

/// The name of a limit as callers are told it.
pub fn policy(owner: Option<OrgId>, name: &str) -> String {
    if owner.is_none() { name.to_owned() } else { format!("organization/{name}") }
}

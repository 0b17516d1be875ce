//! What was asked for, as it is kept with a task.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tegata_core::credential::GrantState;

/// What was asked for.
#[derive(Debug, Serialize, Deserialize)]
pub struct Submitted {
    /// Whether it came as a list of items.
    pub bundle: bool,
    /// The items; one where it came without a list.
    pub items: Vec<Item>,
}

/// One resource and action.
#[derive(Debug, Serialize, Deserialize)]
pub struct Item {
    /// The resource, as it was sent.
    pub resource: Box<RawValue>,
    /// The action, as it was sent.
    pub action: Box<RawValue>,
    /// The lines of the request that it waits for; none where everything was granted at once.
    pub lines: Vec<i64>,
}

impl Submitted {
    /// Whether both ask for the same.
    pub fn is_same(&self, other: &Self) -> bool {
        let same = |(one, other): (&Item, &Item)| {
            let parsed = |raw: &RawValue| serde_json::from_str::<serde_json::Value>(raw.get()).ok();
            one.lines == other.lines
                && parsed(&one.resource) == parsed(&other.resource)
                && parsed(&one.action) == parsed(&other.action)
        };
        self.bundle == other.bundle
            && self.items.len() == other.items.len()
            && self.items.iter().zip(&other.items).all(same)
    }
}

/// What a task, or an item of it, has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It waits for a decision.
    Pending,
    /// It was granted.
    Approved,
    /// It was rejected.
    Denied,
    /// It was taken back.
    Cancelled,
    /// Nobody decided it in time.
    Expired,
    /// Its items came to different ends.
    Partial,
}

impl Status {
    /// The word of the profile.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Partial => "partial",
        }
    }

    /// What a line of a request is to an item that waits for it. What was granted and is taken away again was approved:
    /// a task ends once, and the next evaluation says no.
    const fn of_line(state: GrantState) -> Self {
        match state {
            GrantState::Requested => Self::Pending,
            GrantState::Granted | GrantState::Ungranted => Self::Approved,
            GrantState::Rejected => Self::Denied,
            GrantState::Withdrawn => Self::Cancelled,
            GrantState::Expired => Self::Expired,
        }
    }

    /// What an item has come to, all of whose lines have to be granted: while one waits it waits, and otherwise what kept it
    /// from being approved says what became of it.
    pub fn of_lines(states: impl Iterator<Item = GrantState>) -> Self {
        let lines: Vec<Self> = states.map(Self::of_line).collect();
        let ends = [Self::Pending, Self::Denied, Self::Cancelled, Self::Expired];
        ends.into_iter().find(|status| lines.contains(status)).unwrap_or(Self::Approved)
    }

    /// What a task has come to whose items are these (profile, "Access Request Response").
    pub fn of_items(items: &[Self]) -> Self {
        match items.split_first() {
            None => Self::Approved,
            Some(_) if items.contains(&Self::Pending) => Self::Pending,
            Some((first, rest)) if rest.iter().all(|other| other == first) => *first,
            Some(_) => Self::Partial,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_item_needs_all_of_its_lines() {
        use GrantState::{Expired, Granted, Rejected, Requested, Ungranted, Withdrawn};
        for (lines, expected) in [
            (vec![], Status::Approved),
            (vec![Granted, Ungranted], Status::Approved),
            (vec![Granted, Requested, Rejected], Status::Pending),
            (vec![Granted, Rejected, Withdrawn], Status::Denied),
            (vec![Granted, Withdrawn, Expired], Status::Cancelled),
            (vec![Granted, Expired], Status::Expired),
        ] {
            assert_eq!(Status::of_lines(lines.iter().copied()), expected, "{lines:?}");
        }
    }

    #[test]
    fn a_task_is_partial_only_where_its_items_differ() {
        use Status::{Approved, Denied, Expired, Partial, Pending};
        for (items, expected) in [
            (vec![Approved, Approved], Approved),
            (vec![Approved, Denied], Partial),
            (vec![Denied, Expired], Partial),
            (vec![Denied, Pending, Approved], Pending),
            (vec![Expired], Expired),
        ] {
            assert_eq!(Status::of_items(&items), expected, "{items:?}");
        }
    }

    fn state() -> impl Strategy<Value = GrantState> {
        use GrantState::{Expired, Granted, Rejected, Requested, Withdrawn};
        prop::sample::select(vec![Requested, Granted, Rejected, Withdrawn, Expired])
    }

    proptest! {
        /// However the lines go on, what has ended stays as it was.
        #[test]
        fn what_has_ended_stays(lines in prop::collection::vec(state(), 1..6), steps in prop::collection::vec(0_usize..4, 6)) {
            let before = Status::of_lines(lines.iter().copied());
            let after: Vec<_> = lines.iter().zip(steps).map(|(line, step)| match step {
                0 => line.ungrant().unwrap_or(*line),
                1 => line.withdraw().unwrap_or(*line),
                2 => line.expire().unwrap_or(*line),
                _ => *line,
            }).collect();
            if before != Status::Pending {
                prop_assert_eq!(Status::of_lines(after.into_iter()), before);
            }
        }
    }
}

//! The world with a memory: who gave what to whom.

use super::world::{Actor, Deed, Power, USERS, World};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// A world with a memory: who had what at the start, and of whom everybody first had the rest.
pub struct History {
    pub world: World,
    contexts_at_start: usize,
    /// For everything that somebody ever had: who passed it on first; none for what they had at the start.
    origins: BTreeMap<(usize, Power), Option<usize>>,
}

impl History {
    pub fn of(world: World) -> Self {
        let had = |user| world.powers(user).into_iter().map(move |power| ((user, power), None));
        Self { contexts_at_start: world.parents.len(), origins: (0..USERS).flat_map(had).collect(), world }
    }

    /// Does the deed if it is permitted; tells whether it was.
    pub fn attempt(&mut self, actor: Actor, deed: Deed) -> Result<bool, TestCaseError> {
        let permitted = self.world.permits(actor, &deed);
        if permitted {
            self.force(actor, deed)?;
        }
        Ok(permitted)
    }

    /// Does the deed, and fails where somebody gained what the actor could not pass on.
    pub fn force(&mut self, actor: Actor, deed: Deed) -> Result<(), TestCaseError> {
        let passes_on = matches!(deed, Deed::Assign { .. } | Deed::Edit { .. });
        let issues = matches!(deed, Deed::Issue { .. });
        let (giver, could_give) = (self.world.owner(actor), self.world.powers_of(actor));
        let before: Vec<_> = (0..USERS).map(|user| self.world.powers(user)).collect();
        self.world.perform(actor, deed);
        for (user, before) in before.iter().enumerate() {
            for power in self.world.powers(user).difference(before) {
                // Who makes a place administers it; nobody had anything there before.
                if power.1.is_some_and(|context| context >= self.contexts_at_start) {
                    continue;
                }
                prop_assert!(passes_on, "user {user} gained {power:?} and nobody passed anything on");
                prop_assert!(could_give.contains(power), "{actor:?} gave {power:?} to user {user} without having it");
                self.origins.entry((user, *power)).or_insert(Some(giver));
            }
        }
        if issues {
            let made = self.world.powers_of(Actor::With(self.world.tokens.len() - 1));
            prop_assert!(made.is_subset(&could_give), "{actor:?} issued more than it has");
        }
        Ok(())
    }

    /// Whether everything that anybody has now goes back, giver by giver, to somebody who had it at the start.
    pub fn check_origins(&self) -> Result<(), TestCaseError> {
        let at_start = |power: &Power| power.1.is_none_or(|context| context < self.contexts_at_start);
        for user in 0..USERS {
            for power in self.world.powers(user).into_iter().filter(at_start) {
                let mut holder = user;
                for _ in 0..=self.origins.len() {
                    match self.origins.get(&(holder, power)) {
                        Some(Some(giver)) => holder = *giver,
                        Some(None) => break,
                        None => {
                            return Err(TestCaseError::fail(format!("{power:?} of user {holder} is from nowhere")));
                        }
                    }
                }
                prop_assert_eq!(self.origins.get(&(holder, power)), Some(&None), "a circle of givers");
            }
        }
        Ok(())
    }
}

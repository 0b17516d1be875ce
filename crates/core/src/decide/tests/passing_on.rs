//! Passing on, over time: no chain of operations gives anyone a right that nobody who had it passed on (DESIGN §2).

mod history;
mod steps;
mod world;

use crate::credential::GrantState;
use crate::decide::Grant;
use history::History;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeMap;
use steps::{steps, worlds};
use world::{ADMINISTRATOR, APIS, Actor, Deed, PERMISSIONS, Place, Role, Token, World, grant, set};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn nobody_ever_has_what_nobody_who_had_it_passed_on(world in worlds(), steps in vec(steps(), 0..30)) {
        let mut history = History::of(world);
        for step in steps {
            let (actor, deed) = step.in_world(&history.world);
            history.attempt(actor, deed)?;
        }
        history.check_origins()?;
    }
}

const ANN: usize = 0;
const BEN: usize = 1;
const CARLA: usize = 2;
const EDITOR: usize = 1;
/// Two contexts, the second below the first.
const PROJECT: Place = Some(0);
const CHANNEL: Place = Some(1);

/// Ann administers the project; editors may do 1 and 2 of the first API.
fn ann_and_the_project() -> World {
    let editor = Role::Of(BTreeMap::from([(APIS[0], set(&[1, 2]))]));
    World {
        parents: vec![None, PROJECT],
        roles: vec![Role::Administrator, editor],
        assignments: vec![(ANN, ADMINISTRATOR, PROJECT)],
        tokens: Vec::new(),
    }
}

fn assign(user: usize, role: usize, place: Place) -> Deed {
    Deed::Assign { user, role, place }
}

#[test]
fn who_has_a_role_passes_it_on_where_they_have_it() -> Result<(), TestCaseError> {
    let mut history = History::of(ann_and_the_project());
    let ben = Actor::SignedIn(BEN);
    assert!(!history.attempt(ben, assign(BEN, EDITOR, CHANNEL))?, "before he has it");
    assert!(history.attempt(Actor::SignedIn(ANN), assign(BEN, EDITOR, CHANNEL))?);
    assert!(history.attempt(ben, assign(CARLA, EDITOR, CHANNEL))?);
    assert!(!history.attempt(ben, assign(CARLA, EDITOR, PROJECT))?, "above");
    assert!(!history.attempt(ben, assign(BEN, ADMINISTRATOR, CHANNEL))?, "himself administrator");
    assert!(!history.attempt(Actor::SignedIn(ANN), assign(ANN, ADMINISTRATOR, None))?, "of everything");
    let edit = Deed::Edit { role: EDITOR, api: APIS[0], permissions: set(&[1, 2, 3]) };
    assert!(!history.attempt(ben, edit.clone())?, "a role he holds");
    assert!(!history.attempt(Actor::SignedIn(ANN), edit)?, "a role that may be assigned beyond her project");
    history.check_origins()
}

#[test]
fn the_history_notices_what_was_not_passed_on() {
    let force = |actor, deed| {
        let mut history = History::of(ann_and_the_project());
        history.force(actor, deed).and_then(|()| history.check_origins())
    };
    assert!(force(Actor::SignedIn(ANN), assign(BEN, EDITOR, CHANNEL)).is_ok());
    assert!(force(Actor::SignedIn(BEN), assign(BEN, EDITOR, CHANNEL)).is_err());
    assert!(force(Actor::SignedIn(ANN), assign(BEN, ADMINISTRATOR, None)).is_err());
    let issue = Deed::Issue { grants: vec![grant(APIS[0], PROJECT, &[1])] };
    assert!(force(Actor::SignedIn(ANN), issue.clone()).is_ok());

    let mut history = History::of(ann_and_the_project());
    history.world.tokens.push(Token { owner: ANN, grants: Vec::new() });
    assert!(history.force(Actor::With(0), issue).is_err(), "a token that mints more than itself");

    let mut history = History::of(ann_and_the_project());
    assert!(history.force(Actor::SignedIn(ANN), assign(BEN, EDITOR, PROJECT)).is_ok());
    let edit = Deed::Edit { role: EDITOR, api: APIS[0], permissions: set(&[1, 2, 3]) };
    assert!(history.force(Actor::SignedIn(BEN), edit).is_err(), "a role he holds");

    let mut history = History::of(ann_and_the_project());
    history.world.assignments.push((CARLA, EDITOR, None));
    assert!(history.check_origins().is_err(), "from nowhere");
}

#[test]
fn a_token_passes_on_its_grants_and_nothing_else_of_its_owner() -> Result<(), TestCaseError> {
    let mut world = ann_and_the_project();
    let waiting = Grant { state: GrantState::Requested, ..grant(APIS[0], PROJECT, &[1, 2]) };
    world.tokens.push(Token { owner: ANN, grants: vec![waiting] });
    let mut history = History::of(world);
    let narrow = Deed::Issue { grants: vec![grant(APIS[0], CHANNEL, &[1])] };
    let wide = Deed::Issue { grants: vec![grant(APIS[0], CHANNEL, &[1, 2])] };
    assert!(!history.attempt(Actor::With(0), narrow.clone())?, "nothing is granted yet");
    assert!(history.attempt(Actor::SignedIn(ANN), narrow.clone())?);
    assert!(history.attempt(Actor::With(1), narrow)?, "as much as itself");
    assert!(!history.attempt(Actor::With(1), wide.clone())?, "more than itself");
    assert!(!history.attempt(Actor::With(1), assign(BEN, EDITOR, CHANNEL))?, "a role beyond it");
    assert!(history.attempt(Actor::SignedIn(ANN), wide)?);
    assert!(history.attempt(Actor::With(3), assign(BEN, EDITOR, CHANNEL))?);
    assert!(!history.attempt(Actor::With(3), assign(BEN, EDITOR, PROJECT))?, "above its grant");
    history.check_origins()
}

#[test]
fn a_token_passes_on_nothing_that_its_owner_lost() -> Result<(), TestCaseError> {
    let mut history = History::of(ann_and_the_project());
    let deed = Deed::Issue { grants: vec![grant(APIS[0], PROJECT, &[1, 2])] };
    assert!(history.attempt(Actor::SignedIn(ANN), deed.clone())?);
    assert!(history.attempt(Actor::SignedIn(ANN), Deed::Unassign { assignment: 0 })?);
    assert!(!history.attempt(Actor::With(0), deed)?);
    assert!(!history.attempt(Actor::With(0), assign(BEN, EDITOR, PROJECT))?);
    history.check_origins()
}

#[test]
fn administration_is_passed_on_by_an_administrator_of_the_place_signed_in() -> Result<(), TestCaseError> {
    let mut world = ann_and_the_project();
    let all: Vec<u16> = (0..PERMISSIONS).collect();
    world.tokens.push(Token { owner: ANN, grants: APIS.map(|api| grant(api, None, &all)).into() });
    world.roles.push(Role::Of(APIS.map(|api| (api, set(&all))).into()));
    world.assignments.push((BEN, 2, None));
    let mut history = History::of(world);
    assert!(!history.attempt(Actor::With(0), assign(CARLA, ADMINISTRATOR, CHANNEL))?, "a token of an administrator");
    assert!(
        !history.attempt(Actor::SignedIn(BEN), assign(CARLA, ADMINISTRATOR, CHANNEL))?,
        "every permission there is"
    );
    assert!(history.attempt(Actor::SignedIn(ANN), assign(CARLA, ADMINISTRATOR, CHANNEL))?);
    assert!(!history.attempt(Actor::SignedIn(CARLA), assign(BEN, ADMINISTRATOR, PROJECT))?, "above hers");
    history.check_origins()
}

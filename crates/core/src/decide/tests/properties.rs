//! What holds for all facts.

use super::reference;
use super::scene::{Asked, Scene, Wide, Wish};
use super::strategies::{context_policy, grants, open_scenes, rights, scenes, wishes};
use crate::credential::{CredentialKind, CredentialState, GrantState, PartState};
use crate::decide::{Grant, Organization, Reason, Target, is_granted, is_held_by_owner};
use crate::level::Level;
use crate::policy::{Admission, KindPolicy, LevelLimit};
use proptest::prelude::*;
use proptest::sample::Index;
use std::collections::BTreeMap;

/// Contexts that additions may name; a scene with fewer is given the rest at its root.
const CONTEXTS: usize = 5;

fn with_all_contexts(mut scene: Scene) -> Scene {
    for number in 1..=CONTEXTS {
        scene.parents.entry(crate::ids::ContextId::from_u128(number as u128)).or_insert(None);
    }
    scene
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Every combination of facts has an answer, and it is the reference's: allow or deny, reason and alternative.
    #[test]
    fn decides_as_the_sentence_says(scene in scenes()) {
        prop_assert_eq!(scene.decide(), reference::decision(&scene));
        prop_assert_eq!(scene.decide().is_allowed(), reference::allows(&scene));
    }

    /// The same where nothing but policy, grants and rights is in question.
    #[test]
    fn decides_permissions_as_the_sentence_says(scene in open_scenes()) {
        prop_assert_eq!(scene.decide(), reference::decision(&scene));
    }

    #[test]
    fn what_is_allowed_is_one_alternative_within_owner_grant_and_policy(scene in open_scenes()) {
        let decision = scene.decide();
        if let (true, Asked::AnyOf(alternatives)) = (decision.is_allowed(), &scene.asked) {
            let number = decision.alternative().expect("permissions are allowed by an alternative");
            prop_assert!(reference::meets(&scene, &alternatives[usize::from(number)]));
        }
    }

    /// Asked one by one, what is allowed is the intersection: nothing beyond it, and nothing of it refused.
    #[test]
    fn single_permissions_are_allowed_in_the_intersection_alone(
        scene in open_scenes().prop_map(with_all_contexts),
        wished in proptest::collection::vec(wishes(CONTEXTS), 1..20),
    ) {
        for wish in wished {
            let needs: Vec<Wish> = vec![wish];
            let within = reference::meets(&scene, &needs);
            prop_assert_eq!(scene.clone().asking(vec![needs]).decide().is_allowed(), within);
        }
    }

    #[test]
    fn another_grant_in_whatever_state_never_turns_allow_into_deny(
        scene in open_scenes().prop_map(with_all_contexts), extra in grants(CONTEXTS), at: Index, alike: bool,
    ) {
        let mut richer = scene.clone();
        if let Some(grants) = &mut richer.grants {
            // Half of them repeat one that is there, in another state perhaps, and come before it.
            let extra = match grants.get(at.index(grants.len() + 1)) {
                Some(twin) if alike => Grant { state: extra.state, ..twin.clone() },
                _ => extra,
            };
            grants.insert(at.index(grants.len() + 1), extra);
        }
        prop_assert!(!scene.decide().is_allowed() || richer.decide().is_allowed());
    }

    #[test]
    fn another_right_never_turns_allow_into_deny(
        scene in open_scenes().prop_map(with_all_contexts), extra in rights(CONTEXTS), at: Index,
    ) {
        let mut richer = scene.clone();
        richer.rights.insert(at.index(richer.rights.len() + 1), extra);
        prop_assert!(!scene.decide().is_allowed() || richer.decide().is_allowed());
    }

    #[test]
    fn a_right_less_never_turns_deny_into_allow(scene in open_scenes(), at: Index) {
        let mut poorer = scene.clone();
        if !poorer.rights.is_empty() {
            poorer.rights.remove(at.index(scene.rights.len()));
        }
        prop_assert!(scene.decide().is_allowed() || !poorer.decide().is_allowed());
    }

    #[test]
    fn a_grant_less_or_undecided_never_turns_deny_into_allow(scene in open_scenes(), at: Index, undecided: bool) {
        let mut poorer = scene.clone();
        match &mut poorer.grants {
            Some(grants) if !grants.is_empty() => {
                let at = at.index(grants.len());
                if undecided {
                    grants[at].state = GrantState::Requested;
                } else {
                    grants.remove(at);
                }
            }
            _ => {}
        }
        prop_assert!(scene.decide().is_allowed() || !poorer.decide().is_allowed());
    }

    #[test]
    fn a_tighter_policy_never_turns_deny_into_allow(scene in open_scenes(), deny: bool) {
        let mut tighter = scene.clone();
        let policy = tighter.policy.get_or_insert(KindPolicy::fresh(CredentialKind::PersonalToken));
        if deny {
            policy.admission = Admission::Deny;
        } else {
            policy.level = LevelLimit::ReadOnly;
        }
        prop_assert!(scene.decide().is_allowed() || !tighter.decide().is_allowed());
    }

    /// A context only tightens, whatever it says: also where it says something looser than what is above.
    #[test]
    fn what_a_context_says_never_turns_deny_into_allow(
        scene in open_scenes().prop_map(with_all_contexts), says in context_policy(), at in 1..=CONTEXTS,
    ) {
        let context = crate::ids::ContextId::from_u128(at as u128);
        let mut silent = scene.clone();
        silent.context_policies.remove(&context);
        let tighter = silent.clone().where_says(context, says);
        prop_assert!(silent.decide().is_allowed() || !tighter.decide().is_allowed());
    }

    /// What nobody governs is not governed in a context either: a sign-in session.
    #[test]
    fn what_a_context_says_does_not_govern_sessions(
        scene in open_scenes().prop_map(with_all_contexts), says in context_policy(), at in 1..=CONTEXTS,
    ) {
        let session = Scene { policy: None, ..scene };
        let context = crate::ids::ContextId::from_u128(at as u128);
        prop_assert_eq!(session.decide(), session.clone().where_says(context, says).decide());
    }

    #[test]
    fn another_need_never_turns_deny_into_allow(
        scene in open_scenes().prop_map(with_all_contexts), extra in wishes(CONTEXTS), at: Index,
    ) {
        let mut harder = scene.clone();
        match &mut harder.asked {
            // An alternative without needs is never met; with one it may be.
            Asked::AnyOf(alternatives) if !alternatives.is_empty() => {
                let at = at.index(alternatives.len());
                if !alternatives[at].is_empty() {
                    alternatives[at].push(extra);
                }
            }
            _ => {}
        }
        prop_assert!(scene.decide().is_allowed() || !harder.decide().is_allowed());
    }

    #[test]
    fn the_stopped_are_never_allowed(scene in scenes()) {
        let stopped = [
            Scene { state: CredentialState::Revoked, ..scene.clone() },
            Scene { part: PartState::Revoked, ..scene.clone() },
            Scene { part: PartState::Blocked, ..scene.clone() },
            Scene { expires_at: scene.now, ..scene.clone() },
            Scene { owner_active: false, ..scene.clone() },
            Scene { organization_known: false, ..scene },
        ];
        for scene in stopped {
            prop_assert!(!scene.decide().is_allowed());
        }
    }

    /// What lists no permissions covers nothing of Tegata's own API, whoever its owner is and whatever the policy says.
    #[test]
    fn without_a_list_nothing_of_the_own_api_is_allowed(scene in open_scenes(), level in 0_usize..4) {
        let levels = [Level::Read, Level::Write, Level::Admin];
        let wide = levels.get(level).map_or(Wide::Unscoped, |level| Wide::UpTo(*level));
        let scene = Scene { wide: Some(wide), own_api: true, ..scene };
        prop_assert!(!scene.decide().is_allowed());
    }

    #[test]
    fn a_legacy_token_never_does_more_than_its_owner_or_its_level(
        scene in open_scenes().prop_map(with_all_contexts), wish in wishes(CONTEXTS), writes: bool,
    ) {
        let level = if writes { Level::Write } else { Level::Read };
        let legacy = Scene { wide: Some(Wide::UpTo(level)), for_itself: false, ..scene }.asking(vec![vec![wish]]);
        let owner = Scene { wide: None, grants: None, ..legacy.clone() };
        let allowed = legacy.decide().is_allowed();
        prop_assert!(!allowed || (wish.level <= level && owner.decide().is_allowed()));
    }

    #[test]
    fn an_unscoped_key_counts_only_while_the_policy_takes_it(scene in open_scenes()) {
        let mut key = Scene { wide: Some(Wide::Unscoped), for_itself: true, ..scene };
        if let Some(policy) = &mut key.policy {
            policy.unscoped = false;
        }
        prop_assert!(!key.decide().is_allowed());
    }

    /// A token of an application does nothing that the application may not do, and nothing that it did not choose.
    #[test]
    fn a_chosen_part_is_never_more_than_the_whole(
        scene in open_scenes().prop_map(with_all_contexts), chosen in proptest::collection::vec(grants(CONTEXTS), 0..6),
    ) {
        let whole = Scene { chosen: None, ..scene.clone() };
        let alone = Scene { grants: Some(chosen.clone()), wide: None, ceilings: BTreeMap::new(), ..whole.clone() };
        let part = Scene { chosen: Some(chosen), ..scene };
        let allowed = part.decide().is_allowed();
        prop_assert!(!allowed || whole.decide().is_allowed());
        prop_assert!(!allowed || alone.decide().is_allowed());
    }

    /// Nobody's rights bound what acts for itself: those that somebody gains or loses change nothing.
    #[test]
    fn what_acts_for_itself_is_bounded_by_its_own_list(
        scene in open_scenes().prop_map(with_all_contexts), extra in rights(CONTEXTS),
    ) {
        let key = Scene { for_itself: true, rights: Vec::new(), ..scene };
        prop_assert_ne!(key.decide().reason(), Reason::OwnerLacksPermission);
        prop_assert_eq!(key.decide(), Scene { rights: vec![extra], ..key.clone() }.decide());
    }

    /// What the rule says is missing agrees with what is told to the caller.
    #[test]
    fn the_reason_agrees_with_what_is_missing(scene in open_scenes()) {
        let decision = scene.decide();
        let Some(number) = decision.alternative() else { return Ok(()) };
        scene.with_facts(|facts| {
            let (Organization::Known(part), Target::AnyOf(alternatives)) = (&facts.organization, facts.target) else {
                return Err(TestCaseError::fail("an alternative of nothing"));
            };
            let needs = alternatives[usize::from(number)].needs;
            let granted = needs.iter().all(|need| is_granted(part, need, scene.now));
            let held = needs.iter().all(|need| is_held_by_owner(part, need));
            match decision.reason() {
                Reason::Granted => prop_assert!(granted && held),
                Reason::OwnerLacksPermission => prop_assert!(granted && !held),
                Reason::InsufficientScope => prop_assert!(!granted || needs.is_empty()),
                Reason::ApprovalPending | Reason::ApprovalRejected => prop_assert!(!granted),
                _ => {}
            }
            Ok(())
        })?;
    }
}

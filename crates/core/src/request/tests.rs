//! Attacks on approval, and the rule against a second reading of it.

use super::*;
use crate::ceiling::Ceilings;
use crate::credential::CredentialKind;
use crate::decide::{Grant, Grants};
use crate::policy::LevelLimit;
use crate::role::{Held, Right};
use proptest::prelude::*;

const OWN: ApiId = ApiId::from_u128(1);
const API: ApiId = ApiId::from_u128(2);
const APPROVE: PermissionNumber = PermissionNumber(7);
/// `WRITE` implies `READ`.
const READ: PermissionNumber = PermissionNumber(0);
const WRITE: PermissionNumber = PermissionNumber(1);
const HOUSE: ContextId = ContextId::from_u128(10);
const ROOM: ContextId = ContextId::from_u128(11);
const ELSEWHERE: ContextId = ContextId::from_u128(12);

/// Chains of the places there are: the organization, a house, a room in it, and another house.
const CHAINS: [&[ContextId]; 4] = [&[], &[HOUSE], &[ROOM, HOUSE], &[ELSEWHERE]];

fn set(permissions: &[PermissionNumber]) -> PermissionSet {
    permissions.iter().copied().collect()
}

/// Something to decide, and somebody who wants to.
#[derive(Debug, Clone)]
struct Case {
    state: GrantState,
    chain: usize,
    permission: PermissionNumber,
    to: Option<(usize, PermissionNumber)>,
    relation: Relation,
    policy: KindPolicy,
    /// Rights of the decider: of which API, where, and which.
    rights: Vec<(ApiId, usize, Vec<PermissionNumber>)>,
    /// What they act with, where it is a credential.
    grants: Option<Vec<Grant>>,
}

impl Case {
    /// An administrator of the house grants another's wish to write there.
    fn sound() -> Self {
        Self {
            state: GrantState::Requested,
            chain: 1,
            permission: WRITE,
            to: Some((1, WRITE)),
            relation: Relation::Anothers,
            policy: KindPolicy::fresh(CredentialKind::PersonalToken),
            rights: vec![(OWN, 1, vec![APPROVE]), (API, 1, vec![READ, WRITE])],
            grants: None,
        }
    }

    fn decide(&self) -> Result<GrantState, Refused> {
        let held: Vec<_> = self.rights.iter().map(|(api, place, list)| (*api, *place, set(list))).collect();
        let rights: Vec<_> = held
            .iter()
            .map(|(api, place, set)| Right {
                context: CHAINS[*place].first().copied(),
                api: Some(*api),
                held: Held::Set(set),
            })
            .collect();
        let grants = self.grants.as_deref().map_or(Grants::Whole, |grants| Grants::Listed(grants, Ceilings::NONE));
        let authority = Authority { rights: &rights, grants };
        let with_implied = implied(self.permission);
        let line = Line { state: self.state, api: API, chain: CHAINS[self.chain], with_implied: &with_implied };
        let decider = Decider { authority, approving: (OWN, APPROVE), relation: self.relation };
        let narrower = self.to.map(|(_, permission)| implied(permission)).unwrap_or_default();
        let verdict = match self.to {
            None => Verdict::Reject,
            Some((chain, permission)) => Verdict::Grant(Narrowed {
                chain: CHAINS[chain],
                permission,
                with_implied: &narrower,
                level: if permission == READ { Level::Read } else { Level::Write },
            }),
        };
        decide(&line, &decider, &self.policy, verdict)
    }

    fn holds(&self, api: ApiId, permission: PermissionNumber, chain: usize) -> bool {
        let by_role = self.rights.iter().any(|(of, place, list)| {
            *of == api && CHAINS[chain].ends_with(CHAINS[*place]) && list.contains(&permission)
        });
        let by_grant = self.grants.as_ref().is_none_or(|grants| {
            grants.iter().any(|grant| {
                grant.state == GrantState::Granted
                    && grant.api == api
                    && grant.context.is_none_or(|place| CHAINS[chain].contains(&place))
                    && grant.permissions.contains(permission)
            })
        });
        by_role && by_grant
    }
}

fn implied(permission: PermissionNumber) -> PermissionSet {
    if permission == WRITE { set(&[READ, WRITE]) } else { set(&[permission]) }
}

#[test]
fn who_answers_for_the_place_decides() {
    assert_eq!(Case::sound().decide(), Ok(GrantState::Granted));
    assert_eq!(Case { to: None, ..Case::sound() }.decide(), Ok(GrantState::Rejected));
    // Who administers what lies above does, too.
    let rights = vec![(OWN, 0, vec![APPROVE]), (API, 0, vec![READ, WRITE])];
    assert_eq!(Case { rights, ..Case::sound() }.decide(), Ok(GrantState::Granted));
    // Who rejects need not have it.
    let rights = vec![(OWN, 1, vec![APPROVE])];
    assert_eq!(Case { rights: rights.clone(), to: None, ..Case::sound() }.decide(), Ok(GrantState::Rejected));
    assert_eq!(Case { rights, ..Case::sound() }.decide(), Err(Refused::BeyondOwnRights));
}

#[test]
fn attacks_are_refused() {
    let own = |relation| Case { relation, ..Case::sound() };
    assert_eq!(own(Relation::OwnByCredential).decide(), Err(Refused::OwnByCredential));
    assert_eq!(own(Relation::OwnInPerson).decide(), Ok(GrantState::Granted));
    let policy = KindPolicy { four_eyes: true, ..KindPolicy::fresh(CredentialKind::PersonalToken) };
    let watched = Case { policy: policy.clone(), ..own(Relation::OwnInPerson) };
    assert_eq!(watched.decide(), Err(Refused::FourEyes));
    assert_eq!(Case { to: None, ..watched }.decide(), Err(Refused::FourEyes));
    assert_eq!(Case { policy, ..Case::sound() }.decide(), Ok(GrantState::Granted));

    // A namesake elsewhere, and one below.
    for place in [2, 3] {
        let rights = vec![(OWN, place, vec![APPROVE]), (API, 0, vec![READ, WRITE])];
        assert_eq!(Case { rights, ..Case::sound() }.decide(), Err(Refused::NotTheirs));
    }
    // Wider: another place, the one above, a permission that is not implied.
    for (chain, to) in [(1, (3, WRITE)), (1, (0, WRITE)), (2, (1, WRITE)), (1, (1, PermissionNumber(2)))] {
        let rights = vec![(OWN, 0, vec![APPROVE]), (API, 0, vec![READ, WRITE, PermissionNumber(2)])];
        let case = Case { chain, to: Some(to), rights, ..Case::sound() };
        assert_eq!(case.decide(), Err(Refused::Wider), "{to:?}");
    }
    let narrower = Case { to: Some((2, READ)), ..Case::sound() };
    assert_eq!(narrower.decide(), Ok(GrantState::Granted));
    let upwards = Case { permission: READ, to: Some((1, WRITE)), ..Case::sound() };
    assert_eq!(upwards.decide(), Err(Refused::Wider));

    // A second decision, whatever the first was.
    for state in GrantState::ALL.iter().copied().filter(|state| *state != GrantState::Requested) {
        for to in [None, Some((1, WRITE))] {
            let second = Case { state, to, ..Case::sound() };
            assert_eq!(second.decide(), Err(Refused::State(TransitionError::NotRequested(state))));
        }
    }
}

#[test]
fn the_policy_of_the_moment_counts() {
    let with = |policy| Case { policy, ..Case::sound() };
    let denied = KindPolicy { admission: Admission::Deny, ..KindPolicy::fresh(CredentialKind::PersonalToken) };
    assert_eq!(with(denied.clone()).decide(), Err(Refused::PolicyDenied));
    assert_eq!(Case { to: None, ..with(denied) }.decide(), Ok(GrantState::Rejected));
    let read_only = KindPolicy { level: LevelLimit::ReadOnly, ..KindPolicy::fresh(CredentialKind::PersonalToken) };
    assert_eq!(with(read_only.clone()).decide(), Err(Refused::PolicyReadOnly));
    assert_eq!(Case { to: Some((1, READ)), ..with(read_only) }.decide(), Ok(GrantState::Granted));
}

fn cases() -> impl Strategy<Value = Case> {
    let state = prop_oneof![6 => Just(GrantState::Requested), 1 => prop::sample::select(GrantState::ALL)];
    let permission = || prop::sample::select(vec![READ, WRITE, PermissionNumber(2)]);
    let place = || 0..CHAINS.len();
    let relation = prop::sample::select(vec![Relation::Anothers, Relation::OwnInPerson, Relation::OwnByCredential]);
    let admission = prop::sample::select(Admission::ALL);
    let level = prop::sample::select(LevelLimit::ALL);
    let policy = (admission, level, any::<bool>()).prop_map(|(admission, level, four_eyes)| KindPolicy {
        admission,
        level,
        four_eyes,
        ..KindPolicy::fresh(CredentialKind::PersonalToken)
    });
    let list = || prop::collection::vec(prop::sample::select(vec![READ, WRITE, PermissionNumber(2), APPROVE]), 0..4);
    let api = || prop::sample::select(vec![OWN, API]);
    let rights = prop::collection::vec((api(), place(), list()), 0..5);
    let grant = (api(), place(), list(), prop::sample::select(GrantState::ALL))
        .prop_map(|(api, place, list, state)| Grant::new(api, CHAINS[place].first().copied(), set(&list), state));
    let grants = prop::option::weighted(0.3, prop::collection::vec(grant, 0..5));
    let to = prop::option::weighted(0.8, (place(), permission()));
    (state, place(), permission(), to, relation, policy, rights, grants).prop_map(
        |(state, chain, permission, to, relation, policy, rights, grants)| Case {
            state,
            chain,
            permission,
            to,
            relation,
            policy,
            rights,
            grants,
        },
    )
}

proptest! {
    /// The rule read aloud: whoever decides answers for the place and may look at this one; what they grant is within
    /// what was asked for, within the policy, and their own.
    #[test]
    fn decides_as_it_is_written(case in cases()) {
        let waits = case.state == GrantState::Requested;
        let may_look = case.holds(OWN, APPROVE, case.chain)
            && match case.relation {
                Relation::Anothers => true,
                Relation::OwnInPerson => !case.policy.four_eyes,
                Relation::OwnByCredential => false,
            };
        let expected = match case.to {
            None => (waits && may_look).then_some(GrantState::Rejected),
            Some((chain, permission)) => {
                let within = CHAINS[chain].ends_with(CHAINS[case.chain]) && implied(case.permission).contains(permission);
                let writes = permission != READ;
                let admitted = case.policy.admission != Admission::Deny
                    && (case.policy.level == LevelLimit::All || !writes);
                let theirs = implied(permission).iter().all(|each| case.holds(API, each, chain));
                (waits && may_look && within && admitted && theirs).then_some(GrantState::Granted)
            }
        };
        prop_assert_eq!(case.decide().ok(), expected);
    }
}

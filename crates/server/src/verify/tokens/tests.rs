//! What holds of the memory of tokens, whatever is put in and taken out; and readers against a writer.

use super::packed::Packed;
use super::*;
use crate::verify::entry::{Noted, PartEntry};
use proptest::prelude::*;
use std::collections::HashMap as Model;
use std::sync::atomic::{AtomicBool, AtomicU64};
use tegata_core::bits::{PermissionNumber, PermissionSet};
use tegata_core::credential::{Coverage, CredentialKind, CredentialState, GrantState, PartState};
use tegata_core::decide::Grant;
use tegata_core::ids::{ApiId, ContextId, OrgId, TokenId, UserId};
use tegata_core::owner::Owner;
use tegata_core::time::Timestamp;

/// A digest that looks random, as digests do.
fn digest(number: u64) -> Digest {
    let mut bytes = [0; 32];
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for chunk in bytes.chunks_exact_mut(8) {
        state = (state ^ (state >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9).wrapping_add(number);
        chunk.copy_from_slice(&(state ^ (state >> 32)).to_le_bytes());
    }
    Digest(bytes)
}

/// A token all of whose parts are made of one number, so that a mixture of two shows.
fn token(number: u64) -> TokenEntry {
    let wide = u128::from(number) << 64 | u128::from(number);
    let permissions = PermissionSet::from_words(&[number | 1; 4]);
    let context = Some(ContextId::from_u128(wide));
    let grant = Grant::new(ApiId::from_u128(wide), context, permissions, GrantState::Granted);
    TokenEntry {
        id: TokenId::from_u128(wide),
        kind: CredentialKind::PersonalToken,
        name: format!("the token with the number {number:020}").into(),
        coverage: Coverage::Listed,
        owner: Owner::User(UserId::from_u128(wide)),
        state: CredentialState::Active,
        expires_at: Timestamp::from_micros(number.cast_signed()),
        addresses: Box::default(),
        parts: [PartEntry {
            org: OrgId::from_u128(wide),
            state: PartState::Active,
            grants: [grant].into(),
            noted: Noted::default(),
        }]
        .into(),
        used: false.into(),
    }
}

/// The same with two grants, so that no slot can hold it.
fn large(number: u64) -> TokenEntry {
    let mut entry = token(number);
    let grant = entry.parts[0].grants[0].clone();
    entry.parts[0].grants.push(grant);
    entry
}

/// The number that a token is made of; none where it is a mixture.
fn number_of(entry: &TokenEntry) -> Option<u64> {
    let number = entry.expires_at.as_micros().cast_unsigned();
    // A copy: whoever finds the same entry marks it as used meanwhile.
    let entry = entry.clone();
    let is = |expected: &TokenEntry| format!("{entry:?}") == format!("{expected:?}");
    let (expected, with_two) = (token(number), large(number));
    for other in [&expected, &with_two] {
        other.used.store(entry.used.load(Ordering::Relaxed), Ordering::Relaxed);
    }
    (is(&expected) || is(&with_two)).then_some(number)
}

fn found(tokens: &Tokens, digest: &Digest) -> Option<u64> {
    let mut room = Room::Empty;
    let view = tokens.view();
    view.seek(std::iter::once(digest));
    view.find(digest, &mut room);
    room.token().map(|entry| number_of(entry).expect("a token of one piece"))
}

prop_compose! {
    fn any_token()(
        id: u128,
        owner: u128,
        org: u128,
        api: u128,
        context: Option<u128>,
        micros in 0..Timestamp::MAX.as_micros(),
        permissions in prop::collection::btree_set(0_u16..300, 0..30),
        name in "\\PC{0,40}",
        states in (0_usize..2, 0_usize..3, 0_usize..3),
        kind in (0..CredentialKind::ALL.len(), prop_oneof![3 => Just(0), 1 => 0..Coverage::ALL.len()]),
        (grants, addresses, used, noted) in (0_usize..3, 0_usize..6, any::<bool>(), any::<u32>()),
    ) -> TokenEntry {
        let grant = Grant::new(
            ApiId::from_u128(api),
            context.map(ContextId::from_u128),
            permissions.into_iter().map(PermissionNumber).collect(),
            GrantState::ALL[states.2],
        );
        TokenEntry {
            id: TokenId::from_u128(id),
            kind: CredentialKind::ALL[kind.0],
            name: name.into(),
            coverage: Coverage::ALL[kind.1],
            owner: Owner::of_kind(CredentialKind::ALL[kind.0], owner),
            state: CredentialState::ALL[states.0],
            expires_at: Timestamp::from_micros(micros),
            addresses: if addresses == 0 { Box::new(["10.0.0.0/8".parse().unwrap()]) } else { Box::default() },
            parts: [PartEntry {
                org: OrgId::from_u128(org),
                state: PartState::ALL[states.1],
                grants: std::iter::repeat_n(grant, grants).collect(),
                noted: Noted::at(noted),
            }]
            .into(),
            used: used.into(),
        }
    }
}

proptest! {
    #[test]
    fn what_fits_a_slot_comes_back_as_it_was(entry in any_token(), number: u64) {
        if let Some(packed) = Packed::of(&digest(number), &entry) {
            prop_assert_eq!(format!("{:?}", packed.unpack().unwrap()), format!("{entry:?}"));
            prop_assert_eq!(packed.digest(), digest(number));
        } else {
            let part = &entry.parts[0];
            let grants = usize::from(entry.coverage == Coverage::Listed);
            let ordinary = part.grants.len() == grants && entry.addresses.is_empty() && entry.name.len() <= 80;
            prop_assert!(!ordinary || part.grants.iter().any(|grant| grant.permissions.words().len() > 4), "{:?}", entry);
        }
    }

    #[test]
    fn words_that_are_no_token_do_not_panic(words in prop::array::uniform32(any::<u64>())) {
        let _ = Packed(words).unpack();
        let small = words.map(|word| word & 0x0303_0303_0303_0303);
        let _ = Packed(small).unpack();
    }

    /// Whatever is done, memory holds what a map would hold.
    #[test]
    fn behaves_as_a_map(steps in prop::collection::vec((0_u8..40, 0_u64..400, 1_u64..1 << 40), 0..900)) {
        let (tokens, mut moving, mut model) = (Tokens::new(300), Moving::default(), Model::new());
        for (kind, key, number) in steps {
            match kind {
                0 => {
                    tokens.clear(&mut moving);
                    model.clear();
                }
                1..=6 => {
                    tokens.remove(&digest(key));
                    model.remove(&key);
                }
                7..=10 => {
                    let new = tokens.put(&mut moving, digest(key), large(number));
                    prop_assert_eq!(new, model.insert(key, number).is_none());
                }
                _ => {
                    let new = tokens.put(&mut moving, digest(key), token(number));
                    prop_assert_eq!(new, model.insert(key, number).is_none());
                }
            }
            prop_assert_eq!(tokens.len(), model.len());
            prop_assert_eq!(found(&tokens, &digest(key)), model.get(&key).copied());
            prop_assert_eq!(tokens.contains(&digest(key)), model.contains_key(&key));
        }
        for key in 0..400 {
            prop_assert_eq!(found(&tokens, &digest(key)), model.get(&key).copied());
        }
        // What is counted of memory goes with those who take it.
        (0..400).for_each(|key| tokens.remove(&digest(key)));
        prop_assert_eq!((tokens.len(), tokens.bytes()), (0, 0));
    }
}

#[test]
fn grows_and_keeps_everything() {
    let (tokens, mut moving) = (Tokens::new(20_000), Moving::default());
    for number in 0..20_000 {
        assert!(tokens.put(&mut moving, digest(number), token(number)));
    }
    assert!((0..20_000).all(|number| found(&tokens, &digest(number)) == Some(number)));
    assert!((20_000..40_000).all(|number| found(&tokens, &digest(number)).is_none()));
    let outside = tokens.large.len();
    assert!(outside < 1_000, "{outside} of 20,000 found no slot");
    assert!(tokens.tables.load().now.groups() <= tokens.groups_max);
}

#[test]
fn an_empty_slot_is_no_token() {
    assert!(Packed::NOTHING.unpack().is_none());
    let nothing = Packed::NOTHING.digest();
    let (tokens, mut moving) = (Tokens::new(10), Moving::default());
    assert!(found(&tokens, &nothing).is_none());
    tokens.put(&mut moving, nothing, token(1));
    assert_eq!(found(&tokens, &nothing), Some(1));
    tokens.remove(&nothing);
    assert!(found(&tokens, &nothing).is_none());

    // Nor is it one above a slot whose tag is its own but for the lowest bit, which is how the tags of eight slots are
    // compared at once.
    let (tokens, mut moving) = (Tokens::new(10), Moving::default());
    let mut neighbour = [0; 32];
    neighbour[0] = 1;
    tokens.put(&mut moving, Digest(neighbour), token(1));
    assert!(!tokens.contains(&nothing));
    tokens.remove(&nothing);
    assert_eq!(tokens.len(), 1);
}

#[test]
fn a_look_up_is_a_use() {
    let (tokens, mut moving) = (Tokens::new(10), Moving::default());
    for entry in [token(1), large(1)] {
        tokens.put(&mut moving, digest(1), entry);
        assert!(!tokens.take_used(&digest(1)), "nobody has shown it");
        found(&tokens, &digest(1));
        assert!(tokens.take_used(&digest(1)));
        assert!(!tokens.take_used(&digest(1)), "not since");
    }
}

/// Readers against a writer that writes over tokens, takes them out and puts them back, makes them too large for a
/// slot and small again, lets the table grow, and now and then forgets everything. No reader sees a token in two
/// pieces, an older one than was in memory when it began, or one that was taken out.
#[test]
fn readers_see_whole_tokens_and_none_of_yesterday() {
    const KEYS: u64 = 40;
    let tokens = Tokens::new(5_000);
    // What is in memory for sure: twice the number of the token; odd while it is being taken out.
    let known: Vec<AtomicU64> = (0..KEYS).map(|_| AtomicU64::new(0)).collect();
    let end = AtomicBool::new(false);
    let seen = AtomicU64::new(0);
    std::thread::scope(|threads| {
        for seed in 0..3_u64 {
            let (tokens, known, end, seen) = (&tokens, &known, &end, &seen);
            threads.spawn(move || {
                let mut key = seed;
                while !end.load(Ordering::Relaxed) {
                    key = (key * 7 + 3 + seed) % KEYS;
                    let before = known[usize::try_from(key).unwrap()].load(Ordering::SeqCst);
                    let now = found(tokens, &digest(key));
                    let after = known[usize::try_from(key).unwrap()].load(Ordering::SeqCst);
                    if let Some(now) = now {
                        assert!(now >= before / 2, "a token of yesterday: {now} after {before}");
                        seen.fetch_add(1, Ordering::Relaxed);
                    }
                    if before == after && before % 2 == 1 {
                        assert_eq!(now, None, "it was taken out");
                    }
                }
            });
        }
        let mut moving = Moving::default();
        let mut others = KEYS;
        for number in 1..30_000_u64 {
            let key = number * 31 % KEYS;
            let place = &known[usize::try_from(key).unwrap()];
            match number % 9 {
                0 => {
                    tokens.remove(&digest(key));
                    place.store(number * 2 + 1, Ordering::SeqCst);
                    // As even again as anything that is put there next.
                }
                1 => {
                    place.store(place.load(Ordering::SeqCst) & !1, Ordering::SeqCst);
                    tokens.put(&mut moving, digest(key), large(number));
                    place.store(number * 2, Ordering::SeqCst);
                }
                _ => {
                    place.store(place.load(Ordering::SeqCst) & !1, Ordering::SeqCst);
                    tokens.put(&mut moving, digest(key), token(number));
                    place.store(number * 2, Ordering::SeqCst);
                }
            }
            // Others, so that the table grows and moves meanwhile.
            tokens.put(&mut moving, digest(others), token(others));
            others += 1;
            if number % 7_000 == 0 {
                tokens.clear(&mut moving);
                for place in &known {
                    place.store(number * 2 + 1, Ordering::SeqCst);
                }
                others = KEYS;
            }
        }
        end.store(true, Ordering::Relaxed);
    });
    assert!(seen.load(Ordering::Relaxed) > 1_000, "readers saw {} tokens", seen.load(Ordering::Relaxed));
}

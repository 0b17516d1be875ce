//! A token as the words of a slot, and back.

use crate::authn::Digest;
use crate::verify::entry::{Noted, PartEntry, ShortText, TokenEntry};
use smallvec::SmallVec;
use std::sync::atomic::{AtomicBool, Ordering};
use tegata_core::bits::PermissionSet;
use tegata_core::credential::{CredentialKind, CredentialState, GrantState, PartState};
use tegata_core::decide::Grant;
use tegata_core::ids::{ApiId, ContextId, OrgId, TokenId, UserId};
use tegata_core::time::Timestamp;

/// Words of a slot.
pub const WORDS: usize = 32;
/// Set in the second word while the token counts as used.
pub const IS_USED: u64 = 1;

/// Where the parts of a token stand. The first word is the slot's own.
const USED: usize = 1;
const DIGEST: usize = 2;
const EXPIRES_AT: usize = 6;
/// Small things, a byte each.
const SMALL: usize = 7;
const ID: usize = 8;
const OWNER: usize = 10;
const ORG: usize = 12;
const API: usize = 14;
const CONTEXT: usize = 16;
const PERMISSIONS: usize = 18;
const PERMISSION_WORDS: usize = 4;
const NAME: usize = PERMISSIONS + PERMISSION_WORDS;
/// Longest name that fits.
const NAME_BYTES: usize = (WORDS - NAME) * 8;

/// The step in which use was noted, where the second word has it: its upper half.
pub const fn noted_word(step: u32) -> u64 {
    (step as u64) << 32
}

/// The same, from that word.
const fn noted_in(word: u64) -> u32 {
    let [_, _, _, _, step @ ..] = word.to_le_bytes();
    u32::from_le_bytes(step)
}

/// The words of a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed(pub [u64; WORDS]);

impl Packed {
    /// An empty slot: no token, whatever digest is looked for.
    pub const NOTHING: Self = Self([0; WORDS]);

    /// A digest as words.
    #[inline]
    pub fn digest_words(digest: &Digest) -> [u64; 4] {
        let (words, _) = digest.0.as_chunks::<8>();
        std::array::from_fn(|number| words.get(number).map_or(0, |word| u64::from_le_bytes(*word)))
    }

    /// A token as words; none where it does not fit.
    pub fn of(digest: &Digest, entry: &TokenEntry) -> Option<Self> {
        let [PartEntry { org, state, grants, noted }] = entry.parts.as_slice() else { return None };
        let [grant] = grants.as_slice() else { return None };
        let permissions = grant.permissions.words();
        let name = entry.name.as_bytes();
        // Those that end by themselves or have a ceiling are few, and lie in the map beside.
        if grant.bounds.is_some() {
            return None;
        }
        if !entry.addresses.is_empty() || permissions.len() > PERMISSION_WORDS || name.len() > NAME_BYTES {
            return None;
        }
        let mut packed = Self::NOTHING;
        packed.put(USED, [u64::from(entry.used.load(Ordering::Relaxed)) | noted_word(noted.step())]);
        packed.put(DIGEST, Self::digest_words(digest));
        packed.put(EXPIRES_AT, [entry.expires_at.as_micros().cast_unsigned()]);
        let small = [
            // One more, so that zeros are no token.
            number_in(CredentialKind::ALL, &entry.kind)?.checked_add(1)?,
            number_in(CredentialState::ALL, &entry.state)?,
            number_in(PartState::ALL, state)?,
            number_in(GrantState::ALL, &grant.state)?,
            u8::from(grant.context.is_some()),
            u8::try_from(permissions.len()).ok()?,
            u8::try_from(name.len()).ok()?,
            0,
        ];
        packed.put(SMALL, [u64::from_le_bytes(small)]);
        packed.put(ID, halves(entry.id.as_u128()));
        packed.put(OWNER, halves(entry.owner.as_u128()));
        packed.put(ORG, halves(org.as_u128()));
        packed.put(API, halves(grant.api.as_u128()));
        packed.put(CONTEXT, halves(grant.context.map_or(0, ContextId::as_u128)));
        packed.put(PERMISSIONS, permissions.iter().copied());
        packed.put(
            NAME,
            name.chunks(8).map(|bytes| {
                let mut word = [0; 8];
                word[..bytes.len()].copy_from_slice(bytes);
                u64::from_le_bytes(word)
            }),
        );
        Some(packed)
    }

    fn put(&mut self, from: usize, words: impl IntoIterator<Item = u64>) {
        for (place, word) in self.0.iter_mut().skip(from).zip(words) {
            *place = word;
        }
    }

    /// The digest of the token.
    pub fn digest(&self) -> Digest {
        let mut digest = [0; 32];
        for (bytes, word) in digest.chunks_exact_mut(8).zip(self.0.iter().skip(DIGEST)) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        Digest(digest)
    }

    /// The token; none where the words are no token.
    pub fn unpack(&self) -> Option<TokenEntry> {
        let mut entry = Self::unpack_from(|number| self.0.get(number).copied().unwrap_or(0))?;
        *entry.used.get_mut() = self.0[USED] & IS_USED != 0;
        Some(entry)
    }

    /// Makes a token of the words of a slot, whatever they say: a reader may come upon words of two tokens, which is
    /// found out afterwards. It counts as used.
    #[inline]
    pub fn unpack_from(word: impl Fn(usize) -> u64) -> Option<TokenEntry> {
        let number = |place: usize| u128::from(word(place)) | u128::from(word(place + 1)) << 64;
        let [kind, state, part_state, grant_state, in_context, permissions, name, _] = word(SMALL).to_le_bytes();
        let (permissions, name_bytes) = (usize::from(permissions), usize::from(name));
        if permissions > PERMISSION_WORDS || name_bytes > NAME_BYTES {
            return None;
        }
        let set: [u64; PERMISSION_WORDS] = std::array::from_fn(|at| word(PERMISSIONS + at));
        let grant = Grant::new(
            ApiId::from_u128(number(API)),
            (in_context != 0).then(|| ContextId::from_u128(number(CONTEXT))),
            PermissionSet::from_words(set.get(..permissions)?),
            value_in(GrantState::ALL, grant_state)?,
        );
        let part = PartEntry {
            org: OrgId::from_u128(number(ORG)),
            state: value_in(PartState::ALL, part_state)?,
            grants: one(grant),
            noted: Noted::at(noted_in(word(USED))),
        };
        let mut name = [0; NAME_BYTES];
        for (at, bytes) in name.chunks_exact_mut(8).enumerate().take(name_bytes.div_ceil(8)) {
            bytes.copy_from_slice(&word(NAME + at).to_le_bytes());
        }
        Some(TokenEntry {
            id: TokenId::from_u128(number(ID)),
            kind: value_in(CredentialKind::ALL, kind.checked_sub(1)?)?,
            name: ShortText::from_bytes(name.get(..name_bytes)?),
            owner: UserId::from_u128(number(OWNER)),
            state: value_in(CredentialState::ALL, state)?,
            expires_at: Timestamp::from_micros(word(EXPIRES_AT).cast_signed()),
            addresses: Box::default(),
            parts: one(part),
            used: AtomicBool::new(true),
        })
    }
}

/// A list of one, in the place that it has without memory of its own.
#[inline]
fn one<T>(value: T) -> SmallVec<[T; 1]> {
    SmallVec::from_buf([value])
}

/// Both halves of a number, the lower one first.
#[expect(clippy::cast_possible_truncation, reason = "what is cut off comes in the other half")]
const fn halves(number: u128) -> [u64; 2] {
    [number as u64, (number >> 64) as u64]
}

fn number_in<T: PartialEq>(all: &[T], value: &T) -> Option<u8> {
    u8::try_from(all.iter().position(|known| known == value)?).ok()
}

#[inline]
fn value_in<T: Copy>(all: &[T], number: u8) -> Option<T> {
    all.get(usize::from(number)).copied()
}

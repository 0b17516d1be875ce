//! Request descriptors: what a denial hands out so that just what was missing can be asked for (DESIGN §4). A descriptor
//! is no secret and opens nothing: it names a credential, an organization and what that credential lacks there, for a
//! short time, and is sealed against being changed.

use super::hasher::Hasher;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use std::time::Duration;
use tegata_core::bits::PermissionNumber;
use tegata_core::ids::{ApiId, ContextId, OrgId, TokenId};
use tegata_core::time::Timestamp;

/// What a descriptor begins with.
const FORM: &str = "trd1_";
/// What it is sealed for; see [`Hasher::seal`].
const PURPOSE: &str = "tegata request descriptor, first form";
/// How long one can be used.
pub const LIFETIME: Duration = Duration::from_mins(15);
/// Most permissions of one descriptor.
const NEEDS_MAX: usize = 32;
/// Bytes of a seal.
const SEAL: usize = 32;
/// Bytes before the permissions, and of each of these.
const HEAD: usize = 3 * 16 + 8;
const NEED: usize = 2 + 16;

/// What a credential lacks in one organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Descriptor {
    /// The credential.
    pub token: TokenId,
    /// The organization.
    pub org: OrgId,
    /// The API.
    pub api: ApiId,
    /// The permissions, each in its place; none for the whole organization.
    pub needs: Vec<(PermissionNumber, Option<ContextId>)>,
    /// Until when it can be used.
    pub expires_at: Timestamp,
}

/// Why a text is no descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DescriptorError {
    /// It was changed, or never was one.
    #[error("this is no request descriptor of this server: send back the `request` of a denial as it was given")]
    Unknown,
    /// It is too old.
    #[error("this request descriptor has expired: make the call again, and use the one of its denial")]
    Expired,
}

impl Descriptor {
    /// As it is handed out; none where it would be too large.
    pub fn write(&self, hasher: &Hasher) -> Option<String> {
        if self.needs.is_empty() || self.needs.len() > NEEDS_MAX {
            return None;
        }
        let mut bytes = Vec::with_capacity(HEAD + NEED * self.needs.len() + SEAL);
        for id in [self.token.as_u128(), self.org.as_u128(), self.api.as_u128()] {
            bytes.extend_from_slice(&id.to_be_bytes());
        }
        bytes.extend_from_slice(&self.expires_at.as_micros().to_be_bytes());
        for (permission, context) in &self.needs {
            bytes.extend_from_slice(&permission.0.to_be_bytes());
            // No id is zero: they begin with the time.
            bytes.extend_from_slice(&context.map_or(0, ContextId::as_u128).to_be_bytes());
        }
        let seal = hasher.seal(PURPOSE, &bytes);
        bytes.extend_from_slice(&seal);
        Some(format!("{FORM}{}", BASE64.encode(&bytes)))
    }

    /// Reads one.
    pub fn read(hasher: &Hasher, text: &str, now: Timestamp) -> Result<Self, DescriptorError> {
        let found = Self::open(hasher, text).ok_or(DescriptorError::Unknown)?;
        if now >= found.expires_at { Err(DescriptorError::Expired) } else { Ok(found) }
    }

    fn open(hasher: &Hasher, text: &str) -> Option<Self> {
        let encoded = text.strip_prefix(FORM)?;
        if encoded.len() > (HEAD + NEED * NEEDS_MAX + SEAL).div_ceil(3) * 4 {
            return None;
        }
        let bytes = BASE64.decode(encoded).ok()?;
        let (told, seal) = bytes.split_last_chunk::<SEAL>()?;
        if !hasher.is_seal(PURPOSE, told, seal) {
            return None;
        }
        let (head, rest) = told.split_at_checked(HEAD)?;
        let id = |place: usize| head.get(place * 16..)?.first_chunk().map(|bytes| u128::from_be_bytes(*bytes));
        let (needs, []) = rest.as_chunks::<NEED>() else { return None };
        let need = |bytes: &[u8; NEED]| {
            let (permission, context) = bytes.split_first_chunk::<2>()?;
            let context = u128::from_be_bytes(*context.first_chunk()?);
            let permission = PermissionNumber(u16::from_be_bytes(*permission));
            Some((permission, (context != 0).then(|| ContextId::from_u128(context))))
        };
        Some(Self {
            token: TokenId::from_u128(id(0)?),
            org: OrgId::from_u128(id(1)?),
            api: ApiId::from_u128(id(2)?),
            expires_at: Timestamp::from_micros(i64::from_be_bytes(*head.last_chunk()?)),
            needs: needs.iter().map(need).collect::<Option<_>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authn::hasher::{HashKey, KEY_BYTES};
    use proptest::prelude::*;
    use secrecy::SecretBox;

    fn key(byte: u8) -> HashKey {
        HashKey { key_id: i64::from(byte), secret: SecretBox::new(Box::new([byte; KEY_BYTES])) }
    }

    fn descriptor() -> impl Strategy<Value = Descriptor> {
        let need = (any::<u16>(), prop::option::of(1_u128..));
        let need = need.prop_map(|(number, context)| (PermissionNumber(number), context.map(ContextId::from_u128)));
        (any::<[u128; 3]>(), prop::collection::vec(need, 1..=NEEDS_MAX), any::<i64>()).prop_map(
            |(ids, needs, micros)| Descriptor {
                token: TokenId::from_u128(ids[0]),
                org: OrgId::from_u128(ids[1]),
                api: ApiId::from_u128(ids[2]),
                needs,
                expires_at: Timestamp::from_micros(micros),
            },
        )
    }

    proptest! {
        #[test]
        fn reads_back_until_it_expires(descriptor in descriptor(), now: i64) {
            let hasher = Hasher::new(&key(1), None);
            let text = descriptor.write(&hasher).unwrap();
            let now = Timestamp::from_micros(now);
            let expected = if now < descriptor.expires_at { Ok(descriptor.clone()) } else { Err(DescriptorError::Expired) };
            prop_assert_eq!(Descriptor::read(&hasher, &text, now), expected.clone());
            // Also while the key is on its way out, and no longer than that.
            prop_assert_eq!(Descriptor::read(&Hasher::new(&key(2), Some(&key(1))), &text, now), expected);
            let gone = Descriptor::read(&Hasher::new(&key(2), None), &text, now);
            prop_assert_eq!(gone, Err(DescriptorError::Unknown));
        }

        #[test]
        fn one_that_was_changed_is_none(descriptor in descriptor(), place: prop::sample::Index, bit in 0_u8..8) {
            let hasher = Hasher::new(&key(1), None);
            let text = descriptor.write(&hasher).unwrap();
            let mut bytes = BASE64.decode(text.strip_prefix(FORM).unwrap()).unwrap();
            let place = place.index(bytes.len());
            bytes[place] ^= 1 << bit;
            let changed = format!("{FORM}{}", BASE64.encode(&bytes));
            prop_assert_eq!(Descriptor::read(&hasher, &changed, Timestamp::EPOCH), Err(DescriptorError::Unknown));
        }

        #[test]
        fn hostile_text_never_panics(text in "(trd1_)?[A-Za-z0-9_-]{0,200}|\\PC{0,40}") {
            let _ = Descriptor::read(&Hasher::new(&key(1), None), &text, Timestamp::EPOCH);
        }
    }

    #[test]
    fn too_many_needs_make_none() {
        let needs = vec![(PermissionNumber(1), None); NEEDS_MAX + 1];
        let (token, org, api) = (TokenId::from_u128(1), OrgId::from_u128(2), ApiId::from_u128(3));
        let descriptor = Descriptor { token, org, api, needs, expires_at: Timestamp::MAX };
        assert_eq!(descriptor.write(&Hasher::new(&key(1), None)), None);
    }
}

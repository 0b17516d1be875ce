//! The digest by which a secret is stored and found: HMAC-SHA-256 (RFC 2104) under a key that is not in the database.
//! At most two keys live at a time, so that the key can be rotated while old secrets go on working.

use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretBox};
use sha2::Sha256;
use std::fmt;

/// Bytes of a key and of a digest.
pub const KEY_BYTES: usize = 32;

/// Bytes as hexadecimal digits, lower case.
pub fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A keyed digest of a secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// As it is stored: 64 hexadecimal digits.
    pub fn to_hex(self) -> String {
        hex(&self.0)
    }

    /// Reads what [`Digest::to_hex`] wrote.
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0_u8; 32];
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        for (place, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(place * 2..place * 2 + 2)?, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(…)")
    }
}

/// One hashing key, ready for use.
#[derive(Clone)]
struct Keyed {
    key_id: i64,
    state: Hmac<Sha256>,
}

/// The hashing keys of this installation.
#[derive(Clone)]
pub struct Hasher {
    current: Keyed,
    previous: Option<Keyed>,
}

/// A key with its number.
pub struct HashKey {
    /// Its number, as rows of `secrets` carry it.
    pub key_id: i64,
    /// The key itself.
    pub secret: SecretBox<[u8; KEY_BYTES]>,
}

impl HashKey {
    /// What may be stored and shown to tell one key from another: a digest of a fixed text under it.
    pub fn fingerprint(&self) -> String {
        let keyed = Keyed::new(self);
        keyed.digest(b"tegata hashing key fingerprint").to_hex()[..16].to_owned()
    }
}

impl Keyed {
    fn new(key: &HashKey) -> Self {
        // The error of `new_from_slice` is about key lengths that HMAC does not have: every length is taken.
        let state = Hmac::new_from_slice(key.secret.expose_secret())
            .unwrap_or_else(|_| Hmac::new(&hmac::digest::Key::<Hmac<Sha256>>::default()));
        Self { key_id: key.key_id, state }
    }

    fn digest(&self, secret: &[u8]) -> Digest {
        let mut state = self.state.clone();
        state.update(secret);
        Digest(state.finalize().into_bytes().into())
    }
}

impl Hasher {
    /// With the key under which new secrets are stored, and the one that is on its way out.
    pub fn new(current: &HashKey, previous: Option<&HashKey>) -> Self {
        Self { current: Keyed::new(current), previous: previous.map(Keyed::new) }
    }

    /// The digest under the current key.
    pub fn digest(&self, secret: &str) -> Digest {
        self.current.digest(secret.as_bytes())
    }

    /// The number of the current key.
    pub const fn key_id(&self) -> i64 {
        self.current.key_id
    }

    /// The digest under the key that is on its way out, while there is one.
    pub fn previous_digest(&self, secret: &str) -> Option<Digest> {
        self.previous.as_ref().map(|keyed| keyed.digest(secret.as_bytes()))
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hasher").field("key_id", &self.current.key_id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(key_id: i64, byte: u8) -> HashKey {
        HashKey { key_id, secret: SecretBox::new(Box::new([byte; KEY_BYTES])) }
    }

    #[test]
    fn is_hmac_sha_256() {
        // RFC 4231 §4.2 pads its 20-byte key with zeros to the block, and so may we.
        let mut bytes = [0_u8; KEY_BYTES];
        bytes[..20].fill(0x0b);
        let key = HashKey { key_id: 1, secret: SecretBox::new(Box::new(bytes)) };
        let digest = Hasher::new(&key, None).digest("Hi There").to_hex();
        assert_eq!(digest, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    }

    #[test]
    fn a_digest_reads_back() {
        let digest = Hasher::new(&key(1, 7), None).digest("x");
        assert_eq!(Digest::from_hex(&digest.to_hex()), Some(digest));
        assert_eq!(Digest::from_hex("zz"), None);
    }

    #[test]
    fn two_keys_give_two_digests() {
        let hasher = Hasher::new(&key(2, 8), Some(&key(1, 7)));
        assert_ne!(Some(hasher.digest("x")), hasher.previous_digest("x"));
        assert_eq!(hasher.previous_digest("x"), Some(Hasher::new(&key(1, 7), None).digest("x")));
    }
}

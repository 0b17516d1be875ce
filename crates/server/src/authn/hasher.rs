//! The digest by which a secret is stored and found: HMAC-SHA-256 (RFC 2104) under a key that is not in the database.
//! At most two keys live at a time, so that the key can be rotated while old secrets go on working.

use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretBox};
use sha2::Sha256;
use sha2::block_api::compress256;
use std::fmt;
use zeroize::Zeroizing;

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
    short: Short,
}

/// The same for a text that fits one block of SHA-256, as every secret of ours does: the digest is on the way of every
/// check, and all that the general way does for texts of any length takes as long as the digest itself.
#[derive(Clone)]
struct Short {
    /// SHA-256 after the key's inner and outer block (RFC 2104 §4, the second paragraph).
    inner: [u32; 8],
    outer: [u32; 8],
}

impl Short {
    /// Where SHA-256 begins (FIPS 180-4 §5.3.3).
    const BEGIN: [u32; 8] =
        [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];
    const BLOCK: usize = 64;
    /// A block ends with the length of all that was digested, in bits; before it stands at least one byte that ends the text.
    const LENGTH_AT: usize = Self::BLOCK - 8;

    fn new(key: &[u8; KEY_BYTES]) -> Self {
        let after = |pad: u8| {
            let mut block = Zeroizing::new([pad; Self::BLOCK]);
            for (place, byte) in block.iter_mut().zip(key) {
                *place ^= byte;
            }
            let mut state = Self::BEGIN;
            compress256(&mut state, &[*block]);
            state
        };
        Self { inner: after(0x36), outer: after(0x5c) }
    }

    /// The digest; none of a text that is too long.
    fn digest(&self, text: &[u8]) -> Option<Digest> {
        let inner = Self::last_block(self.inner, text)?;
        let outer = Self::last_block(self.outer, &inner)?;
        Some(Digest(outer))
    }

    /// Digests the only block behind the key's, and ends.
    #[inline]
    fn last_block(mut state: [u32; 8], text: &[u8]) -> Option<[u8; 32]> {
        if text.len() >= Self::LENGTH_AT {
            return None;
        }
        let mut block = [0; Self::BLOCK];
        block.get_mut(..text.len())?.copy_from_slice(text);
        *block.get_mut(text.len())? = 0x80;
        let bits = 8 * (Self::BLOCK + text.len()) as u64;
        block.last_chunk_mut::<8>()?.copy_from_slice(&bits.to_be_bytes());
        compress256(&mut state, &[block]);
        let mut bytes = [0; 32];
        for (place, word) in bytes.chunks_exact_mut(4).zip(state) {
            place.copy_from_slice(&word.to_be_bytes());
        }
        Some(bytes)
    }
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

    /// A key for another purpose. It begins with a NUL, which no text has that anybody can present or import: what is
    /// stored as the digest of a credential is never a key.
    pub(super) fn derive(&self, purpose: &str) -> Zeroizing<[u8; KEY_BYTES]> {
        let mut text = Zeroizing::new(vec![0]);
        text.extend_from_slice(purpose.as_bytes());
        Zeroizing::new(Keyed::new(self).digest(&text).0)
    }
}

impl Keyed {
    fn new(key: &HashKey) -> Self {
        // The error of `new_from_slice` is about key lengths that HMAC does not have: every length is taken.
        let state = Hmac::new_from_slice(key.secret.expose_secret())
            .unwrap_or_else(|_| Hmac::new(&hmac::digest::Key::<Hmac<Sha256>>::default()));
        Self { key_id: key.key_id, state, short: Short::new(key.secret.expose_secret()) }
    }

    fn digest(&self, secret: &[u8]) -> Digest {
        self.short.digest(secret).unwrap_or_else(|| self.digest_of_any(secret))
    }

    /// Begins with a NUL, like [`HashKey::derive`]: no credential has such a digest. The purpose ends with another.
    fn sealing(&self, purpose: &str, bytes: &[u8]) -> Hmac<Sha256> {
        let mut state = self.state.clone();
        for part in [&[0], purpose.as_bytes(), &[0], bytes] {
            state.update(part);
        }
        state
    }

    fn imported(&self, format: &str, hash: &[u8]) -> Digest {
        Digest(self.sealing(&format!("imported key, {format}"), hash).finalize().into_bytes().into())
    }

    fn digest_of_any(&self, secret: &[u8]) -> Digest {
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

    /// A seal on bytes that leave this server and come back: nobody else can make one. What it is for is part of it, so
    /// that a seal of one thing is none of another.
    pub fn seal(&self, purpose: &str, bytes: &[u8]) -> [u8; 32] {
        self.current.sealing(purpose, bytes).finalize().into_bytes().into()
    }

    /// Whether a seal is ours, made with the current key or with the one that is on its way out. Takes as long whatever
    /// it says.
    pub fn is_seal(&self, purpose: &str, bytes: &[u8], seal: &[u8; 32]) -> bool {
        let keys = [Some(&self.current), self.previous.as_ref()];
        keys.into_iter().flatten().any(|key| key.sealing(purpose, bytes).verify_slice(seal).is_ok())
    }

    /// The digest by which a key that was imported is stored and found: of the hash that was kept of it elsewhere. Like a
    /// seal, it is the digest of no text that anybody can show.
    pub fn imported(&self, format: &str, hash: &[u8]) -> Digest {
        self.current.imported(format, hash)
    }

    /// The same under the key that is on its way out, while there is one.
    pub fn previous_imported(&self, format: &str, hash: &[u8]) -> Option<Digest> {
        self.previous.as_ref().map(|keyed| keyed.imported(format, hash))
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

    proptest::proptest! {
        #[test]
        fn short_texts_have_the_digest_that_any_text_has(
            secret: [u8; KEY_BYTES],
            text in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..70),
        ) {
            let keyed = Keyed::new(&HashKey { key_id: 1, secret: SecretBox::new(Box::new(secret)) });
            let short = keyed.short.digest(&text);
            proptest::prop_assert_eq!(short.is_some(), text.len() < 56);
            proptest::prop_assert!(short.is_none_or(|digest| digest == keyed.digest_of_any(&text)));
            proptest::prop_assert!(keyed.digest(&text) == keyed.digest_of_any(&text));
        }
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

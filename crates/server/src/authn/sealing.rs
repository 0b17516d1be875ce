//! Sealing: how a secret is stored that this server has to use again, and that a digest would therefore not do for. What
//! is in the database is AES-256-GCM (NIST SP 800-38D) under a key made from a hashing key, which is not in the database.

use super::hasher::HashKey;
use crate::app::Entropy;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD as BASE64;
use std::fmt;
use zeroize::Zeroizing;

/// What the keys are for; see [`HashKey::derive`].
const PURPOSE: &str = "tegata sealing, first form";
/// What a sealed text begins with.
const FORM: &str = "s1";

/// Why a secret cannot be sealed or read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The key that it was sealed with is not there any more.
    #[error("the secret was sealed under hashing key {0}, which this installation no longer has")]
    KeyGone(i64),
    /// It is not what was sealed, or belongs to something else.
    #[error("the stored secret is not as it was sealed")]
    Altered,
}

/// Seals with the current key, and reads what any key sealed that the installation has.
#[derive(Clone)]
pub struct Sealer {
    /// The current key is the last.
    keys: std::sync::Arc<[(i64, LessSafeKey)]>,
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(…)")
    }
}

impl Sealer {
    /// With the hashing keys of the installation, the current one last.
    pub fn new<'a>(keys: impl IntoIterator<Item = &'a HashKey>) -> Self {
        let key = |key: &HashKey| {
            let unbound = UnboundKey::new(&AES_256_GCM, key.derive(PURPOSE).as_slice()).ok()?;
            Some((key.key_id, LessSafeKey::new(unbound)))
        };
        Self { keys: keys.into_iter().filter_map(key).collect() }
    }

    /// Seals a secret of something, which is named by its id: sealed texts cannot be exchanged.
    pub fn seal(&self, entropy: &Entropy, about: &str, secret: &[u8]) -> Result<String, SealError> {
        let (key_id, key) = self.keys.last().ok_or(SealError::KeyGone(0))?;
        let nonce: [u8; NONCE_LEN] = entropy.bytes();
        let mut sealed = secret.to_vec();
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(about.as_bytes()), &mut sealed)
            .map_err(|_| SealError::Altered)?;
        Ok(format!("{FORM}.{key_id}.{}.{}", BASE64.encode(nonce), BASE64.encode(&sealed)))
    }

    /// Reads a secret again.
    pub fn open(&self, about: &str, sealed: &str) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let [form, key_id, nonce, text] = parts(sealed).ok_or(SealError::Altered)?;
        let key_id: i64 = key_id.parse().map_err(|_| SealError::Altered)?;
        let known = self.keys.iter().find(|(known, _)| *known == key_id);
        let (_, key) = known.ok_or(SealError::KeyGone(key_id))?;
        let nonce: Option<[u8; NONCE_LEN]> = BASE64.decode(nonce).ok().and_then(|nonce| nonce.try_into().ok());
        let (Some(nonce), Ok(text), FORM) = (nonce, BASE64.decode(text), form) else { return Err(SealError::Altered) };
        let mut text = Zeroizing::new(text);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let length =
            key.open_in_place(nonce, Aad::from(about.as_bytes()), &mut text).map_err(|_| SealError::Altered)?.len();
        text.truncate(length);
        Ok(text)
    }

    /// Seals again, under the current key, what another key sealed; none where there is nothing to do.
    pub fn renew(&self, entropy: &Entropy, about: &str, sealed: &str) -> Result<Option<String>, SealError> {
        let current = self.keys.last().map(|(key_id, _)| key_id.to_string());
        if parts(sealed).is_some_and(|[_, key_id, ..]| current.as_deref() == Some(key_id)) {
            return Ok(None);
        }
        let secret = self.open(about, sealed)?;
        self.seal(entropy, about, &secret).map(Some)
    }
}

fn parts(sealed: &str) -> Option<[&str; 4]> {
    let mut parts = sealed.splitn(4, '.');
    Some([parts.next()?, parts.next()?, parts.next()?, parts.next()?])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authn::hasher::KEY_BYTES;
    use secrecy::SecretBox;

    fn key(key_id: i64, byte: u8) -> HashKey {
        HashKey { key_id, secret: SecretBox::new(Box::new([byte; KEY_BYTES])) }
    }

    #[test]
    fn a_secret_reads_back_and_only_for_what_it_was_sealed_for() {
        let sealer = Sealer::new([&key(1, 7)]);
        let text = sealer.seal(&Entropy::System, "rst_1", b"secret").unwrap();
        assert!(!text.contains("secret"));
        assert_ne!(text, sealer.seal(&Entropy::System, "rst_1", b"secret").unwrap());
        assert_eq!(sealer.open("rst_1", &text).unwrap().as_slice(), b"secret");
        assert_eq!(sealer.open("rst_2", &text), Err(SealError::Altered));
        assert_eq!(Sealer::new([&key(1, 8)]).open("rst_1", &text), Err(SealError::Altered));
    }

    #[test]
    fn a_new_key_reads_what_the_former_one_sealed_until_that_is_gone() {
        let (old, new) = (key(1, 7), key(2, 8));
        let sealed = Sealer::new([&old]).seal(&Entropy::System, "x", b"secret").unwrap();
        let both = Sealer::new([&old, &new]);
        let renewed = both.renew(&Entropy::System, "x", &sealed).unwrap().unwrap();
        assert_eq!(both.renew(&Entropy::System, "x", &renewed), Ok(None));
        let only_new = Sealer::new([&new]);
        assert_eq!(only_new.open("x", &sealed), Err(SealError::KeyGone(1)));
        assert_eq!(only_new.open("x", &renewed).unwrap().as_slice(), b"secret");
    }

    proptest::proptest! {
        #[test]
        fn what_was_not_sealed_is_refused(text in "\\PC{0,60}|s1\\.1\\.[A-Za-z0-9+/]{16}\\.[A-Za-z0-9+/]{0,60}") {
            proptest::prop_assert!(Sealer::new([&key(1, 7)]).open("x", &text).is_err());
        }
    }
}

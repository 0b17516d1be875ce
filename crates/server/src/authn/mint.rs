//! Making secrets: fresh text from the system's randomness, and its digest for storage.

use super::{Digest, Hasher};
use crate::app::Entropy;
use secrecy::{ExposeSecret as _, SecretString};
use tegata_core::secret::{Product, SecretKind, compose};

/// A secret that was just made: its text goes to its owner once, its digest into the database.
pub struct Minted {
    /// What the owner is shown, once.
    pub text: SecretString,
    /// What is stored.
    pub digest: Digest,
    /// Under which hashing key.
    pub key_id: i64,
}

/// Makes a secret.
pub fn mint(hasher: &Hasher, entropy: &Entropy, product: &Product, kind: SecretKind) -> Minted {
    let text = SecretString::from(compose(product, kind, &mut |buffer| entropy.fill(buffer)));
    let digest = hasher.digest(text.expose_secret());
    Minted { text, digest, key_id: hasher.key_id() }
}

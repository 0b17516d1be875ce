//! Passwords that people choose, as Argon2id (RFC 9106). Hashing is slow on purpose: it runs on its own threads, a few
//! at a time, and never inside a transaction or on the way of a check.

use crate::app::Entropy;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use secrecy::{ExposeSecret as _, SecretString};
use std::sync::LazyLock;
use tokio::sync::Semaphore;

/// Hashes that may run at the same time: each takes 19 MiB and a core for some ten milliseconds.
static RUNNING: Semaphore = Semaphore::const_new(2);

/// A hash of a password that nobody has, so that an unknown address costs as much time as a wrong password.
static NOBODY: LazyLock<String> = LazyLock::new(|| hash_now("nobody has this password", &[7; 16]).unwrap_or_default());

/// Shortest password, in characters (NIST SP 800-63B-4 §3.1.1.2 asks for 8 with a second factor, 15 without; twelve is
/// the floor until a second factor exists here).
pub const PASSWORD_MIN_CHARS: usize = 12;
/// Longest password, in bytes; more would only serve to keep the server busy.
pub const PASSWORD_MAX_BYTES: usize = 1024;

/// Whether a text may be a password.
pub fn check(password: &SecretString) -> Result<(), &'static str> {
    let text = password.expose_secret();
    if text.chars().count() < PASSWORD_MIN_CHARS {
        return Err("a password has at least 12 characters; a sentence is easy to remember");
    }
    if text.len() > PASSWORD_MAX_BYTES {
        return Err("a password has at most 1,024 bytes");
    }
    Ok(())
}

/// Hashes a password for storage.
pub async fn hash(password: SecretString, entropy: &Entropy) -> Result<String, PasswordError> {
    let mut salt = [0_u8; 16];
    entropy.fill(&mut salt);
    run(move || hash_now(password.expose_secret(), &salt)).await?
}

/// Whether a password is the stored one. Without a stored one it takes as long and is false.
pub async fn verify(password: SecretString, stored: Option<String>) -> Result<bool, PasswordError> {
    run(move || fits(&password, stored)).await
}

/// The same at once, for those who bring threads of their own.
pub fn fits(password: &SecretString, stored: Option<String>) -> bool {
    let known = stored.is_some();
    let text = stored.unwrap_or_else(|| NOBODY.clone());
    let Ok(hash) = PasswordHash::new(&text) else { return false };
    Argon2::default().verify_password(password.expose_secret().as_bytes(), &hash).is_ok() && known
}

/// Hashing failed; the cause never holds the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the password could not be hashed")]
pub struct PasswordError;

async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, PasswordError> {
    let _permit = RUNNING.acquire().await.map_err(|_| PasswordError)?;
    tokio::task::spawn_blocking(work).await.map_err(|_| PasswordError)
}

fn hash_now(password: &str, salt: &[u8]) -> Result<String, PasswordError> {
    // The defaults of the library are the OWASP minimum: 19 MiB, two passes, one lane.
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::default());
    let hash = argon2.hash_password_with_salt(password.as_bytes(), salt).map_err(|_| PasswordError)?;
    Ok(hash.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_fits() {
        let stored = hash("correct horse battery".into(), &Entropy::System).await.unwrap();
        assert!(stored.starts_with("$argon2id$"));
        assert!(verify("correct horse battery".into(), Some(stored.clone())).await.unwrap());
        assert!(!verify("correct horse batterx".into(), Some(stored)).await.unwrap());
        assert!(!verify("nobody has this password".into(), None).await.unwrap());
    }
}

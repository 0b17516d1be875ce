//! Secrets of access keys: chosen by whoever makes the key, or made here; hashed before any transaction.

use crate::app::{App, Entropy};
use crate::authn::password;
use secrecy::{ExposeSecret as _, SecretString};
use tegata_core::problem::Problem;

/// Shortest secret.
const CHARS_MIN: usize = 10;
/// Longest secret.
const CHARS_MAX: usize = 30;
/// Random characters at the end of a client id.
const CLIENT_ID_RANDOM: usize = 25;
const SMALL: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
const MIXED: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A secret with its hash, or why it cannot be one: told when it is known that the caller may ask at all.
#[derive(Debug)]
pub struct Prepared(pub Result<Hashed, &'static str>);

/// A secret with its hash.
#[derive(Debug)]
pub struct Hashed {
    /// The secret, shown once.
    pub text: SecretString,
    /// The Argon2id hash of it.
    pub hash: String,
}

impl Prepared {
    /// Checks and hashes a chosen secret, or makes one.
    pub async fn of(app: &App, chosen: Option<SecretString>) -> Result<Self, Problem> {
        let text = match chosen {
            Some(text) => match check(text.expose_secret()) {
                Ok(()) => text,
                Err(why) => return Ok(Self(Err(why))),
            },
            None => generate(app.entropy),
        };
        let hash = password::hash(text.clone(), &app.entropy).await.map_err(|_| Problem::internal())?;
        Ok(Self(Ok(Hashed { text, hash })))
    }

    /// The secret, or the problem of its field.
    pub fn get(&self) -> Result<&Hashed, Problem> {
        self.0.as_ref().map_err(|why| Problem::field("secret", *why))
    }
}

/// Whether a text may be a secret: 10 to 30 characters, of at least three of four classes.
fn check(text: &str) -> Result<(), &'static str> {
    if !(CHARS_MIN..=CHARS_MAX).contains(&text.chars().count()) {
        return Err("a secret has 10 to 30 characters");
    }
    if text.chars().any(char::is_control) {
        return Err("a secret has no control characters");
    }
    let classes = [
        text.chars().any(char::is_uppercase),
        text.chars().any(char::is_lowercase),
        text.chars().any(|letter| letter.is_ascii_digit()),
        text.chars().any(|letter| !letter.is_alphanumeric()),
    ];
    if classes.into_iter().filter(|there| *there).count() < 3 {
        return Err("a secret has at least three of: upper-case letters, lower-case letters, digits, others");
    }
    Ok(())
}

fn generate(entropy: Entropy) -> SecretString {
    loop {
        let text = random(entropy, MIXED, CHARS_MAX);
        if check(&text).is_ok() {
            return SecretString::from(text);
        }
    }
}

/// The client id of a key of this name.
pub fn client_id(entropy: Entropy, name: &str) -> String {
    format!("{name}_{}", random(entropy, SMALL, CLIENT_ID_RANDOM))
}

/// So many random lower-case letters and digits.
pub fn random_letters(entropy: Entropy, count: usize) -> String {
    random(entropy, SMALL, count)
}

/// So many random letters, each as likely as any other.
fn random(entropy: Entropy, letters: &[u8], count: usize) -> String {
    let fair = 256 / letters.len() * letters.len();
    let mut text = String::with_capacity(count);
    while text.len() < count {
        for byte in entropy.bytes::<32>().map(usize::from) {
            if let Some(letter) = letters.get(byte % letters.len()).filter(|_| byte < fair && text.len() < count) {
                text.push(char::from(*letter));
            }
        }
    }
    text
}

/// Whether a key may have this name, which its client id begins with.
pub fn check_name(name: &str) -> Result<(), &'static str> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    if (1..=50).contains(&name.len()) && name.chars().all(fits) {
        Ok(())
    } else {
        Err("the client id begins with the name: write 1 to 50 of A-Z, a-z, 0-9, `-`, `_` and `.`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_secret_has_three_of_four_classes() {
        for good in ["Abcdefghi1", "abcdefgh1!", "ABCDEFGH1 ", "Ünïcodé-99", "Aa1!Aa1!Aa1!Aa1!Aa1!Aa1!Aa1!Aa"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in ["Abcdefg1!", "abcdefghi1", "ABCDEFGHIJ", "Aa1!Aa1!Aa1!Aa1!Aa1!Aa1!Aa1!Aa1", "Abcdefg1\n!", ""] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_made_fits() {
        let id = client_id(Entropy::System, "ci");
        let random = id.strip_prefix("ci_").unwrap();
        assert!(
            random.len() == 25 && random.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit())
        );
        assert_eq!(check(generate(Entropy::System).expose_secret()), Ok(()));
        assert_ne!(id, client_id(Entropy::System, "ci"));
    }

    proptest! {
        #[test]
        fn hostile_text_never_panics(text in "\\PC{0,60}") {
            let _ = (check(&text), check_name(&text));
        }
    }
}

//! The form of the secrets that Tegata makes (DESIGN §3): prefix, 32 random base62 characters, and six base62
//! characters of CRC-32 over both, so that junk is refused before any look-up and secret scanners find leaks.
//!
//! This room knows the form only. Making randomness and hashing belong to the server's `authn`.

use std::fmt;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Random characters of a secret: 190 bits.
pub const BODY_LENGTH: usize = 32;
/// Most random characters of an organization key, whose length varies so that nobody builds on it.
pub const BODY_LENGTH_MAX: usize = 48;
/// Characters of the checksum; 62⁶ > 2³².
pub const CHECKSUM_LENGTH: usize = 6;
/// The product's name in a prefix unless an operator chose another.
pub const DEFAULT_PRODUCT: &str = "tegata";

/// What a secret is for, as its prefix says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SecretKind {
    /// A personal token.
    PersonalToken,
    /// A sign-in session.
    Session,
    /// A verifier's credential.
    Verifier,
    /// The one-time token of the first administrator.
    Setup,
    /// A legacy token.
    LegacyToken,
    /// An organization key.
    OrganizationKey,
    /// What an access key's sign-in gives for a while.
    AccessSession,
    /// An application's token, and what its sign-in gives for a while.
    ApplicationToken,
    /// An application's client secret, which signs it in and is no token itself.
    ClientSecret,
}

impl SecretKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::PersonalToken,
        Self::Session,
        Self::Verifier,
        Self::Setup,
        Self::LegacyToken,
        Self::OrganizationKey,
        Self::AccessSession,
        Self::ApplicationToken,
        Self::ClientSecret,
    ];

    /// The middle of the prefix.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::PersonalToken => "pat",
            Self::Session => "ses",
            Self::Verifier => "ver",
            Self::Setup => "set",
            Self::LegacyToken => "leg",
            Self::OrganizationKey => "org",
            Self::AccessSession => "acs",
            Self::ApplicationToken => "app",
            Self::ClientSecret => "cls",
        }
    }

    /// Whether verifiers ask about secrets of this kind.
    pub const fn is_checked(self) -> bool {
        match self {
            Self::PersonalToken
            | Self::LegacyToken
            | Self::OrganizationKey
            | Self::AccessSession
            | Self::ApplicationToken => true,
            Self::Session | Self::Verifier | Self::Setup | Self::ClientSecret => false,
        }
    }

    /// How many random characters it has, at most.
    const fn body_length_max(self) -> usize {
        if matches!(self, Self::OrganizationKey) { BODY_LENGTH_MAX } else { BODY_LENGTH }
    }
}

/// The name that stands first in every secret of an installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product(String);

/// Why a name cannot stand first in a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a token prefix has 2 to 20 lower-case letters and digits and begins with a letter")]
pub struct ProductError;

impl Product {
    /// Checks a name: 2 to 20 lower-case letters and digits, a letter first.
    pub fn new(name: &str) -> Result<Self, ProductError> {
        let fits = (2..=20).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
            && name.as_bytes()[0].is_ascii_lowercase();
        if fits { Ok(Self(name.to_owned())) } else { Err(ProductError) }
    }
}

impl Default for Product {
    fn default() -> Self {
        Self(DEFAULT_PRODUCT.to_owned())
    }
}

impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Writes a secret from random bytes. `fill` fills a buffer with randomness and is called as often as needed: bytes
/// that would favour some letters are thrown away.
pub fn compose(product: &Product, kind: SecretKind, fill: &mut dyn FnMut(&mut [u8])) -> String {
    let mut text = format!("{product}_{}_", kind.tag());
    let mut buffer = [0_u8; 64];
    let mut body_length = BODY_LENGTH;
    if kind.body_length_max() > BODY_LENGTH {
        fill(&mut buffer);
        body_length += usize::from(buffer[0]) % (kind.body_length_max() - BODY_LENGTH + 1);
    }
    let body_end = text.len() + body_length;
    while text.len() < body_end {
        fill(&mut buffer);
        for byte in buffer {
            // 248 = 4 × 62: every letter stands for four values, the last eight values for none.
            if byte < 248 && text.len() < body_end {
                text.push(char::from(ALPHABET[usize::from(byte) % 62]));
            }
        }
    }
    buffer.fill(0);
    let checksum = checksum(text.as_bytes());
    text.extend(checksum.iter().copied().map(char::from));
    text
}

/// What a text can be, judged by its form and checksum alone; none for junk.
pub fn classify(product: &Product, text: &str) -> Option<SecretKind> {
    let rest = text.strip_prefix(product.0.as_str())?.strip_prefix('_')?;
    let of_kind = |kind: &SecretKind| Some((*kind, rest.strip_prefix(kind.tag())?.strip_prefix('_')?));
    let (kind, random) = SecretKind::ALL.iter().find_map(of_kind)?;
    // Without a branch for each byte: this stands on the way of every check.
    let fits = random.bytes().fold(true, |fits, byte| fits & byte.is_ascii_alphanumeric());
    let lengths = BODY_LENGTH + CHECKSUM_LENGTH..=kind.body_length_max() + CHECKSUM_LENGTH;
    if !lengths.contains(&random.len()) || !fits {
        return None;
    }
    let (signed, sum) = text.as_bytes().split_at(text.len() - CHECKSUM_LENGTH);
    (checksum(signed) == sum).then_some(kind)
}

fn checksum(signed: &[u8]) -> [u8; CHECKSUM_LENGTH] {
    let mut rest = crc32fast::hash(signed);
    let mut text = [b'0'; CHECKSUM_LENGTH];
    for place in text.iter_mut().rev() {
        *place = ALPHABET[(rest % 62) as usize];
        rest /= 62;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn make(kind: SecretKind, seed: u64) -> String {
        let mut state = seed;
        compose(&Product::default(), kind, &mut |buffer| {
            for byte in buffer {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                *byte = state.to_le_bytes()[4];
            }
        })
    }

    proptest! {
        #[test]
        fn a_secret_is_recognized(seed: u64, place in 0_usize..SecretKind::ALL.len()) {
            let kind = SecretKind::ALL[place];
            let text = make(kind, seed);
            prop_assert_eq!(classify(&Product::default(), &text), Some(kind));
            let random = text.len() - "tegata_pat_".len() - CHECKSUM_LENGTH;
            prop_assert!((BODY_LENGTH..=kind.body_length_max()).contains(&random));
        }

        #[test]
        fn a_shortened_or_lengthened_key_is_noticed(seed: u64, letter in "[0-9A-Za-z]") {
            let text = make(SecretKind::OrganizationKey, seed);
            prop_assert_eq!(classify(&Product::default(), &text[..text.len() - 1]), None);
            prop_assert_eq!(classify(&Product::default(), &format!("{text}{letter}")), None);
        }

        #[test]
        fn one_wrong_letter_is_noticed(seed: u64, place in 0_usize..49, letter in "[0-9A-Za-z_]") {
            let text = make(SecretKind::PersonalToken, seed);
            let mut other = text.clone();
            other.replace_range(place..=place, &letter);
            prop_assume!(other != text);
            prop_assert_eq!(classify(&Product::default(), &other), None);
        }

        #[test]
        fn hostile_text_never_panics(text in "\\PC{0,80}") {
            prop_assert_eq!(classify(&Product::default(), &text), None);
        }
    }

    #[test]
    fn an_operator_may_choose_the_name() {
        assert!(Product::new("acme").is_ok());
        for name in ["", "a", "1a", "Acme", "ac_me", "a".repeat(21).as_str()] {
            assert_eq!(Product::new(name), Err(ProductError), "{name}");
        }
    }
}

//! Keys that were made elsewhere, known by the hash that was kept of them there.
//!
//! A fast hash without a salt is found by itself: it is digested again under our key ([`super::Hasher::imported`]), and that
//! digest is stored like the digest of any secret. All others need to be known whose they are before they can be compared;
//! they are stored as they came ([`Stored`]), until the key is first shown and our digest takes their place.

#[cfg(test)]
mod tests;

use argon2::password_hash::PasswordVerifier as _;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, Params};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::{digest, hmac, pbkdf2};
use base64::Engine as _;
use base64::alphabet::BCRYPT;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

/// Longest key that can have been imported, in bytes.
pub const KEY_MAX_BYTES: usize = 512;
/// Longest salt, in bytes.
const SALT_MAX_BYTES: usize = 256;
/// A salt shorter than this is weak (NIST SP 800-132 §5.1: 128 bits; half of it is still common).
const SALT_WEAK_BYTES: usize = 8;
/// What a comparison may cost at most: it is paid by this server.
const BCRYPT_COST_MAX: u32 = 15;
/// See [`BCRYPT_COST_MAX`].
const PBKDF2_MAX: u32 = 5_000_000;
/// Memory of Argon2, in KiB: 256 MiB.
const ARGON2_MEMORY_MAX: u32 = 256 << 10;
/// Passes of Argon2.
const ARGON2_PASSES_MAX: u32 = 20;
/// Lanes of Argon2.
const ARGON2_LANES_MAX: u32 = 16;
/// What bcrypt looks at, in bytes; it does not see what follows.
const BCRYPT_BYTES: usize = 72;
/// bcrypt's own base 64; 22 characters of salt hold four bits too many.
const BCRYPT_BASE64: GeneralPurpose = GeneralPurpose::new(&BCRYPT, NO_PAD.with_decode_allow_trailing_bits(true));

/// The hash functions that others are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sha {
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl Sha {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha-256",
            Self::Sha512 => "sha-512",
        }
    }

    /// Bytes of a hash.
    const fn length(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    fn of(self, parts: &[&[u8]]) -> digest::Digest {
        let mut context = digest::Context::new(match self {
            Self::Sha256 => &digest::SHA256,
            Self::Sha512 => &digest::SHA512,
        });
        for part in parts {
            context.update(part);
        }
        context.finish()
    }

    /// PBKDF2 iterations below which OWASP's Password Storage Cheat Sheet calls it weak.
    const fn iterations_weak(self) -> u32 {
        match self {
            Self::Sha256 => 600_000,
            Self::Sha512 => 210_000,
        }
    }
}

/// How a key was hashed, as rows of an import say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// SHA-256 or SHA-512, with a salt or without.
    Sha(Sha),
    /// HMAC under a key that the import brings.
    Hmac(Sha),
    /// bcrypt, as `$2b$…`.
    Bcrypt,
    /// Argon2, as a PHC string.
    Argon2,
    /// PBKDF2 with HMAC.
    Pbkdf2(Sha),
}

impl Algorithm {
    /// Every algorithm with its word.
    pub const ALL: [(Self, &'static str); 8] = [
        (Self::Sha(Sha::Sha256), "sha-256"),
        (Self::Sha(Sha::Sha512), "sha-512"),
        (Self::Hmac(Sha::Sha256), "hmac-sha-256"),
        (Self::Hmac(Sha::Sha512), "hmac-sha-512"),
        (Self::Bcrypt, "bcrypt"),
        (Self::Argon2, "argon2"),
        (Self::Pbkdf2(Sha::Sha256), "pbkdf2-sha-256"),
        (Self::Pbkdf2(Sha::Sha512), "pbkdf2-sha-512"),
    ];

    /// Its word.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(known, _)| *known == self).map_or("", |(_, word)| word)
    }
}

impl FromStr for Algorithm {
    type Err = ImportedError;

    fn from_str(text: &str) -> Result<Self, ImportedError> {
        let found = Self::ALL.iter().find(|(_, word)| *word == text);
        found.map(|(algorithm, _)| *algorithm).ok_or(ImportedError(
            "algorithm",
            "one of sha-256, sha-512, hmac-sha-256, hmac-sha-512, bcrypt, argon2, pbkdf2-sha-256, pbkdf2-sha-512",
        ))
    }
}

/// How bytes were written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Hexadecimal digits of either case.
    Hex,
    /// RFC 4648 §4, with padding or without.
    Base64,
    /// RFC 4648 §5, with padding or without.
    Base64Url,
    /// As they stand; for salts and keys only.
    Text,
}

impl Encoding {
    /// Reads an encoding of a hash, or of a salt or key, which may be plain text.
    pub fn read(text: &str, plain: bool) -> Option<Self> {
        match text {
            "hex" => Some(Self::Hex),
            "base64" => Some(Self::Base64),
            "base64url" => Some(Self::Base64Url),
            "text" if plain => Some(Self::Text),
            _ => None,
        }
    }

    /// The bytes of a text.
    pub fn decode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Text => Some(text.as_bytes().to_vec()),
            Self::Base64 => BASE64_STANDARD_NO_PAD.decode(text.trim_end_matches('=')).ok(),
            Self::Base64Url => BASE64_URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok(),
            Self::Hex => {
                if !text.is_ascii() || !text.len().is_multiple_of(2) {
                    return None;
                }
                let pair =
                    |at: usize| u8::from_str_radix(text.get(at..at + 2).filter(|two| !two.contains('+'))?, 16).ok();
                (0..text.len()).step_by(2).map(pair).collect()
            }
        }
    }
}

/// Why something of a row cannot be used: the field, and the rule with a way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}: {1}")]
pub struct ImportedError(pub &'static str, pub &'static str);

/// What a row says of a hash.
#[derive(Debug, Clone, Default)]
pub struct Said<'r> {
    /// The hash, or the whole string of bcrypt and Argon2.
    pub hash: &'r str,
    /// How it is written; hexadecimal where nothing is said.
    pub encoding: Option<&'r str>,
    /// The salt.
    pub salt: Option<&'r str>,
    /// How that is written; hexadecimal where nothing is said.
    pub salt_encoding: Option<&'r str>,
    /// `before` or `after` the key.
    pub salt_position: Option<&'r str>,
    /// Iterations of PBKDF2.
    pub iterations: Option<u32>,
}

/// A hash that was kept of a key.
#[derive(Clone, PartialEq, Eq)]
pub enum Hashed {
    /// Fast, and the same for the same key wherever it is: it finds itself.
    Fast {
        /// The function.
        sha: Sha,
        /// Whether it is an HMAC, under the key of the import.
        keyed: bool,
        /// The hash.
        hash: Vec<u8>,
    },
    /// Fast, with a salt.
    Salted {
        /// The function.
        sha: Sha,
        /// Whether the salt stands before the key.
        before: bool,
        /// The salt.
        salt: Vec<u8>,
        /// The hash.
        hash: Vec<u8>,
    },
    /// bcrypt.
    Bcrypt {
        /// The binary logarithm of its rounds.
        cost: u32,
        /// The salt.
        salt: [u8; 16],
        /// The hash.
        hash: [u8; 23],
    },
    /// Argon2, as a PHC string that was looked at.
    Argon2(String),
    /// PBKDF2.
    Pbkdf2 {
        /// The function within.
        sha: Sha,
        /// How often.
        iterations: NonZeroU32,
        /// The salt.
        salt: Vec<u8>,
        /// The hash.
        hash: Vec<u8>,
    },
}

impl fmt::Debug for Hashed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hashed(…)")
    }
}

impl Hashed {
    /// Reads what a row says.
    pub fn read(algorithm: Algorithm, said: &Said<'_>) -> Result<Self, ImportedError> {
        let only = |field, given: bool, why| if given { Err(ImportedError(field, why)) } else { Ok(()) };
        let iterated = matches!(algorithm, Algorithm::Pbkdf2(_));
        only("iterations", said.iterations.is_some() && !iterated, "only PBKDF2 has iterations: leave it out")?;
        let salted = matches!(algorithm, Algorithm::Sha(_) | Algorithm::Pbkdf2(_));
        only("salt", said.salt.is_some() && !salted, "this algorithm has its salt in the hash, or none: leave it out")?;
        let placed = matches!(algorithm, Algorithm::Sha(_)) && said.salt.is_some();
        only(
            "salt_position",
            said.salt_position.is_some() && !placed,
            "only a salted SHA-2 hash needs it: leave it out",
        )?;
        match algorithm {
            Algorithm::Bcrypt => bcrypt_of(said.hash).ok_or(ImportedError(
                "hash",
                "a bcrypt hash is $2a$, $2b$ or $2y$, a cost of 4 to 15, $ and 53 characters",
            )),
            Algorithm::Argon2 => argon2_of(said.hash).ok_or(ImportedError(
                "hash",
                "an Argon2 hash is a PHC string ($argon2id$v=19$m=…,t=…,p=…$salt$hash) of at most 256 MiB, 20 passes and 16 lanes",
            )),
            Algorithm::Hmac(sha) => Ok(Self::Fast { sha, keyed: true, hash: hash_of(sha, said)? }),
            Algorithm::Sha(sha) => {
                let hash = hash_of(sha, said)?;
                let Some(salt) = salt_of(said)? else { return Ok(Self::Fast { sha, keyed: false, hash }) };
                let before = match said.salt_position {
                    Some("before") => true,
                    Some("after") => false,
                    _ => return Err(ImportedError("salt_position", "say whether the salt stands `before` or `after` the key")),
                };
                Ok(Self::Salted { sha, before, salt, hash })
            }
            Algorithm::Pbkdf2(sha) => {
                let wrong = ImportedError("iterations", "PBKDF2 needs its iterations: 1 to 5,000,000");
                let iterations = said.iterations.filter(|number| *number <= PBKDF2_MAX).and_then(NonZeroU32::new);
                let hash = decoded("hash", said.hash, said.encoding, false)?;
                if !(16..=64).contains(&hash.len()) {
                    return Err(ImportedError("hash", "a hash of PBKDF2 has 16 to 64 bytes"));
                }
                let salt = salt_of(said)?.ok_or(ImportedError("salt", "PBKDF2 needs its salt"))?;
                Ok(Self::Pbkdf2 { sha, iterations: iterations.ok_or(wrong)?, salt, hash })
            }
        }
    }

    /// The bytes of the hash, or its string.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Fast { hash, .. } | Self::Salted { hash, .. } | Self::Pbkdf2 { hash, .. } => hash,
            Self::Bcrypt { hash, .. } => hash,
            Self::Argon2(text) => text.as_bytes(),
        }
    }

    /// What speaks against how it was made, in a word and a sentence.
    pub fn weakness(&self) -> Option<(&'static str, String)> {
        match self {
            Self::Fast { keyed: false, sha, .. } => Some((
                "unsalted_fast_hash",
                format!("{} without a salt: whoever saw the old table can try keys by the billion", sha.as_str()),
            )),
            Self::Salted { sha, .. } => {
                let name = sha.as_str();
                Some(("fast_hash", format!("{name} is fast: whoever saw the old table can try keys by the billion")))
            }
            Self::Bcrypt { cost, .. } if *cost < 10 => {
                Some(("low_cost", format!("bcrypt with cost {cost}; OWASP asks for 10 or more")))
            }
            Self::Argon2(text) => weakness_of_argon2(text).map(|why| ("low_cost", why)),
            Self::Pbkdf2 { sha, iterations, .. } if iterations.get() < sha.iterations_weak() => Some((
                "low_cost",
                format!("PBKDF2 with {iterations} iterations; OWASP asks for {} or more", sha.iterations_weak()),
            )),
            Self::Pbkdf2 { salt, .. } if salt.len() < SALT_WEAK_BYTES => {
                Some(("short_salt", format!("a salt of {} bytes", salt.len())))
            }
            Self::Fast { .. } | Self::Bcrypt { .. } | Self::Pbkdf2 { .. } => None,
        }
    }

    /// Whether it is the hash of this. Slow, but for the fast ones; an HMAC, whose key is elsewhere, is nobody's.
    pub fn fits(&self, shown: &[u8]) -> bool {
        let same = |one: &[u8], other: &[u8]| verify_slices_are_equal(one, other).is_ok();
        match self {
            Self::Fast { keyed: true, .. } => false,
            Self::Fast { sha, hash, .. } => same(sha.of(&[shown]).as_ref(), hash),
            Self::Salted { sha, before: true, salt, hash } => same(sha.of(&[salt, shown]).as_ref(), hash),
            Self::Salted { sha, salt, hash, .. } => same(sha.of(&[shown, salt]).as_ref(), hash),
            Self::Bcrypt { cost, salt, hash } => {
                // What bcrypt would not look at could be anything: such a key is refused.
                if shown.len() > BCRYPT_BYTES || shown.contains(&0) || *cost > BCRYPT_COST_MAX {
                    return false;
                }
                let mut ended = zeroize::Zeroizing::new(shown.to_vec());
                ended.push(0);
                ended.truncate(BCRYPT_BYTES);
                let made = bcrypt::bcrypt(*cost, *salt, &ended);
                made.get(..hash.len()).is_some_and(|made| same(made, hash))
            }
            Self::Argon2(text) => {
                PasswordHash::new(text).is_ok_and(|hash| Argon2::default().verify_password(shown, &hash).is_ok())
            }
            Self::Pbkdf2 { sha, iterations, salt, hash } => {
                let algorithm = match sha {
                    Sha::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
                    Sha::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
                };
                pbkdf2::verify(algorithm, *iterations, salt, shown, hash).is_ok()
            }
        }
    }
}

/// A function whose hashes find themselves.
#[derive(Clone)]
pub struct Fast {
    /// What its digests are for: the function's name, or the id of its key.
    pub format: String,
    sha: Sha,
    key: Option<hmac::Key>,
}

impl fmt::Debug for Fast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fast").field("format", &self.format).finish_non_exhaustive()
    }
}

impl Fast {
    /// A function; an HMAC where there is a key, which has an id of its own.
    pub fn new(sha: Sha, key: Option<(&str, &[u8])>) -> Self {
        let algorithm = match sha {
            Sha::Sha256 => hmac::HMAC_SHA256,
            Sha::Sha512 => hmac::HMAC_SHA512,
        };
        Self {
            format: key.map_or_else(|| sha.as_str().to_owned(), |(id, _)| id.to_owned()),
            sha,
            key: key.map(|(_, key)| hmac::Key::new(algorithm, key)),
        }
    }

    /// The hash of what was shown.
    pub fn hash(&self, shown: &str) -> Vec<u8> {
        match &self.key {
            Some(key) => hmac::sign(key, shown.as_bytes()).as_ref().to_vec(),
            None => self.sha.of(&[shown.as_bytes()]).as_ref().to_vec(),
        }
    }
}

/// A hash that waits for its key to be shown, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Whether only what follows the visible beginning of the key was hashed.
    pub secret_only: bool,
    /// The hash.
    pub hashed: Hashed,
}

impl fmt::Display for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let base64 = |bytes: &[u8]| BASE64_STANDARD_NO_PAD.encode(bytes);
        write!(f, "{} ", if self.secret_only { "secret" } else { "key" })?;
        match &self.hashed {
            Hashed::Fast { sha, keyed, hash } => {
                write!(f, "{} {} {}", if *keyed { "hmac" } else { "sha" }, sha.as_str(), base64(hash))
            }
            Hashed::Salted { sha, before, salt, hash } => {
                let place = if *before { "before" } else { "after" };
                write!(f, "salted {} {place} {} {}", sha.as_str(), base64(salt), base64(hash))
            }
            Hashed::Bcrypt { cost, salt, hash } => {
                write!(f, "bcrypt $2b${cost:02}${}{}", BCRYPT_BASE64.encode(salt), BCRYPT_BASE64.encode(hash))
            }
            Hashed::Argon2(text) => write!(f, "argon2 {text}"),
            Hashed::Pbkdf2 { sha, iterations, salt, hash } => {
                write!(f, "pbkdf2 {} {iterations} {} {}", sha.as_str(), base64(salt), base64(hash))
            }
        }
    }
}

impl Stored {
    /// Reads what [`fmt::Display`] wrote.
    pub fn read(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split(' ').collect();
        let base64 = |text: &str| BASE64_STANDARD_NO_PAD.decode(text).ok();
        let sha = |text: &str| match text {
            "sha-256" => Some(Sha::Sha256),
            "sha-512" => Some(Sha::Sha512),
            _ => None,
        };
        let (of, parts) = parts.split_first()?;
        let hashed = match parts {
            ["sha", function, hash] => Hashed::Fast { sha: sha(function)?, keyed: false, hash: base64(hash)? },
            ["hmac", function, hash] => Hashed::Fast { sha: sha(function)?, keyed: true, hash: base64(hash)? },
            ["salted", function, place, salt, hash] => Hashed::Salted {
                sha: sha(function)?,
                before: *place == "before",
                salt: base64(salt)?,
                hash: base64(hash)?,
            },
            ["bcrypt", text] => bcrypt_of(text)?,
            ["argon2", text] => argon2_of(text)?,
            ["pbkdf2", function, iterations, salt, hash] => Hashed::Pbkdf2 {
                sha: sha(function)?,
                iterations: iterations.parse().ok()?,
                salt: base64(salt)?,
                hash: base64(hash)?,
            },
            _ => return None,
        };
        Some(Self { secret_only: *of == "secret", hashed })
    }
}

fn decoded(field: &'static str, text: &str, encoding: Option<&str>, plain: bool) -> Result<Vec<u8>, ImportedError> {
    let (of, wrong) = if plain {
        ("salt_encoding", "one of hex, base64, base64url and text")
    } else {
        ("encoding", "one of hex, base64 and base64url")
    };
    let encoding = Encoding::read(encoding.unwrap_or("hex"), plain).ok_or(ImportedError(of, wrong))?;
    encoding
        .decode(text)
        .ok_or(ImportedError(field, "it is not written in the encoding that is said: hex unless it is named"))
}

fn hash_of(sha: Sha, said: &Said<'_>) -> Result<Vec<u8>, ImportedError> {
    let hash = decoded("hash", said.hash, said.encoding, false)?;
    if hash.len() != sha.length() {
        return Err(ImportedError("hash", "SHA-256 gives 32 bytes and SHA-512 gives 64: this has another length"));
    }
    Ok(hash)
}

fn salt_of(said: &Said<'_>) -> Result<Option<Vec<u8>>, ImportedError> {
    let Some(text) = said.salt else { return Ok(None) };
    let salt = decoded("salt", text, said.salt_encoding, true)?;
    if salt.is_empty() || salt.len() > SALT_MAX_BYTES {
        return Err(ImportedError("salt", "a salt has 1 to 256 bytes"));
    }
    Ok(Some(salt))
}

fn bcrypt_of(text: &str) -> Option<Hashed> {
    let rest = ["$2a$", "$2b$", "$2y$"].iter().find_map(|form| text.strip_prefix(form))?;
    let (cost, rest) = rest.split_once('$')?;
    let cost =
        Some(cost).filter(|cost| cost.len() == 2)?.parse().ok().filter(|cost| (4..=BCRYPT_COST_MAX).contains(cost))?;
    let (salt, hash) = (rest.get(..22)?, rest.get(22..)?);
    let salt = BCRYPT_BASE64.decode(salt).ok()?.try_into().ok()?;
    let hash = BCRYPT_BASE64.decode(hash).ok()?.try_into().ok()?;
    Some(Hashed::Bcrypt { cost, salt, hash })
}

fn argon2_of(text: &str) -> Option<Hashed> {
    let hash = PasswordHash::new(text).ok().filter(|hash| hash.salt.is_some() && hash.hash.is_some())?;
    let known = matches!(hash.algorithm.as_str(), "argon2id" | "argon2i" | "argon2d");
    let params = Params::try_from(&hash).ok()?;
    let bounded = params.m_cost() <= ARGON2_MEMORY_MAX
        && params.t_cost() <= ARGON2_PASSES_MAX
        && params.p_cost() <= ARGON2_LANES_MAX;
    (known && bounded && !text.contains(' ')).then(|| Hashed::Argon2(text.to_owned()))
}

/// OWASP's least parameters: 19 MiB with two passes, or as much work with fewer and more.
fn weakness_of_argon2(text: &str) -> Option<String> {
    let hash = PasswordHash::new(text).ok()?;
    let params = Params::try_from(&hash).ok()?;
    let work = u64::from(params.m_cost()) * u64::from(params.t_cost());
    let weak = work < 35_000 || hash.algorithm.as_str() != "argon2id";
    weak.then(|| {
        let (name, m, t) = (hash.algorithm.as_str(), params.m_cost(), params.t_cost());
        format!(
            "{name} with {m} KiB and {t} passes; OWASP asks for argon2id with 19,456 KiB and 2 passes, or as much work"
        )
    })
}

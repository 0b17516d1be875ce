//! Signed notes (C2SP signed-note v1.0.0) with Ed25519: text, an empty line, signature lines.
//!
//! Only signatures of type 0x01 are made and checked; lines of other keys are passed over, as the format demands, so
//! that witnesses may add theirs.

use crate::proof::tree::sha256;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt;
use std::str::FromStr;
use zeroize::Zeroizing;

/// The byte that stands for Ed25519 in key ids and keys.
const ED25519_TYPE: u8 = 1;
const PUBLIC_BYTES: usize = 32;
const SIGNATURE_BYTES: usize = 64;
/// No note is longer. Sixteen signatures of the largest kind fit many times.
const NOTE_BYTES_MAX: usize = 1 << 20;
const SIGNATURES_MAX: usize = 100;
const DASH: &str = "— ";

/// The 32 random bytes that a signing key is made of. Wiped when it is dropped, never printed.
pub struct Seed(Zeroizing<[u8; 32]>);

impl Seed {
    /// Takes the bytes over.
    pub fn new(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Seed(…)")
    }
}

/// Why a key could not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The name is empty, or has spaces, control characters or a plus in it.
    #[error("a key's name has no spaces, no control characters and no `+`")]
    Name,
    /// The library refused the seed.
    #[error("the seed makes no key")]
    Seed,
    /// Not `name+id+key`, or the id is not that of the key.
    #[error("not a verifier key: `name+id+key` in the form of a signed note")]
    Malformed,
}

/// Why a note is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Not a signed note at all.
    #[error("not a signed note")]
    Malformed,
    /// None of its signatures is by the key.
    #[error("the note is not signed by this key")]
    Unsigned,
    /// A signature in the key's name does not hold.
    #[error("the note's signature does not hold: its text was changed")]
    BadSignature,
}

/// Signs notes under a name.
pub struct SigningKey {
    public: VerifyingKey,
    pair: Ed25519KeyPair,
}

/// Checks notes. Its text is the `vkey` of signed notes, which is what an installation hands out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyingKey {
    name: Box<str>,
    id: [u8; 4],
    public: [u8; PUBLIC_BYTES],
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "SigningKey({})", self.public)
    }
}

impl SigningKey {
    /// The key with this name, which should be like a URL without its scheme (`tegata.example.com/log`).
    pub fn new(name: &str, seed: &Seed) -> Result<Self, KeyError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.0.as_slice()).map_err(|_| KeyError::Seed)?;
        let public = pair.public_key().as_ref().first_chunk().copied().ok_or(KeyError::Seed)?;
        Ok(Self { public: VerifyingKey::new(name, public)?, pair })
    }

    /// The key that checks what this one signs.
    pub fn verifying_key(&self) -> &VerifyingKey {
        &self.public
    }

    /// Makes a note of a text, which has to end with a newline.
    pub(crate) fn sign(&self, text: &str) -> String {
        let signature = self.pair.sign(text.as_bytes());
        let blob = STANDARD.encode([&self.public.id, signature.as_ref()].concat());
        format!("{text}\n{DASH}{name} {blob}\n", name = self.public.name)
    }
}

impl VerifyingKey {
    fn new(name: &str, public: [u8; PUBLIC_BYTES]) -> Result<Self, KeyError> {
        if !is_key_name(name) {
            return Err(KeyError::Name);
        }
        Ok(Self { name: name.into(), id: key_id(name, public), public })
    }

    /// The name under which the key signs.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text of a note that this key has signed.
    pub fn open<'a>(&self, note: &'a str) -> Result<&'a str, NoteError> {
        let Parts { text, signatures } = parts(note)?;
        let mut signed = false;
        for (name, blob) in signatures {
            if name != &*self.name || blob.first_chunk() != Some(&self.id) {
                continue;
            }
            let signature =
                blob.get(4..).filter(|rest| rest.len() == SIGNATURE_BYTES).ok_or(NoteError::BadSignature)?;
            let key = UnparsedPublicKey::new(&ED25519, &self.public);
            key.verify(text.as_bytes(), signature).map_err(|_| NoteError::BadSignature)?;
            signed = true;
        }
        if signed { Ok(text) } else { Err(NoteError::Unsigned) }
    }
}

impl fmt::Display for VerifyingKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = STANDARD.encode([&[ED25519_TYPE][..], &self.public].concat());
        write!(out, "{}+{:08x}+{key}", self.name, u32::from_be_bytes(self.id))
    }
}

impl FromStr for VerifyingKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let mut fields = text.splitn(3, '+');
        let [Some(name), Some(_), Some(key)] = [fields.next(), fields.next(), fields.next()] else {
            return Err(KeyError::Malformed);
        };
        let decoded = STANDARD.decode(key).map_err(|_| KeyError::Malformed)?;
        let (kind, public) = decoded.split_first().ok_or(KeyError::Malformed)?;
        let public = public.try_into().map_err(|_| KeyError::Malformed)?;
        let key = Self::new(name, public)?;
        // Also compares the id, and its spelling.
        if *kind == ED25519_TYPE && key.to_string() == text { Ok(key) } else { Err(KeyError::Malformed) }
    }
}

fn is_key_name(name: &str) -> bool {
    !name.is_empty()
        && !name.contains(|character: char| character.is_whitespace() || character == '+' || character < ' ')
}

fn key_id(name: &str, public: [u8; PUBLIC_BYTES]) -> [u8; 4] {
    let [first, second, third, fourth, ..] = sha256(&[name.as_bytes(), b"\n", &[ED25519_TYPE], &public].concat()).0;
    [first, second, third, fourth]
}

/// A note taken apart. Nothing of it is to be believed yet.
struct Parts<'a> {
    text: &'a str,
    /// Names, and key id with signature.
    signatures: Vec<(&'a str, Vec<u8>)>,
}

fn parts(note: &str) -> Result<Parts<'_>, NoteError> {
    let controls = |byte: u8| byte < b' ' && byte != b'\n';
    if note.len() > NOTE_BYTES_MAX || note.bytes().any(controls) {
        return Err(NoteError::Malformed);
    }
    let at = note.rfind("\n\n").ok_or(NoteError::Malformed)?;
    let (text, lines) = note.split_at_checked(at + 1).ok_or(NoteError::Malformed)?;
    let lines = lines.strip_prefix('\n').and_then(|lines| lines.strip_suffix('\n')).ok_or(NoteError::Malformed)?;
    let mut signatures = Vec::new();
    for line in lines.split('\n') {
        signatures.push(signature(line).ok_or(NoteError::Malformed)?);
        if signatures.len() > SIGNATURES_MAX {
            return Err(NoteError::Malformed);
        }
    }
    Ok(Parts { text, signatures })
}

fn signature(line: &str) -> Option<(&str, Vec<u8>)> {
    let (name, blob) = line.strip_prefix(DASH)?.split_once(' ')?;
    let blob = STANDARD.decode(blob).ok()?;
    (is_key_name(name) && blob.len() > 4).then_some((name, blob))
}

#[cfg(test)]
mod tests;

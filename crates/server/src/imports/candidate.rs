//! What a row stands for: a credential to be, as far as that can be told without knowing the installation.

use super::row::{Row, RowError};
use super::shape::Shape;
use crate::authn::imported::{Algorithm, Encoding, Fast, Hashed, Said, Stored};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use tegata_core::name;
use tegata_core::time::Timestamp;
use utoipa::ToSchema;

/// Shortest key of an HMAC, in bytes.
const HMAC_KEY_MIN_BYTES: usize = 16;
/// Longest.
const HMAC_KEY_MAX_BYTES: usize = 256;
/// Longest client id, in bytes.
const CLIENT_ID_MAX_BYTES: usize = 200;

/// What can be imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A member's token.
    PersonalToken,
    /// A key that the organization owns.
    OrganizationKey,
    /// A client id and a secret of a service account.
    AccessKey,
}

/// What holds for a whole import.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CredentialImportSettings)]
pub struct Settings {
    /// What rows say that say nothing: any of their fields.
    #[serde(default)]
    pub defaults: Row,
    /// The key of HMAC hashes. It is kept sealed.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Password)]
    pub hmac_key: Option<SecretString>,
    /// How it is written: `hex` (where nothing is said), `base64`, `base64url` or `text`.
    #[serde(default)]
    pub hmac_key_encoding: Option<String>,
    /// Where the visible beginning of a key ends; for salted and slow hashes.
    #[serde(default)]
    pub shape: Option<Shape>,
    /// What was hashed of a key of that shape: the whole `key` (where nothing is said), or the `secret` behind the beginning.
    #[serde(default)]
    pub hashed: Option<String>,
}

/// A weakness of how keys were kept, in a word and a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Weakness {
    /// The word.
    pub code: &'static str,
    /// The sentence.
    pub message: String,
}

/// How a key is found that somebody shows.
#[derive(Debug, Clone)]
pub enum FoundBy {
    /// By its hash.
    Itself(Hashed),
    /// By its visible beginning.
    Identifier(String, Stored),
    /// By a client id that is shown beside it.
    Client(String, Stored),
}

/// A credential to be.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// What it is.
    pub kind: Kind,
    /// Whose it is; nobody's for an organization key.
    pub owner: Option<String>,
    /// What people call it.
    pub name: String,
    /// What it is for.
    pub reason: String,
    /// When it ends, where that is said.
    pub expires_at: Option<Timestamp>,
    /// The API, where it is said.
    pub api: Option<String>,
    /// The scopes.
    pub scopes: String,
    /// How it is found.
    pub found_by: FoundBy,
    /// What speaks against how it was kept.
    pub weaknesses: Vec<Weakness>,
}

impl Settings {
    /// What is wrong with them: the field, and the rule with a way out.
    pub fn check(&self) -> Result<(), RowError> {
        if let Some(shape) = &self.shape {
            shape.check().map_err(|why| RowError::new("shape", why))?;
        }
        if !matches!(self.hashed.as_deref(), None | Some("key" | "secret")) {
            return Err(RowError::new(
                "hashed",
                "either the whole `key` was hashed, or the `secret` behind its beginning",
            ));
        }
        self.mac_key().map(drop)
    }

    /// The key of HMAC hashes.
    pub fn mac_key(&self) -> Result<Option<zeroize::Zeroizing<Vec<u8>>>, RowError> {
        let Some(text) = &self.hmac_key else { return Ok(None) };
        let encoding = Encoding::read(self.hmac_key_encoding.as_deref().unwrap_or("hex"), true)
            .ok_or_else(|| RowError::new("hmac_key_encoding", "one of hex, base64, base64url and text"))?;
        let key = encoding.decode(text.expose_secret()).map(zeroize::Zeroizing::new);
        let key = key.filter(|key| (HMAC_KEY_MIN_BYTES..=HMAC_KEY_MAX_BYTES).contains(&key.len()));
        key.map(Some).ok_or_else(|| {
            RowError::new(
                "hmac_key",
                "it has 16 to 256 bytes, in the encoding that `hmac_key_encoding` says: hex unless it is named",
            )
        })
    }
}

impl Candidate {
    /// Reads a row, and names everything that is wrong with it.
    pub fn read(row: Row, settings: &Settings) -> Result<Self, Vec<RowError>> {
        let row = row.or(&settings.defaults);
        let mut wrong = Vec::new();
        let kind = note(&mut wrong, kind_of(&row));
        let name = note(&mut wrong, named(&row));
        let reason = row.reason.clone().unwrap_or_default();
        if let Err(error) = name::check_reason(&reason) {
            wrong.push(RowError::new("reason", error.to_string()));
        }
        let expires_at = row
            .expires_at
            .as_deref()
            .map(|text| text.parse::<Timestamp>().map_err(|error| RowError::new("expires_at", error.to_string())));
        let expires_at = expires_at.and_then(|read| note(&mut wrong, read));
        let owned = note(&mut wrong, kind.map_or(Ok(()), |kind| check_owner(kind, &row)));
        let found = kind.and_then(|kind| note(&mut wrong, found_by(kind, &row, settings)));
        match (kind, name, owned, found) {
            (Some(kind), Some(name), Some(()), Some((found_by, weaknesses))) if wrong.is_empty() => Ok(Self {
                kind,
                owner: row.owner,
                name,
                reason,
                expires_at,
                api: row.api,
                scopes: row.scopes.unwrap_or_default(),
                found_by,
                weaknesses,
            }),
            _ => Err(wrong),
        }
    }

    /// Whether it is this key, which somebody has at hand to try: as text, or client id and secret with a space between them.
    pub fn is(&self, key: &str, settings: &Settings) -> bool {
        match &self.found_by {
            FoundBy::Itself(Hashed::Fast { sha, keyed, hash }) => {
                let mac_key = settings.mac_key().ok().flatten();
                if *keyed && mac_key.is_none() {
                    return false;
                }
                let under = mac_key.as_ref().filter(|_| *keyed).map(|key| ("", key.as_slice()));
                Fast::new(*sha, under).hash(key) == *hash
            }
            FoundBy::Itself(hashed) => hashed.fits(key.as_bytes()),
            FoundBy::Identifier(identifier, stored) => {
                let split = settings.shape.as_ref().and_then(|shape| shape.split(key));
                split.is_some_and(|(visible, secret)| {
                    let shown = if stored.secret_only { secret } else { key };
                    visible == identifier && stored.hashed.fits(shown.as_bytes())
                })
            }
            FoundBy::Client(client, stored) => {
                key.split_once(' ').is_some_and(|(id, secret)| id == client && stored.hashed.fits(secret.as_bytes()))
            }
        }
    }
}

fn note<T>(wrong: &mut Vec<RowError>, read: Result<T, RowError>) -> Option<T> {
    read.map_err(|error| wrong.push(error)).ok()
}

fn kind_of(row: &Row) -> Result<Kind, RowError> {
    match row.kind.as_deref() {
        Some("personal_token") => Ok(Kind::PersonalToken),
        Some("organization_key") => Ok(Kind::OrganizationKey),
        Some("access_key") => Ok(Kind::AccessKey),
        _ => Err(RowError::new("kind", "one of personal_token, organization_key and access_key")),
    }
}

fn named(row: &Row) -> Result<String, RowError> {
    let name = row.name.clone().unwrap_or_default();
    name::check_title(&name).map(|()| name).map_err(|error| RowError::new("name", error.to_string()))
}

fn check_owner(kind: Kind, row: &Row) -> Result<(), RowError> {
    let (said, scoped) = (row.owner.is_some(), row.scopes.is_some() || row.api.is_some());
    match kind {
        Kind::OrganizationKey if said => {
            Err(RowError::new("owner", "the organization owns it: leave the owner out, or import a personal_token"))
        }
        Kind::PersonalToken if !said => Err(RowError::new("owner", "name a member by e-mail address or id")),
        Kind::AccessKey if !said => Err(RowError::new("owner", "name a service account by name or id")),
        Kind::AccessKey if scoped => {
            Err(RowError::new("scopes", "an access key has the roles of its service account: leave scopes and api out"))
        }
        Kind::PersonalToken | Kind::OrganizationKey if row.scopes.is_none() => {
            Err(RowError::new("scopes", "name at least one scope"))
        }
        _ => Ok(()),
    }
}

fn found_by(kind: Kind, row: &Row, settings: &Settings) -> Result<(FoundBy, Vec<Weakness>), RowError> {
    let algorithm: Algorithm = row.algorithm.as_deref().unwrap_or_default().parse().map_err(told)?;
    let iterations = row.iterations.as_deref().map(|text| {
        text.parse::<u32>().map_err(|_| RowError::new("iterations", "PBKDF2 needs its iterations: 1 to 5,000,000"))
    });
    let said = Said {
        hash: row.hash.as_deref().ok_or_else(|| RowError::new("hash", "name the hash that was kept of the key"))?,
        encoding: row.encoding.as_deref(),
        salt: row.salt.as_deref(),
        salt_encoding: row.salt_encoding.as_deref(),
        salt_position: row.salt_position.as_deref(),
        iterations: iterations.transpose()?,
    };
    let hashed = Hashed::read(algorithm, &said).map_err(told)?;
    let weakness = hashed.weakness().map(|(code, message)| Weakness { code, message });
    let mut weaknesses: Vec<_> = weakness.into_iter().collect();
    let keyed = matches!(hashed, Hashed::Fast { keyed: true, .. });
    if keyed && settings.hmac_key.is_none() {
        return Err(RowError::new(
            "algorithm",
            "an HMAC needs the key that it was made with: give `hmac_key` with the import",
        ));
    }
    if kind == Kind::AccessKey {
        if keyed {
            return Err(RowError::new(
                "algorithm",
                "the secret of an access key is not imported as an HMAC: give it a new one",
            ));
        }
        let bounded = |id: &&String| id.len() <= CLIENT_ID_MAX_BYTES;
        let client =
            row.identifier.as_ref().filter(bounded).cloned().ok_or_else(|| {
                RowError::new("identifier", "an access key is known by its client id: 1 to 200 bytes")
            })?;
        return Ok((FoundBy::Client(client, Stored { secret_only: false, hashed }), weaknesses));
    }
    let secret_only = settings.hashed.as_deref() == Some("secret");
    if matches!(hashed, Hashed::Fast { .. }) && !secret_only {
        return Ok((FoundBy::Itself(hashed), weaknesses));
    }
    if keyed {
        return Err(RowError::new(
            "algorithm",
            "an HMAC is imported where the whole key was hashed: leave `hashed` out",
        ));
    }
    let shape = settings.shape.as_ref().ok_or_else(|| {
        let why = "a salted or slow hash does not say whose key was shown: say with `shape` where the visible beginning of a key ends";
        RowError::new("algorithm", why)
    })?;
    let identifier = row.identifier.clone().ok_or_else(|| {
        RowError::new("identifier", "a salted or slow hash is found by the visible beginning of its key: name it")
    })?;
    shape.check_identifier(&identifier)?;
    if shape.is_short(&identifier) {
        let message = "what tells keys apart has fewer than 4 characters".to_owned();
        weaknesses.push(Weakness { code: "short_identifier", message });
    }
    Ok((FoundBy::Identifier(identifier, Stored { secret_only, hashed }), weaknesses))
}

fn told(error: crate::authn::imported::ImportedError) -> RowError {
    RowError::new(error.0, error.1)
}

//! The file with the keys. It lies beside the database and not in it, readable by its owner only. One hashing key a
//! line: its number, a space, 64 hexadecimal digits; the last line is the current key. Before them, the key that signs the
//! access log: `signing`, its name, 64 hexadecimal digits. A file of an earlier version has none, and gets one when the
//! server starts.

use super::Digest;
use super::hasher::{HashKey, KEY_BYTES};
use crate::app::Entropy;
use secrecy::{ExposeSecret as _, SecretBox};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use tegata_record::proof::{KeyError, Seed, SigningKey};
use zeroize::Zeroizing;

/// The word that begins the line of the signing key.
const SIGNING: &str = "signing";

/// What can go wrong with the key file.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It is not there although the database is.
    #[error(
        "the key file {0} is missing and the database exists: put the file back (no new one is made, since no stored credential would ever match again)"
    )]
    Missing(PathBuf),
    /// It is there although the database is not.
    #[error("the key file {0} cannot be read: {1}")]
    Unreadable(PathBuf, std::io::Error),
    /// A line is not a key.
    #[error(
        "line {1} of the key file {0} is not a key: a number, a space and 64 hexadecimal digits, or `signing`, a name and 64 hexadecimal digits"
    )]
    Malformed(PathBuf, usize),
    /// Its keys are not those of the database.
    #[error("the key file {0} does not belong to this database: the fingerprint of key {1} differs")]
    Foreign(PathBuf, i64),
}

/// What is in the file.
#[derive(Default)]
pub struct Keys {
    /// The hashing keys, oldest first.
    pub hashing: Vec<HashKey>,
    /// The key that signs the access log, if there is one yet.
    pub signing: Option<SigningSecret>,
}

/// The key that signs the access log.
pub struct SigningSecret {
    /// Its name, which stands in everything that it signs. It never changes, whatever the installation is called.
    pub name: String,
    /// What it is made of.
    pub seed: SecretBox<[u8; KEY_BYTES]>,
}

impl SigningSecret {
    /// Makes a fresh key with this name.
    pub fn generate(name: String, entropy: &Entropy) -> Self {
        let mut seed = Box::new([0_u8; KEY_BYTES]);
        entropy.fill(seed.as_mut_slice());
        Self { name, seed: SecretBox::new(seed) }
    }

    /// The key, ready for use.
    pub fn key(&self) -> Result<SigningKey, KeyError> {
        SigningKey::new(&self.name, &Seed::new(Zeroizing::new(*self.seed.expose_secret())))
    }
}

enum Line {
    Hashing(HashKey),
    Signing(SigningSecret),
}

/// Reads the keys.
pub fn read(path: &Path) -> Result<Keys, KeyFileError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => Zeroizing::new(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(KeyFileError::Missing(path.to_owned()));
        }
        Err(error) => return Err(KeyFileError::Unreadable(path.to_owned(), error)),
    };
    let mut keys = Keys::default();
    for (place, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let malformed = || KeyFileError::Malformed(path.to_owned(), place + 1);
        match read_line(line).ok_or_else(malformed)? {
            Line::Hashing(key) => keys.hashing.push(key),
            Line::Signing(_) if keys.signing.is_some() => return Err(malformed()),
            Line::Signing(key) => keys.signing = Some(key),
        }
    }
    if keys.hashing.is_empty() { Err(KeyFileError::Malformed(path.to_owned(), 1)) } else { Ok(keys) }
}

fn read_line(line: &str) -> Option<Line> {
    let (first, rest) = line.split_once(' ')?;
    let bytes = |digits: &str| Some(SecretBox::new(Box::new(Digest::from_hex(digits.trim())?.0)));
    if first == SIGNING {
        let (name, digits) = rest.split_once(' ')?;
        let secret = SigningSecret { name: name.to_owned(), seed: bytes(digits)? };
        return secret.key().ok().map(|_| Line::Signing(secret));
    }
    let key_id = first.parse().ok().filter(|number| *number > 0)?;
    Some(Line::Hashing(HashKey { key_id, secret: bytes(rest)? }))
}

/// Makes a fresh key with this number.
pub fn generate(key_id: i64, entropy: &Entropy) -> HashKey {
    let mut secret = Box::new([0_u8; KEY_BYTES]);
    entropy.fill(secret.as_mut_slice());
    HashKey { key_id, secret: SecretBox::new(secret) }
}

/// Writes the keys: to a new file beside the old one, flushed, then moved over it, so that a crash leaves one of both.
pub fn write(path: &Path, keys: &Keys) -> Result<(), KeyFileError> {
    let unreadable = |error| KeyFileError::Unreadable(path.to_owned(), error);
    let mut text = Zeroizing::new(String::from(
        "# Keys of a Tegata installation. Keep this file secret and apart from backups of the database.\n",
    ));
    if let Some(SigningSecret { name, seed }) = &keys.signing {
        let digits = Zeroizing::new(Digest(*seed.expose_secret()).to_hex());
        text.extend([SIGNING, " ", name, " ", &digits, "\n"]);
    }
    for key in &keys.hashing {
        text.push_str(&key.key_id.to_string());
        text.push(' ');
        text.push_str(&Zeroizing::new(Digest(*key.secret.expose_secret()).to_hex()));
        text.push('\n');
    }
    let fresh = path.with_extension("new");
    let mut file =
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh).map_err(unreadable)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(unreadable)?;
    fs::rename(&fresh, path).map_err(unreadable)?;
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(unreadable)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn keys_read_back_and_only_their_owner_may() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        let hashing = vec![generate(1, &Entropy::System), generate(2, &Entropy::System)];
        let signing = Some(SigningSecret::generate("tegata-1".to_owned(), &Entropy::System));
        let keys = Keys { hashing, signing };
        write(&path, &keys).unwrap();
        let back = read(&path).unwrap();
        assert_eq!(back.hashing.len(), 2);
        assert_eq!(back.hashing[1].fingerprint(), keys.hashing[1].fingerprint());
        assert_ne!(back.hashing[0].fingerprint(), keys.hashing[1].fingerprint());
        let public = |keys: &Keys| keys.signing.as_ref().unwrap().key().unwrap().verifying_key().to_string();
        assert_eq!(public(&back), public(&keys));
        assert!(public(&back).starts_with("tegata-1+"));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn what_is_not_a_key_is_named_by_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        assert!(matches!(read(&path), Err(KeyFileError::Missing(_))));
        fs::write(&path, "# one\n1 00\n").unwrap();
        assert!(matches!(read(&path), Err(KeyFileError::Malformed(_, 2))));
        let hex = "07".repeat(32);
        for line in ["signing x", "signing a+b 07", &format!("signing a+b {hex}"), &format!("signing {hex}")] {
            fs::write(&path, format!("1 {hex}\n{line}\n")).unwrap();
            assert!(matches!(read(&path), Err(KeyFileError::Malformed(_, 2))), "{line}");
        }
    }

    #[test]
    fn a_file_of_an_earlier_version_has_no_signing_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        fs::write(&path, format!("# Hashing keys\n1 {}\n", "07".repeat(32))).unwrap();
        let keys = read(&path).unwrap();
        assert_eq!((keys.hashing.len(), keys.signing.is_none()), (1, true));
    }
}

//! The file with the hashing keys. It lies beside the database and not in it, readable by its owner only. One key a
//! line: its number, a space, 64 hexadecimal digits; the last line is the current key.

use super::hasher::{HashKey, KEY_BYTES};
use crate::app::Entropy;
use secrecy::{ExposeSecret as _, SecretBox};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

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
    #[error("line {1} of the key file {0} is not a key: a number, a space and 64 hexadecimal digits")]
    Malformed(PathBuf, usize),
    /// Its keys are not those of the database.
    #[error("the key file {0} does not belong to this database: the fingerprint of key {1} differs")]
    Foreign(PathBuf, i64),
}

/// Reads the keys, oldest first.
pub fn read(path: &Path) -> Result<Vec<HashKey>, KeyFileError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => Zeroizing::new(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(KeyFileError::Missing(path.to_owned()));
        }
        Err(error) => return Err(KeyFileError::Unreadable(path.to_owned(), error)),
    };
    let keys = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'))
        .map(|(place, line)| read_line(line).ok_or_else(|| KeyFileError::Malformed(path.to_owned(), place + 1)))
        .collect::<Result<Vec<_>, _>>()?;
    if keys.is_empty() { Err(KeyFileError::Malformed(path.to_owned(), 1)) } else { Ok(keys) }
}

fn read_line(line: &str) -> Option<HashKey> {
    let (number, digits) = line.split_once(' ')?;
    let bytes = super::Digest::from_hex(digits.trim())?.0;
    Some(HashKey { key_id: number.parse().ok().filter(|number| *number > 0)?, secret: SecretBox::new(Box::new(bytes)) })
}

/// Makes a fresh key with this number.
pub fn generate(key_id: i64, entropy: &Entropy) -> HashKey {
    let mut secret = Box::new([0_u8; KEY_BYTES]);
    entropy.fill(secret.as_mut_slice());
    HashKey { key_id, secret: SecretBox::new(secret) }
}

/// Writes the keys: to a new file beside the old one, flushed, then moved over it, so that a crash leaves one of both.
pub fn write(path: &Path, keys: &[HashKey]) -> Result<(), KeyFileError> {
    let unreadable = |error| KeyFileError::Unreadable(path.to_owned(), error);
    let mut text = Zeroizing::new(String::from(
        "# Hashing keys of a Tegata installation. Keep this file secret and apart from backups of the database.\n",
    ));
    for key in keys {
        text.push_str(&key.key_id.to_string());
        text.push(' ');
        text.push_str(&Zeroizing::new(super::Digest(*key.secret.expose_secret()).to_hex()));
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
        let keys = [generate(1, &Entropy::System), generate(2, &Entropy::System)];
        write(&path, &keys).unwrap();
        let back = read(&path).unwrap();
        assert_eq!(back.len(), 2);
        assert_eq!(back[1].fingerprint(), keys[1].fingerprint());
        assert_ne!(back[0].fingerprint(), keys[1].fingerprint());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn what_is_not_a_key_is_named_by_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        assert!(matches!(read(&path), Err(KeyFileError::Missing(_))));
        fs::write(&path, "# one\n1 00\n").unwrap();
        assert!(matches!(read(&path), Err(KeyFileError::Malformed(_, 2))));
    }
}

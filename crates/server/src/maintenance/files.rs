//! Files of a backup: private to their owner, copied with their digest, on disk before anybody relies on them.

use super::{MaintenanceError, io};
use crate::authn::hasher::hex;
use sha2::{Digest as _, Sha256};
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

/// Makes a directory that only its owner may look into; it must be empty or not there.
pub fn make_empty(path: &Path) -> Result<(), MaintenanceError> {
    make(path)?;
    match fs::read_dir(path).map_err(io(path))?.next() {
        None => Ok(()),
        Some(_) => Err(MaintenanceError::NotEmpty(path.to_owned())),
    }
}

/// Makes a directory that only its owner may look into.
pub fn make(path: &Path) -> Result<(), MaintenanceError> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(io(path))
}

/// Copies a file into a new one and flushes it. Returns how many bytes it has.
pub fn copy(from: &Path, to: &Path, mut told: impl FnMut(u64)) -> Result<u64, MaintenanceError> {
    let source = File::open(from).map_err(io(from))?;
    // As long as it is now: whoever appends meanwhile is after this copy.
    let length = source.metadata().map_err(io(from))?.len();
    let mut source = source.take(length);
    let mut target = File::options().write(true).create_new(true).mode(0o600).open(to).map_err(io(to))?;
    let mut buffer = vec![0_u8; 1 << 20];
    let mut copied = 0;
    loop {
        let read = source.read(&mut buffer).map_err(io(from))?;
        if read == 0 {
            break;
        }
        target.write_all(&buffer[..read]).map_err(io(to))?;
        copied += read as u64;
        told(copied);
    }
    target.sync_all().map_err(io(to))?;
    Ok(copied)
}

/// The length and SHA-256 of a file.
pub fn digest(path: &Path, mut told: impl FnMut(u64)) -> Result<(u64, String), MaintenanceError> {
    let mut file = File::open(path).map_err(io(path))?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0_u8; 1 << 20];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut buffer).map_err(io(path))?;
        if read == 0 {
            break;
        }
        hash.update(&buffer[..read]);
        bytes += read as u64;
        told(bytes);
    }
    Ok((bytes, hex(&hash.finalize())))
}

/// Makes the names in a directory durable.
pub fn sync_directory(path: &Path) -> Result<(), MaintenanceError> {
    File::open(path).and_then(|directory| directory.sync_all()).map_err(io(path))
}

/// The names of the plain files in a directory, in order.
pub fn names(path: &Path) -> Result<Vec<String>, MaintenanceError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path).map_err(io(path))? {
        let entry = entry.map_err(io(path))?;
        if entry.file_type().map_err(io(path))?.is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

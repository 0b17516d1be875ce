//! `journal.json`: the format of the directory and the tag of the journal. Written once, when the journal is made.

use crate::files;
use crate::segment::header;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Meta {
    pub(crate) format: u16,
    pub(crate) tag: u16,
}

/// What lies where the file should be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Meta(Meta),
    Damaged,
    Nothing,
}

pub(crate) fn path(directory: &Path) -> PathBuf {
    directory.join("journal.json")
}

pub(crate) fn read(directory: &Path) -> io::Result<Found> {
    match fs::read(path(directory)) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).map_or(Found::Damaged, Found::Meta)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Found::Nothing),
        Err(error) => Err(error),
    }
}

pub(crate) fn write(directory: &Path, tag: u16) -> io::Result<()> {
    let text = serde_json::to_vec(&Meta { format: header::FORMAT, tag })?;
    files::write_whole(&path(directory), &text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(read(directory.path()).unwrap(), Found::Nothing);
        write(directory.path(), 0xbeef).unwrap();
        assert_eq!(read(directory.path()).unwrap(), Found::Meta(Meta { format: 1, tag: 0xbeef }));
        fs::write(path(directory.path()), b"{\"format\":1,\"tag\":70000}").unwrap();
        assert_eq!(read(directory.path()).unwrap(), Found::Damaged);
    }
}

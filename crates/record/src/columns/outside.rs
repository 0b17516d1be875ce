//! Copying the files of a log from outside of the process that writes it.
//!
//! Copy the segments of the journal first, then call this: a segment that was given up before it could be copied is in
//! files by then. Files that are no longer listed stay for the grace of the options, which is time enough to copy them.

use crate::columns::manifest::{self, Manifest};
use crate::files;
use std::fs::{self, File};
use std::io;
use std::path::{Component, Path, PathBuf};

/// How often the manifest is read again because a file that it listed has gone meanwhile.
const ATTEMPTS: usize = 3;

/// What was copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ColumnsCopied {
    /// Files.
    pub files: usize,
    /// Records in them.
    pub records: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// All records up to this sequence are in columns, or were dropped from them.
    pub settled_sequence: u64,
}

/// Copies the columns of the log in the directory `from` into the directory `to`, both those of the journals, as they
/// are at this moment, and flushes them to disk; `told` hears how many bytes of how many. Nothing is copied if there
/// are none. Files come first and the manifest last, so that half a copy does not look like a whole one.
pub fn copy_columns(from: &Path, to: &Path, mut told: impl FnMut(u64, u64)) -> io::Result<ColumnsCopied> {
    let (from, to) = (from.join("columns"), to.join("columns"));
    let mut attempts = 0;
    loop {
        let text = match fs::read(from.join(manifest::NAME)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(ColumnsCopied::default()),
            read => read?,
        };
        let listed: Manifest = serde_json::from_slice(&text)?;
        attempts += 1;
        match copy_listed(&listed, &from, &to, &mut told) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && attempts < ATTEMPTS => {}
            copied => {
                copied?;
                remove_unlisted(&listed, &to)?;
                files::write_whole(&to.join(manifest::NAME), &text)?;
                let (files, records, bytes) = (listed.files.len(), listed.rows(), listed.bytes());
                return Ok(ColumnsCopied { files, records, bytes, settled_sequence: listed.settled });
            }
        }
    }
}

fn copy_listed(listed: &Manifest, from: &Path, to: &Path, told: &mut impl FnMut(u64, u64)) -> io::Result<()> {
    let total = listed.bytes();
    let mut done = 0;
    files::create_directory(to)?;
    for file in &listed.files {
        let path = below(&file.path)?;
        let (source, target) = (from.join(&path), to.join(&path));
        if fs::metadata(&target).map_or(0, |found| found.len()) != file.bytes {
            let folder = target.parent().unwrap_or(to);
            files::create_directory(folder)?;
            let mut source = File::open(&source)?;
            let mut copy = files::private().write(true).create(true).truncate(true).open(&target)?;
            let copied = io::copy(&mut source, &mut copy)?;
            if copied != file.bytes {
                return Err(io::Error::other(format!("{} has {copied} bytes in place of {}", file.path, file.bytes)));
            }
            copy.sync_all()?;
            files::sync_directory(folder)?;
        }
        done += file.bytes;
        told(done, total);
    }
    Ok(())
}

/// Files of an attempt whose manifest was replaced.
fn remove_unlisted(listed: &Manifest, to: &Path) -> io::Result<()> {
    let kept: std::collections::HashSet<PathBuf> = listed.files.iter().map(|file| to.join(&file.path)).collect();
    let children = |path: &Path| -> io::Result<Vec<PathBuf>> {
        fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.path())).collect()
    };
    for organization in children(to)?.into_iter().filter(|path| path.is_dir()) {
        for day in children(&organization)? {
            for file in children(&day)?.into_iter().filter(|file| !kept.contains(file)) {
                fs::remove_file(file)?;
            }
        }
    }
    Ok(())
}

/// A path out of a manifest, which must not lead anywhere else.
fn below(path: &str) -> io::Result<PathBuf> {
    let path = PathBuf::from(path);
    let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    if plain { Ok(path) } else { Err(io::Error::other(format!("{} is no path of a file", path.display()))) }
}

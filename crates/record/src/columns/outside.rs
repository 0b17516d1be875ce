//! Copying the files of a log from outside of the process that writes it.
//!
//! Copy the segments of the journal first, then call this: a segment that was given up before it could be copied is in
//! files by then. Files that are no longer listed stay for the grace of the options, which is time enough to copy them.

use crate::columns::error::ColumnsError;
use crate::columns::manifest::{self, DataFile, Manifest};
use crate::columns::store::{Location, Store};
use crate::engine::Engine;
use crate::files;
use std::fs::{self, File};
use std::io::{self, Write as _};
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

/// Where files are copied from.
enum From {
    Folder(PathBuf),
    Bucket(Engine, Store),
}

/// Copies the columns of the log in the directory `from`, or in `columns` if they lie there, into the directory `to`, both
/// directories being those of the journals, as they are at this moment, and flushes them to disk; `told` hears how many
/// bytes of how many. Nothing is copied if there are none. Files come first and the manifest last, so that half a copy
/// does not look like a whole one.
pub fn copy_columns(
    from: &Path,
    columns: Option<&Location>,
    to: &Path,
    mut told: impl FnMut(u64, u64),
) -> io::Result<ColumnsCopied> {
    let from = match columns {
        None => From::Folder(from.join("columns")),
        Some(Location::Folder(folder)) => From::Folder(folder.clone()),
        Some(bucket) => From::Bucket(Engine::start()?, Store::open(bucket, None).map_err(io::Error::other)?),
    };
    let to = to.join("columns");
    let mut attempts = 0;
    loop {
        let Some(text) = from.manifest()? else { return Ok(ColumnsCopied::default()) };
        let listed: Manifest = serde_json::from_slice(&text)?;
        attempts += 1;
        match copy_listed(&listed, &from, &to, &mut told) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && attempts < ATTEMPTS => {}
            copied => {
                copied?;
                remove_unlisted(&listed, &to)?;
                files::write_whole(&to.join(manifest::NAME), &text)?;
                return Ok(ColumnsCopied::of(&listed));
            }
        }
    }
}

/// Moves columns that lie in a folder below the directory `from` into a bucket that has none yet: files first and the
/// manifest last, and then the folder goes. `told` hears how many bytes of how many.
pub fn move_columns(
    from: &Path,
    bucket: &Location,
    mut told: impl FnMut(u64, u64),
) -> Result<ColumnsCopied, ColumnsError> {
    let folder = from.join("columns");
    let read =
        |path: &Path| fs::read(path).map_err(|error| ColumnsError::store("read", &path.display().to_string(), error));
    if !has_columns(from) {
        return Ok(ColumnsCopied::default());
    }
    let text = read(&folder.join(manifest::NAME))?;
    let wrong = |error: String| ColumnsError::Manifest { path: manifest::NAME.to_owned(), why: error };
    let listed: Manifest = serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
    is_free(bucket)?;
    let failed = |error| ColumnsError::store("move", "columns", error);
    let (engine, store) = (Engine::start().map_err(failed)?, Store::open(bucket, None)?);
    let (total, mut done) = (listed.bytes(), 0);
    let put = |path: String, bytes: Vec<u8>| {
        let store = store.clone();
        engine.run(async move { store.put(&path, bytes).await })?
    };
    for file in &listed.files {
        put(file.path.clone(), read(&folder.join(below(&file.path).map_err(failed)?))?)?;
        done += file.bytes;
        told(done, total);
    }
    put(manifest::NAME.to_owned(), text)?;
    fs::remove_dir_all(&folder).map_err(failed)?;
    Ok(ColumnsCopied::of(&listed))
}

/// Whether columns lie in a folder below the directory of a journal.
pub fn has_columns(directory: &Path) -> bool {
    directory.join("columns").join(manifest::NAME).exists()
}

/// An error if columns lie in a place already, or if it does not answer.
pub fn is_free(place: &Location) -> Result<(), ColumnsError> {
    let engine = Engine::start().map_err(|error| ColumnsError::store("open", "columns", error))?;
    let store = Store::open(place, None)?;
    let found = engine.run(async move {
        let found = store.get(manifest::NAME).await?.is_some();
        // A bucket that is not there has no manifest either.
        Ok::<_, ColumnsError>(found || !store.list().await?.is_empty())
    })??;
    let why = "columns lie there already; name another prefix".to_owned();
    if found { Err(ColumnsError::Location { location: place.to_string(), why }) } else { Ok(()) }
}

impl ColumnsCopied {
    fn of(listed: &Manifest) -> Self {
        let (files, records, bytes) = (listed.files.len(), listed.rows(), listed.bytes());
        Self { files, records, bytes, settled_sequence: listed.settled }
    }
}

impl From {
    fn manifest(&self) -> io::Result<Option<Vec<u8>>> {
        match self {
            Self::Folder(folder) => match fs::read(folder.join(manifest::NAME)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                read => read.map(Some),
            },
            Self::Bucket(engine, store) => get(engine, store, manifest::NAME),
        }
    }

    /// Writes a file to the end of another; tells how many bytes it has.
    fn fetch(&self, path: &str, copy: &mut File) -> io::Result<u64> {
        match self {
            Self::Folder(folder) => io::copy(&mut File::open(folder.join(below(path)?))?, copy),
            Self::Bucket(engine, store) => {
                let bytes = get(engine, store, path)?.ok_or(io::ErrorKind::NotFound)?;
                copy.write_all(&bytes)?;
                Ok(bytes.len() as u64)
            }
        }
    }
}

fn get(engine: &Engine, store: &Store, path: &str) -> io::Result<Option<Vec<u8>>> {
    let (store, path) = (store.clone(), path.to_owned());
    let got = engine.run(async move { store.get(&path).await }).map_err(io::Error::other)?;
    Ok(got.map_err(io::Error::other)?.map(Vec::from))
}

fn copy_listed(listed: &Manifest, from: &From, to: &Path, told: &mut impl FnMut(u64, u64)) -> io::Result<()> {
    let total = listed.bytes();
    let mut done = 0;
    files::create_directory(to)?;
    for file in &listed.files {
        copy_file(file, from, to)?;
        done += file.bytes;
        told(done, total);
    }
    Ok(())
}

fn copy_file(file: &DataFile, from: &From, to: &Path) -> io::Result<()> {
    let target = to.join(below(&file.path)?);
    if fs::metadata(&target).map_or(0, |found| found.len()) == file.bytes {
        return Ok(());
    }
    let folder = target.parent().unwrap_or(to);
    files::create_directory(folder)?;
    let mut copy = files::private().write(true).create(true).truncate(true).open(&target)?;
    let copied = from.fetch(&file.path, &mut copy)?;
    if copied != file.bytes {
        return Err(io::Error::other(format!("{} has {copied} bytes in place of {}", file.path, file.bytes)));
    }
    copy.sync_all()?;
    files::sync_directory(folder)
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

//! `settled.json`: up to which sequence records have been moved, or were about to be. Sequences go on after it, also if
//! the loss of power took the newest segments from a journal that was not flushed.

use crate::files;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::path::Path;

const NAME: &str = "settled.json";

#[derive(Serialize, Deserialize)]
struct Marker {
    settled: u64,
}

/// The sequence; 0 if nothing was moved or the file is damaged, which the manifest then makes good.
pub(crate) fn read(directory: &Path) -> u64 {
    let read = fs::read(directory.join(NAME)).ok().and_then(|bytes| serde_json::from_slice::<Marker>(&bytes).ok());
    read.map_or(0, |marker| marker.settled)
}

pub(crate) fn write(directory: &Path, settled: u64) -> io::Result<()> {
    files::write_whole(&directory.join(NAME), &serde_json::to_vec(&Marker { settled })?)
}

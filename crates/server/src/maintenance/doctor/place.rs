//! The place where an installation lies: its directory, its key file, the room on its disk.

use super::Finding;
use crate::authn::key_file::{self, KeyFileError};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

/// How far the newest change may lie ahead of this machine's clock.
pub const SKEW: Duration = Duration::from_mins(1);
/// Room below which the disk is as good as full, in KiB: 64 MiB.
const ROOM_ERROR: u64 = 64 * 1024;
/// Room below which somebody should look, in KiB: 1 GiB.
const ROOM_WARN: u64 = 1024 * 1024;

/// The data directory.
pub fn directory(path: &Path) -> Finding {
    match path.metadata() {
        Err(error) => Finding::error(
            format!("the data directory {} cannot be looked at: {error}", path.display()),
            "check --data-dir, and who runs this",
        ),
        Ok(found) if !found.is_dir() => {
            Finding::error(format!("{} is no directory", path.display()), "check --data-dir")
        }
        Ok(found) if found.permissions().mode() & 0o077 != 0 => Finding::warn(
            format!("others may look into the data directory {}", path.display()),
            format!("chmod 700 {}", path.display()),
        ),
        Ok(_) => Finding::ok(format!("the data directory {} is its owner's only", path.display())),
    }
}

/// The key file itself; whether its keys are the right ones is asked with the database.
pub fn key_file(path: &Path) -> Finding {
    match key_file::read(path) {
        Err(error @ KeyFileError::Missing(_)) => {
            Finding::error(error.to_string(), "take it from where the copy of the keys is kept; backups do not hold it")
        }
        Err(error) => Finding::error(error.to_string(), "put the key file of this installation back"),
        Ok(keys) => {
            let open = path.metadata().is_ok_and(|found| found.permissions().mode() & 0o077 != 0);
            if open {
                let advice = format!("chmod 600 {}, and rotate the key if others had access", path.display());
                Finding::error(format!("others may read the key file {}", path.display()), advice)
            } else {
                Finding::ok(format!("the key file is its owner's only and holds {} hashing keys", keys.hashing.len()))
            }
        }
    }
}

/// How much room the disk of a directory has, as `df` tells it.
pub async fn disk_space(path: &Path) -> Finding {
    let unknown = || Finding::ok("how much room the disk has is not known here");
    let path = path.to_owned();
    let shown = path.display().to_string();
    let asked = tokio::task::spawn_blocking(move || std::process::Command::new("df").arg("-Pk").arg(&path).output());
    let Ok(Ok(told)) = asked.await else { return unknown() };
    let text = String::from_utf8_lossy(&told.stdout);
    let room = text.lines().nth(1).and_then(|line| line.split_whitespace().nth(3)).and_then(|room| room.parse().ok());
    let Some(room): Option<u64> = room else { return unknown() };
    let what = format!("the disk of {shown} has {} MiB of room", room / 1024);
    let advice = "make room: without it nothing can be recorded, and then every check is denied";
    if room < ROOM_ERROR {
        Finding::error(what, advice)
    } else if room < ROOM_WARN {
        Finding::warn(what, advice)
    } else {
        Finding::ok(what)
    }
}

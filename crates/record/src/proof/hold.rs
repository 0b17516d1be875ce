//! Reading a directory of proofs while it is written to: whoever copies or reads several of its files keeps the signer
//! from writing meanwhile, so that they fit together. The signer then signs a little later.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

/// The file that is locked: by the signer alone while it writes, by any number of readers while they read.
const NAME: &str = "reading.lock";

/// While this lives, nothing is written in the directory.
#[derive(Debug)]
pub struct Held {
    _lock: File,
}

/// Waits until the signer is between two rounds, and keeps it there. `None` if no signer ever wrote here, as on a copy.
pub fn hold(directory: &Path) -> io::Result<Option<Held>> {
    match File::open(directory.join(NAME)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        opened => {
            let lock = opened?;
            lock.lock_shared()?;
            Ok(Some(Held { _lock: lock }))
        }
    }
}

/// The signer's side.
#[derive(Debug)]
pub(crate) struct Turns {
    lock: File,
}

/// While this lives, no reader begins.
pub(crate) struct Turn<'a>(&'a File);

impl Turns {
    pub(crate) fn open(directory: &Path) -> io::Result<Self> {
        let lock = crate::files::private().append(true).create(true).open(directory.join(NAME))?;
        Ok(Self { lock })
    }

    /// `None` while somebody reads.
    pub(crate) fn take(&self) -> io::Result<Option<Turn<'_>>> {
        match self.lock.try_lock() {
            Ok(()) => Ok(Some(Turn(&self.lock))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        // It is let go with the file at the latest.
        let _ = self.0.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_and_the_signer_take_turns() {
        let home = tempfile::tempdir().unwrap();
        assert!(hold(home.path()).unwrap().is_none());
        let turns = Turns::open(home.path()).unwrap();
        let (one, other) = (hold(home.path()).unwrap().unwrap(), hold(home.path()).unwrap().unwrap());
        assert!(turns.take().unwrap().is_none());
        drop(one);
        assert!(turns.take().unwrap().is_none());
        drop(other);
        assert!(turns.take().unwrap().is_some());
        assert!(turns.take().unwrap().is_some());
        assert!(hold(home.path()).unwrap().is_some());
    }
}

//! Files as the journal needs them: private to their owner, appended to as a whole or not at all, synced with their
//! directory. Knows no frame and no record.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// A disk that fails on demand, for tests of whatever must fail closed. One may be handed to a journal in its options.
#[derive(Debug)]
pub struct Faults {
    room_bytes: AtomicU64,
    flush_fails: AtomicBool,
    flush_takes_ms: AtomicU64,
    cut_fails: AtomicBool,
    steps_left: AtomicU64,
}

impl Faults {
    /// A disk without faults so far.
    pub fn none() -> Arc<Self> {
        let room_bytes = AtomicU64::new(u64::MAX);
        let (flush_fails, cut_fails) = (AtomicBool::new(false), AtomicBool::new(false));
        let (flush_takes_ms, steps_left) = (AtomicU64::new(0), AtomicU64::new(u64::MAX));
        Arc::new(Self { room_bytes, flush_fails, flush_takes_ms, cut_fails, steps_left })
    }

    /// After this many more bytes the disk is full; `u64::MAX` gives it room again.
    pub fn leave_room(&self, bytes: u64) {
        self.room_bytes.store(bytes, Ordering::SeqCst);
    }

    /// Whether flushing to disk fails.
    pub fn fail_flushes(&self, fails: bool) {
        self.flush_fails.store(fails, Ordering::SeqCst);
    }

    /// How much longer each flush to disk takes than it would.
    pub fn slow_flushes(&self, by: Duration) {
        self.flush_takes_ms.store(u64::try_from(by.as_millis()).unwrap_or(u64::MAX), Ordering::SeqCst);
    }

    /// Whether taking back a half-written append fails, too.
    pub fn fail_cuts(&self, fails: bool) {
        self.cut_fails.store(fails, Ordering::SeqCst);
    }

    /// After this many more steps on files of columns (reading, writing, removing, and removing what was settled from
    /// the journal) every further one fails, as if the process had ended there; `u64::MAX` lets them succeed again.
    pub fn leave_steps(&self, steps: u64) {
        self.steps_left.store(steps, Ordering::SeqCst);
    }

    pub(crate) fn step(&self) -> io::Result<()> {
        let left = self.steps_left.load(Ordering::SeqCst);
        if left == 0 {
            return Err(io::Error::other("the step was told to fail"));
        }
        if left != u64::MAX {
            self.steps_left.store(left - 1, Ordering::SeqCst);
        }
        Ok(())
    }

    fn take_room(&self, wanted: usize) -> usize {
        let room = self.room_bytes.load(Ordering::SeqCst);
        let granted = usize::try_from(room).map_or(wanted, |room| room.min(wanted));
        if room != u64::MAX {
            self.room_bytes.store(room - granted as u64, Ordering::SeqCst);
        }
        granted
    }
}

/// A file that only grows at its end.
#[derive(Debug)]
pub(crate) struct AppendFile {
    file: File,
    faults: Option<Arc<Faults>>,
}

impl AppendFile {
    /// Makes the file, or empties one that is left of an earlier attempt.
    pub(crate) fn create(path: &Path, faults: Option<Arc<Faults>>) -> io::Result<Self> {
        // `append` and `truncate` together are refused by the standard library, hence two steps.
        let file = private().read(true).append(true).create(true).open(path)?;
        file.set_len(0)?;
        Ok(Self { file, faults })
    }

    pub(crate) fn open(path: &Path, faults: Option<Arc<Faults>>) -> io::Result<Self> {
        Ok(Self { file: OpenOptions::new().read(true).append(true).open(path)?, faults })
    }

    /// Hands all bytes to the kernel. On an error some of them may have arrived: see [`Self::cut`].
    pub(crate) fn append(&self, bytes: &[u8]) -> io::Result<()> {
        let granted = self.room(bytes.len());
        self.write(bytes.get(..granted).unwrap_or(bytes))?;
        if granted < bytes.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    /// How many of so many bytes the disk takes: all, but where it was told to fail.
    pub(crate) fn room(&self, wanted: usize) -> usize {
        self.faults.as_ref().map_or(wanted, |faults| faults.take_room(wanted))
    }

    /// Whether the disk would take so many bytes, as far as a disk that fails on demand says.
    pub(crate) fn has_room(&self, wanted: usize) -> bool {
        self.faults.as_ref().is_none_or(|faults| faults.room_bytes.load(Ordering::SeqCst) >= wanted as u64)
    }

    /// Hands bytes to the kernel, behind those that are there.
    pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<()> {
        (&self.file).write_all(bytes)
    }

    pub(crate) fn as_file(&self) -> &File {
        &self.file
    }

    /// Takes back everything after the first `length` bytes.
    pub(crate) fn cut(&self, length: u64) -> io::Result<()> {
        if self.faults.as_ref().is_some_and(|faults| faults.cut_fails.load(Ordering::SeqCst)) {
            return Err(io::Error::other("the cut was told to fail"));
        }
        self.file.set_len(length)
    }

    pub(crate) fn sync(&self) -> io::Result<()> {
        if let Some(faults) = &self.faults {
            std::thread::sleep(Duration::from_millis(faults.flush_takes_ms.load(Ordering::SeqCst)));
            if faults.flush_fails.load(Ordering::SeqCst) {
                return Err(io::Error::other("the flush was told to fail"));
            }
        }
        self.file.sync_data()
    }
}

/// Options under which a new file is readable by its owner only: records are personal data.
pub(crate) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes a directory and those above it, if they are not there.
pub(crate) fn create_directory(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Makes names in a directory durable.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    // Directories cannot be opened as files elsewhere, and need no flush there.
    if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
}

/// Writes a small file so that either all of it is there or nothing.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let unfinished = path.with_extension("unfinished");
    let mut file = private().write(true).create(true).truncate(true).open(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    path.parent().map_or(Ok(()), sync_directory)
}

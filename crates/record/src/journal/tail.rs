//! The end of the segment that is being written: where the next frame goes, and the two ways of getting it there.
//!
//! Through memory, a frame is copied into a window of the file, and no system call is made for it; the window moves on
//! as the file grows. With calls, each append is one `write`. Either way the bytes are with the kernel afterwards.

use crate::files::AppendFile;
use crate::frame;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{Ordering, compiler_fence};
use tegata_mapped::{ALIGNMENT, Refused, Window};

/// How much of the file is allocated and mapped ahead.
const WINDOW_BYTES: u64 = 4 << 20;

/// How appends reach the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Writing {
    /// Through a mapped window of the file, which is allocated ahead; with calls where the file system has no such
    /// thing.
    #[default]
    Mapped,
    /// With one call each. For file systems that write every block anew, where a full disk would end the process
    /// instead of refusing an append.
    Calls,
}

#[derive(Debug)]
pub(crate) struct Tail {
    file: Arc<AppendFile>,
    /// Where the next frame goes. The file is longer while there is a window.
    end: u64,
    writing: Writing,
    window: Option<Window>,
}

impl Tail {
    /// Goes on in a file that is `end` bytes long.
    pub(crate) fn new(file: AppendFile, end: u64, writing: Writing) -> Self {
        Self { file: Arc::new(file), end, writing, window: None }
    }

    pub(crate) fn file(&self) -> &Arc<AppendFile> {
        &self.file
    }

    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// Hands all bytes to the kernel. On an error some of them may have arrived: see [`Self::cut`].
    pub(crate) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let granted = self.file.room(bytes.len());
        let (fits, beyond) = bytes.split_at(granted.min(bytes.len()));
        self.put(fits)?;
        if !beyond.is_empty() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.end += bytes.len() as u64;
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.writing == Writing::Mapped {
            let end = self.end;
            if self.window.as_mut().is_some_and(|window| copy(window, end, bytes)) {
                return Ok(());
            }
            if self.move_window(bytes.len() as u64)?
                && self.window.as_mut().is_some_and(|window| copy(window, end, bytes))
            {
                return Ok(());
            }
        }
        self.file.write(bytes)
    }

    /// Opens a window that has room for this many bytes. Tells whether there can be one.
    fn move_window(&mut self, bytes: u64) -> io::Result<bool> {
        self.window = None;
        let start = self.end - self.end % ALIGNMENT;
        let needed = (self.end - start + bytes).next_multiple_of(ALIGNMENT);
        match Window::open(self.file.as_file(), start, start + needed.max(WINDOW_BYTES)) {
            Ok(window) => {
                self.window = Some(window);
                Ok(true)
            }
            Err(Refused::Unsupported) => {
                self.writing = Writing::Calls;
                // What an earlier window allocated would lie between the frames.
                self.file.cut(self.end)?;
                Ok(false)
            }
            Err(Refused::Io(error)) => Err(error),
        }
    }

    /// Makes sure that this many more bytes can be appended, and leaves the file as it is. On an error: see
    /// [`Self::cut`].
    pub(crate) fn make_room(&mut self, bytes: usize) -> io::Result<()> {
        if !self.file.has_room(bytes) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        if self.writing == Writing::Mapped {
            let wanted = self.end.saturating_add(bytes as u64);
            if self.window.as_ref().is_some_and(|window| wanted <= window.end()) || self.move_window(bytes as u64)? {
                return Ok(());
            }
        }
        self.file.write(&vec![0; bytes])?;
        self.file.cut(self.end)
    }

    /// Takes back everything that was not appended as a whole, and what was allocated ahead.
    pub(crate) fn cut(&mut self) -> io::Result<()> {
        // Before the file gets shorter: writing to a page that is no longer there ends the process.
        self.window = None;
        self.file.cut(self.end)
    }
}

/// Copies frames into a window, if they all fit: of each frame its mark last. A process may be killed between any two
/// instructions of a copy, most likely where it comes to a new page. What it leaves then has no mark, and so is no frame
/// to anybody, where a frame with its mark and half of its bytes would look like one that was damaged later.
fn copy(window: &mut Window, at: u64, bytes: &[u8]) -> bool {
    if at < window.start() || at.saturating_add(bytes.len() as u64) > window.end() {
        return false;
    }
    let mut done = 0;
    for (start, payload) in frame::each(bytes) {
        let (Some(mark), Some(rest)) = (bytes.get(start..=start), bytes.get(start + 1..payload.end)) else { break };
        let place = at + start as u64;
        if !window.write(place + 1, rest) {
            return false;
        }
        // The processor stops at an instruction, having done all before it; only the compiler could turn the two around.
        compiler_fence(Ordering::SeqCst);
        if !window.write(place, mark) {
            return false;
        }
        compiler_fence(Ordering::SeqCst);
        done = payload.end;
    }
    // Nothing, unless a disk that fails on demand took a part of the last frame.
    bytes.get(done..).is_some_and(|rest| window.write(at + done as u64, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;

    fn tail(path: &Path, writing: Writing) -> Tail {
        Tail::new(AppendFile::create(path, None).unwrap(), 0, writing)
    }

    #[test]
    fn both_ways_leave_the_same_file() {
        let directory = tempfile::tempdir().unwrap();
        let pieces: Vec<Vec<u8>> = (1..=200_u8).map(|byte| vec![byte; usize::from(byte) * 300]).collect();
        for writing in [Writing::Mapped, Writing::Calls] {
            let path = directory.path().join(format!("{writing:?}"));
            let mut tail = tail(&path, writing);
            for piece in &pieces {
                tail.append(piece).unwrap();
            }
            tail.cut().unwrap();
            assert!(fs::read(&path).unwrap() == pieces.concat(), "{writing:?}");
        }
    }

    #[test]
    fn an_append_may_be_longer_than_a_window() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let mut tail = tail(&path, Writing::Mapped);
        let long = vec![7; usize::try_from(WINDOW_BYTES).unwrap() + 5];
        tail.append(b"short").unwrap();
        tail.append(&long).unwrap();
        tail.cut().unwrap();
        assert_eq!(fs::read(&path).unwrap().len(), long.len() + 5);
    }
}

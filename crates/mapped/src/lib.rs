//! A part of a file that is written through memory: bytes that were copied into it are with the kernel, where the death
//! of the process cannot take them, and no system call was made.
//!
//! This crate is so small because it holds the only `unsafe` code of Tegata. What it relies on:
//!
//! - The blocks of the window are allocated in the file before it is mapped, so that a full disk is an error here and
//!   not a signal later. File systems that cannot allocate ahead are told apart ([`Refused::Unsupported`]), and those that
//!   allocate anew at every write (copy on write) can still run full: then the kernel ends the process.
//! - Whoever owns the window does not make the file shorter while it exists, and nobody else touches the file. A mapped
//!   page that is no longer in the file ends the process when it is written.
//!
//! Both end a process that could not have kept its promise; neither breaks memory.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that cannot go on has failed"))]

use memmap2::{MmapOptions, MmapRaw};
use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;
use std::fs::File;
use std::io;

/// Windows begin at a multiple of this, which every page size divides.
pub const ALIGNMENT: u64 = 64 << 10;

/// A stretch of a file, mapped for writing.
#[derive(Debug)]
pub struct Window {
    map: MmapRaw,
    start: u64,
}

/// Why there is no window.
#[derive(Debug)]
pub enum Refused {
    /// The file system cannot allocate blocks ahead, or cannot map files: write with calls.
    Unsupported,
    /// The disk is full, or failed.
    Io(io::Error),
}

impl Window {
    /// Allocates and maps the bytes from `start`, a multiple of [`ALIGNMENT`], to `end`. The file must be open for
    /// reading and writing; it is at least `end` bytes long afterwards.
    pub fn open(file: &File, start: u64, end: u64) -> Result<Self, Refused> {
        let length = end.checked_sub(start).filter(|length| *length > 0 && start.is_multiple_of(ALIGNMENT));
        let Some((length, bytes)) = length.and_then(|length| Some((length, usize::try_from(length).ok()?))) else {
            return Err(Refused::Io(io::ErrorKind::InvalidInput.into()));
        };
        match fallocate(file, FallocateFlags::empty(), start, length) {
            Ok(()) => {}
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => return Err(Refused::Unsupported),
            Err(error) => return Err(Refused::Io(error.into())),
        }
        match MmapOptions::new().offset(start).len(bytes).map_raw(file) {
            Ok(map) => Ok(Self { map, start }),
            Err(error) if error.raw_os_error() == Some(Errno::NODEV.raw_os_error()) => Err(Refused::Unsupported),
            Err(error) => Err(Refused::Io(error)),
        }
    }

    /// Where the window begins in the file.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// Where it ends in the file.
    pub fn end(&self) -> u64 {
        self.start + self.map.len() as u64
    }

    /// Copies bytes to a place in the file. Tells whether they fit into the window; where they do not, nothing was
    /// copied.
    #[must_use]
    pub fn write(&mut self, at: u64, bytes: &[u8]) -> bool {
        let place = at.checked_sub(self.start).and_then(|place| usize::try_from(place).ok());
        let fits = |place: &usize| place.checked_add(bytes.len()).is_some_and(|end| end <= self.map.len());
        let Some(place) = place.filter(fits) else { return false };
        #[expect(unsafe_code, reason = "safe Rust has no way to write into a mapped file")]
        // SAFETY: `place..place + bytes.len()` lies within the mapping, as was just checked, and the mapping lives as
        // long as `self`. `&mut self` keeps everybody else of this process from the same memory, and `bytes`, which
        // is borrowed, cannot lie in it, since no reference into the mapping is ever given out.
        unsafe {
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.map.as_mut_ptr().add(place), bytes.len());
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::OpenOptions;
    use std::io::Read as _;

    fn file(directory: &tempfile::TempDir) -> File {
        let path = directory.path().join("file");
        OpenOptions::new().read(true).append(true).create(true).open(path).unwrap()
    }

    #[test]
    fn what_is_written_is_in_the_file_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let file = file(&directory);
        let mut window = Window::open(&file, 0, ALIGNMENT).unwrap();
        assert!(window.write(3, b"abc"));
        let mut bytes = Vec::new();
        File::open(directory.path().join("file")).unwrap().read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes.len() as u64, ALIGNMENT);
        assert_eq!(&bytes[..8], b"\0\0\0abc\0\0");
    }

    #[test]
    fn a_later_window_goes_on_where_the_first_ended() {
        let directory = tempfile::tempdir().unwrap();
        let file = file(&directory);
        drop(Window::open(&file, 0, ALIGNMENT).unwrap());
        let mut window = Window::open(&file, ALIGNMENT, 3 * ALIGNMENT).unwrap();
        assert_eq!((window.start(), window.end()), (ALIGNMENT, 3 * ALIGNMENT));
        assert!(window.write(3 * ALIGNMENT - 1, b"z"));
        assert_eq!(file.metadata().unwrap().len(), 3 * ALIGNMENT);
    }

    #[test]
    fn nothing_is_written_beside_the_window() {
        let directory = tempfile::tempdir().unwrap();
        let file = file(&directory);
        let mut window = Window::open(&file, ALIGNMENT, 2 * ALIGNMENT).unwrap();
        assert!(!window.write(ALIGNMENT - 1, b"a"), "before it");
        assert!(!window.write(2 * ALIGNMENT - 1, b"ab"), "over its end");
        assert!(!window.write(u64::MAX, b"a"), "far behind it");
        assert!(window.write(2 * ALIGNMENT, b""), "nothing at all fits everywhere");
    }

    #[test]
    fn odd_windows_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let file = file(&directory);
        for (start, end) in [(0, 0), (1, ALIGNMENT), (ALIGNMENT, 0)] {
            assert!(matches!(Window::open(&file, start, end), Err(Refused::Io(_))), "{start}..{end}");
        }
    }
}

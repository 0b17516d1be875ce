//! Dropping what is old, by whole files.

use crate::columns::ColumnsError;
use crate::files;
use crate::journal::Journal;
use crate::journal::append::AppendError;
use crate::segment::Segment;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// What was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dropped {
    /// Files.
    pub segments: usize,
    /// Records in them.
    pub records: u64,
    /// Bytes of them.
    pub bytes: u64,
}

/// Why old records could not be dropped. Some may have been.
#[derive(Debug, thiserror::Error)]
pub enum RetentionError {
    /// The segment that is being written could not be left.
    #[error("could not leave the newest segment")]
    Roll(#[from] AppendError),
    /// Columns could not be dropped.
    #[error("columns could not be dropped")]
    Columns(#[source] Box<ColumnsError>),
    /// A file could not be removed.
    #[error("could not remove {path}", path = path.display())]
    Remove {
        /// The file.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
}

impl Journal {
    /// Removes every segment whose records are all older than `time_us`. A segment holds records of one day, apart from
    /// a few around midnight, so that a record outlives the limit by a day at most.
    ///
    /// If a wrong clock made a segment look newer than its neighbours it stays, and the sequences before it show as a
    /// gap at the next opening.
    pub fn drop_before(&self, time_us: i64) -> Result<Dropped, RetentionError> {
        self.drop_before_up_to(time_us, u64::MAX)
    }

    /// The same, but only segments without a sequence above `through`.
    pub(crate) fn drop_before_up_to(&self, time_us: i64, through: u64) -> Result<Dropped, RetentionError> {
        let _removal = self.shared.removal.lock();
        self.leave_if_old(time_us)?;
        let mut dropped = Dropped::default();
        let mut gone = Vec::new();
        let removed: Result<(), RetentionError> =
            old_segments(&self.shared.segments(), time_us, through).try_for_each(|segment| {
                remove(&segment)?;
                let outline = segment.outline();
                dropped.segments += 1;
                dropped.records += outline.records;
                dropped.bytes += outline.end;
                gone.push(segment.first_sequence);
                Ok(())
            });
        self.shared.change_segments(|segments| {
            segments.retain(|segment| !gone.contains(&segment.first_sequence));
        });
        removed?;
        let directory = &self.shared.directory;
        files::sync_directory(directory)
            .map_err(|source| RetentionError::Remove { path: directory.clone(), source })?;
        Ok(dropped)
    }

    /// The newest segment is never dropped, since its name says where the sequence goes on. If all of it is old, a new
    /// one takes its place.
    fn leave_if_old(&self, time_us: i64) -> Result<(), RetentionError> {
        let mut writer = self.shared.writer.lock();
        let segments = self.shared.segments();
        let content = segments.last().and_then(|segment| segment.outline().content);
        if content.is_some_and(|content| content.time_us_max < time_us) {
            writer.roll(&self.shared)?;
        }
        Ok(())
    }
}

/// The segments that are old as a whole. One without a sound record goes with the one before it.
fn old_segments(segments: &[Arc<Segment>], time_us: i64, through: u64) -> impl Iterator<Item = Arc<Segment>> {
    let left = segments.split_last().map_or(&[][..], |(_, left)| left);
    let mut old = false;
    left.iter().filter_map(move |segment| {
        old = segment
            .outline()
            .content
            .map_or(old, |content| content.time_us_max < time_us && content.last_sequence <= through);
        old.then(|| Arc::clone(segment))
    })
}

fn remove(segment: &Segment) -> Result<(), RetentionError> {
    match fs::remove_file(&segment.path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(RetentionError::Remove { path: segment.path.clone(), source })
        }
        _ => Ok(()),
    }
}

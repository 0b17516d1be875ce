//! What the journal's threads share: the writer behind its lock, and the list of segments that readers take a copy of.

use crate::files::Faults;
use crate::journal::flush::{Flush, Flushing};
use crate::journal::tail::Writing;
use crate::journal::writer::Writer;
use crate::segment::Segment;
use parking_lot::{Mutex, RwLock};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// Segments in the order of their sequences. The last one is being written.
pub(crate) type Segments = Arc<Vec<Arc<Segment>>>;

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) directory: PathBuf,
    pub(crate) tag: u16,
    pub(crate) segment_bytes: u64,
    pub(crate) flush: Flush,
    pub(crate) writing: Writing,
    pub(crate) faults: Option<Arc<Faults>>,
    pub(crate) writer: Mutex<Writer>,
    pub(crate) flushing: Flushing,
    pub(crate) segments: RwLock<Segments>,
    /// Held by whoever removes files or needs them to stay.
    pub(crate) removal: Mutex<()>,
    pub(crate) append_failures: AtomicU64,
    pub(crate) damage_met: Arc<AtomicU64>,
}

impl Shared {
    /// The segments at this moment.
    pub(crate) fn segments(&self) -> Segments {
        Arc::clone(&self.segments.read())
    }

    /// Replaces the list by what `change` makes of it.
    pub(crate) fn change_segments(&self, change: impl FnOnce(&mut Vec<Arc<Segment>>)) {
        let mut segments = self.segments.write();
        change(Arc::make_mut(&mut segments));
    }
}

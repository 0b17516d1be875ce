//! A journal that is only looked at: its segments as they are, also while another process appends to them.

use crate::journal::meta::{self, Found};
use crate::journal::open::{OpenError, list};
use crate::journal::recover::{Recoverer, tag_of};
use crate::journal::recovery::Finding;
use crate::journal::shared::Segments;
use crate::segment::Segment;
use crate::segment::header;
use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

#[derive(Debug)]
pub(crate) struct JournalLook {
    tag: u16,
    /// Segments that nobody appends to any more, by their first sequence.
    closed: HashMap<u64, Arc<Segment>>,
    last_sequence: u64,
}

impl JournalLook {
    /// Reads all segments, and tells what is wrong with them.
    pub(crate) fn open(directory: &Path) -> Result<(Self, Vec<Finding>), OpenError> {
        let file = meta::path(directory);
        let failed = |source| OpenError::Io { path: file.clone(), source };
        let listed = list(directory)?;
        let tag = match meta::read(directory).map_err(failed)? {
            Found::Meta(meta) if meta.format > header::FORMAT => {
                return Err(OpenError::NewerFormat { file, format: meta.format });
            }
            Found::Meta(meta) => Some(meta.tag),
            Found::Damaged | Found::Nothing => tag_of(listed.iter().map(|(_, path)| path.clone())),
        };
        let tag = tag.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
        let mut look = Self { tag, closed: HashMap::new(), last_sequence: 0 };
        let mut findings = Vec::new();
        look.read(directory, &mut findings)?;
        Ok((look, findings))
    }

    /// The segments as they are now. Only what is new is read.
    pub(crate) fn again(&mut self, directory: &Path) -> Result<Segments, OpenError> {
        self.read(directory, &mut Vec::new())
    }

    pub(crate) fn tag(&self) -> u16 {
        self.tag
    }

    /// The highest sequence that was seen.
    pub(crate) fn last_sequence(&self) -> u64 {
        self.last_sequence
    }

    /// How many records there are above this sequence, about.
    pub(crate) fn records_after(&self, sequence: u64) -> u64 {
        let first = self.closed.keys().min().map_or(0, |first| first - 1);
        self.last_sequence.saturating_sub(sequence.max(first))
    }

    fn read(&mut self, directory: &Path, findings: &mut Vec<Finding>) -> Result<Segments, OpenError> {
        let listed = list(directory)?;
        self.closed.retain(|first, _| listed.iter().any(|(listed, _)| listed == first));
        let mut segments = Vec::with_capacity(listed.len());
        for (position, (first, path)) in listed.iter().enumerate() {
            if let Some(segment) = self.closed.get(first) {
                segments.push(Arc::clone(segment));
                continue;
            }
            let next_first = listed.get(position + 1).map(|(first, _)| *first);
            let mut recoverer = Recoverer::looking(self.tag, *first);
            let read = match recoverer.read(path, *first, next_first) {
                // Its records have been settled since it was listed.
                Err(OpenError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => continue,
                other => other?,
            };
            findings.append(&mut recoverer.findings);
            let segment = Arc::new(Segment::new(path.clone(), *first, read.index));
            if next_first.is_some() {
                self.closed.insert(*first, Arc::clone(&segment));
            }
            self.last_sequence = self.last_sequence.max(recoverer.expected - 1);
            segments.push(segment);
        }
        Ok(Arc::new(segments))
    }
}

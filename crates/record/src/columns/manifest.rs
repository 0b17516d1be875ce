//! `manifest.json`: which files there are, what each holds, and up to which sequence the journal has been settled. It is
//! replaced as a whole, so that a change of many files happens at once or not at all.
//!
//! A file that is not listed does not exist, whatever lies in the folder.

use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The name of the file.
pub(crate) const NAME: &str = "manifest.json";
/// The format that this version writes and reads.
pub(crate) const FORMAT: u32 = 2;

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DataFile {
    pub(crate) path: String,
    pub(crate) organization: Option<String>,
    /// Days since 1970, UTC.
    pub(crate) day: i64,
    pub(crate) rows: u64,
    /// How many allowed checks they stand for.
    pub(crate) allowed: u64,
    /// How many denied ones.
    pub(crate) denied: u64,
    pub(crate) bytes: u64,
    pub(crate) time_us_min: i64,
    pub(crate) time_us_max: i64,
    pub(crate) first_sequence: u64,
    pub(crate) last_sequence: u64,
    /// SHA-256 of the file, in hexadecimal digits.
    pub(crate) sha256: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) format: u32,
    /// Counts the replacements.
    pub(crate) version: u64,
    /// The tag of the journal whose records these are.
    pub(crate) tag: u16,
    /// All records up to this sequence are in files, or were dropped from them.
    pub(crate) settled: u64,
    /// By organization, then day, then sequence.
    pub(crate) files: Vec<Arc<DataFile>>,
}

impl Manifest {
    /// The manifest of a place without files.
    pub(crate) fn empty(tag: u16) -> Self {
        Self { format: FORMAT, version: 0, tag, settled: 0, files: Vec::new() }
    }

    /// What follows this one, with files added and others left out.
    pub(crate) fn next(&self, settled: u64, added: Vec<DataFile>, removed: impl Fn(&DataFile) -> bool) -> Self {
        let kept = self.files.iter().filter(|file| !removed(file)).cloned();
        let mut files: Vec<Arc<DataFile>> = kept.chain(added.into_iter().map(Arc::new)).collect();
        files.sort_by(|a, b| a.place().cmp(&b.place()));
        Self { format: FORMAT, version: self.version + 1, tag: self.tag, settled, files }
    }

    /// The files of one organization.
    pub(crate) fn files_of(&self, organization: &str) -> &[Arc<DataFile>] {
        let wanted = Some(organization);
        let start = self.files.partition_point(|file| file.organization.as_deref() < wanted);
        let end = self.files.partition_point(|file| file.organization.as_deref() <= wanted);
        self.files.get(start..end).unwrap_or_default()
    }

    pub(crate) fn rows(&self) -> u64 {
        self.files.iter().map(|file| file.rows).sum()
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

impl DataFile {
    fn place(&self) -> (Option<&str>, i64, u64) {
        (self.organization.as_deref(), self.day, self.first_sequence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn file(organization: Option<&str>, day: i64, first: u64) -> DataFile {
        DataFile {
            path: format!("{organization:?}/{day}/{first}"),
            organization: organization.map(str::to_owned),
            day,
            rows: 10,
            allowed: 5,
            denied: 5,
            bytes: 100,
            time_us_min: 0,
            time_us_max: 1,
            first_sequence: first,
            last_sequence: first + 9,
            sha256: String::new(),
        }
    }

    #[test]
    fn an_organization_finds_its_own_files_only() {
        let added = vec![file(Some("b"), 2, 1), file(None, 1, 1), file(Some("a"), 1, 1), file(Some("b"), 1, 20)];
        let manifest = Manifest::empty(7).next(30, added, |_| false);
        let firsts = |id| manifest.files_of(id).iter().map(|file| (file.day, file.first_sequence)).collect::<Vec<_>>();
        assert_eq!(firsts("b"), [(1, 20), (2, 1)]);
        assert_eq!(firsts("a"), [(1, 1)]);
        assert_eq!(firsts(""), []);
        assert_eq!((manifest.version, manifest.settled, manifest.rows(), manifest.bytes()), (1, 30, 40, 400));
    }

    #[test]
    fn it_reads_what_it_writes_and_drops_what_it_is_told() {
        let manifest = Manifest::empty(7).next(30, vec![file(Some("b"), 2, 1), file(None, 1, 1)], |_| false);
        let text = serde_json::to_vec(&manifest).unwrap();
        assert_eq!(serde_json::from_slice::<Manifest>(&text).unwrap(), manifest);
        let later = manifest.next(30, Vec::new(), |file| file.organization.is_none());
        assert_eq!((later.files.len(), later.version), (1, 2));
    }
}

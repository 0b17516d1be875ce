//! A log that is only looked at: one on a copy, or one that another process writes to. Takes no lock and changes nothing.
//!
//! Each answer is from a fresh look: a segment that the writer gave up since the last look is in columns by now, and a
//! file that was joined with others is in the manifest under its new name.

use crate::columns::predicate::Wanted;
use crate::columns::read::Reader;
use crate::columns::scan::FileScan;
use crate::columns::schema::Field;
use crate::columns::write::Outline;
use crate::columns::{Columns, ColumnsError, ColumnsOptions, DataFile, Location, Manifest, name, open_store};
use crate::engine::Engine;
use crate::filter::Filter;
use crate::journal::{Finding, FindingKind, JournalLook, OpenError, ReadError, marker};
use crate::log::View;
use crate::log::open::FOLDER;
use crate::log::source::Moment;
use crate::proof::{DayRecords, Days, Source, SourceError};
use crate::query::{Order, Scope};
use crate::record::RecordView;
use futures_util::TryStreamExt;
use parking_lot::Mutex;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A log that is only looked at.
#[derive(Debug)]
pub struct LogReader {
    directory: PathBuf,
    tag: u16,
    journal: Mutex<JournalLook>,
    /// `None` if nothing was ever moved into columns.
    columns: Option<Arc<Columns>>,
    engine: Arc<Engine>,
    findings: Vec<Finding>,
}

/// A file of columns that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileProblem {
    /// It is not there, or cannot be read.
    #[error("{path} cannot be read: {why}")]
    Unreadable {
        /// The file, below the columns.
        path: String,
        /// What the disk, the bucket or the reader said.
        why: String,
    },
    /// Its bytes are not those that were written.
    #[error("{path} is not as it was written: its SHA-256 differs from that in the manifest")]
    Changed {
        /// The file, below the columns.
        path: String,
    },
    /// What the manifest says of it is not what is in it.
    #[error("the manifest does not say what is in {path}: its rows, or the first and last of their times or sequences")]
    Outline {
        /// The file, below the columns.
        path: String,
    },
}

impl LogReader {
    /// Looks at the log in a directory. `columns` is where they lie, if not below the directory.
    pub fn open(directory: &Path, columns: Option<&Location>) -> Result<Self, OpenError> {
        let (journal, findings) = JournalLook::open(directory)?;
        let tag = journal.tag();
        let engine = Engine::start().map_err(|source| OpenError::Io { path: directory.to_owned(), source })?;
        let folder = directory.join(FOLDER);
        let location = match columns {
            Some(location) => Some(location.clone()),
            None => folder.is_dir().then(|| Location::Folder(folder.clone())),
        };
        let shown = location.as_ref().map_or_else(|| folder.display().to_string(), ToString::to_string);
        let columns = location.map(|location| {
            let store = open_store(&location, None)?;
            Ok::<_, ColumnsError>(Arc::new(Columns::new(store, ColumnsOptions::default(), tag)))
        });
        let columns = columns.transpose()?;
        let reader = Self {
            directory: directory.to_owned(),
            tag,
            journal: Mutex::new(journal),
            columns,
            engine: Arc::new(engine),
            findings,
        };
        let settled = marker::read(directory);
        if reader.manifest()?.version == 0 && settled > 0 {
            return Err(ColumnsError::Elsewhere { settled, location: shown }.into());
        }
        Ok(reader)
    }

    /// What of the journal was not as it should be when it was opened; an unfinished end is none, since somebody may be
    /// writing.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.kind != FindingKind::TornTail)
    }

    /// Bytes of the files of columns.
    pub fn column_bytes(&self) -> u64 {
        self.columns.as_ref().and_then(|columns| columns.known()).map_or(0, |manifest| manifest.bytes())
    }

    /// How many records there are, as far as it is known without reading them.
    pub fn records_about(&self) -> u64 {
        let settled = self.columns.as_ref().and_then(|columns| columns.known());
        let (settled, rows) = settled.map_or((0, 0), |manifest| (manifest.settled, manifest.rows()));
        rows + self.journal.lock().records_after(settled)
    }

    /// The organizations of which there are records; `None` is for records without one.
    pub fn organizations(&self) -> Result<BTreeSet<Option<String>>, SourceError> {
        self.moment()?.organizations()
    }

    /// Holds every file of columns against what the manifest says of it. `told` hears how many bytes are done.
    pub fn check_files(&self, told: &mut dyn FnMut(u64), report: &mut dyn FnMut(FileProblem)) -> Result<(), ReadError> {
        let Some(columns) = &self.columns else { return Ok(()) };
        let mut done = 0;
        for file in &self.manifest()?.files {
            let (columns, own) = (Arc::clone(columns), Arc::clone(file));
            let checked = self.engine.run(async move { check_file(&columns, &own).await });
            let checked = checked.unwrap_or_else(|error| {
                Err(FileProblem::Unreadable { path: file.path.clone(), why: error.to_string() })
            });
            if let Err(problem) = checked
                && self.manifest()?.files.iter().any(|listed| listed.path == file.path)
            {
                report(problem);
            }
            done += file.bytes;
            told(done);
        }
        Ok(())
    }

    fn manifest(&self) -> Result<Arc<Manifest>, ColumnsError> {
        match &self.columns {
            None => Ok(Arc::new(Manifest::empty(self.tag))),
            Some(columns) => {
                let columns = Arc::clone(columns);
                self.engine.run(async move { columns.manifest_again().await })?
            }
        }
    }

    fn moment(&self) -> Result<Moment, SourceError> {
        let segments = self.journal.lock().again(&self.directory)?;
        let manifest = self.manifest()?;
        Ok(Moment {
            view: View { segments, manifest },
            tag: self.tag,
            engine: Arc::clone(&self.engine),
            reader: self.columns.as_ref().map(|columns| Arc::clone(&columns.reader)),
            damage_met: Arc::default(),
            is_strict: true,
        })
    }
}

/// Its bytes against their digest, and its rows against their outline.
async fn check_file(columns: &Columns, file: &Arc<DataFile>) -> Result<(), FileProblem> {
    let path = file.path.clone();
    let unreadable = |error: ColumnsError| {
        let why = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
        FileProblem::Unreadable { path: file.path.clone(), why }
    };
    let bytes = columns.store.get(&file.path).await.map_err(unreadable)?;
    let bytes =
        bytes.ok_or_else(|| FileProblem::Unreadable { path: path.clone(), why: "it is not there".to_owned() })?;
    if name::digest_of(&bytes) != file.sha256 {
        return Err(FileProblem::Changed { path });
    }
    drop(bytes);
    let outline = outline(&columns.reader, file).await.map_err(unreadable)?;
    if outline.is_of(file) { Ok(()) } else { Err(FileProblem::Outline { path }) }
}

/// What an outline is made of.
const OUTLINED: [Field; 4] = [Field::Time, Field::Sequence, Field::Decision, Field::Count];

async fn outline(reader: &Reader, file: &Arc<DataFile>) -> Result<Outline, ColumnsError> {
    let wanted = Wanted { filter: Filter::scope_only(Scope::Installation), sequences: 0..=u64::MAX };
    let mut scan = FileScan::start(reader, file, wanted, Order::OldestFirst).await?;
    let mut outline = Outline::default();
    while let Some(mut stream) = scan.group_stream(&OUTLINED).await? {
        while let Some(batch) = stream.try_next().await.map_err(|error| scan.failed(error))? {
            outline.add(&batch, |_, _, _| {});
        }
    }
    Ok(outline)
}

impl Source for LogReader {
    fn tag(&self) -> u16 {
        self.tag
    }

    fn settled(&self) -> u64 {
        let (in_journal, known) =
            (self.journal.lock().last_sequence(), self.columns.as_ref().and_then(|one| one.known()));
        known.map_or(0, |manifest| manifest.settled).max(in_journal)
    }

    fn visit(&self, after: u64, last: u64, each: &mut dyn FnMut(&RecordView<'_>)) -> Result<(), SourceError> {
        self.moment()?.visit(after, last, each)
    }
}

impl Days for LogReader {
    fn days(&self, organization: Option<&str>) -> Result<Vec<i64>, SourceError> {
        self.moment()?.days(organization)
    }

    fn records(&self, organization: Option<&str>, day: i64) -> Result<DayRecords<'_>, SourceError> {
        Ok(self.moment()?.records(organization, day))
    }
}

//! Opening the log: the journal, then the columns that go with it.

use crate::columns::{Columns, ColumnsError, Location};
use crate::columns::{has_columns, open_store};
use crate::engine::Engine;
use crate::journal::{Journal, OpenError, Options, Recovery, marker};
use crate::log::AccessLog;
use crate::summary::Summaries;
use parking_lot::Mutex;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The folder of columns below the directory of the journal, if no other place is named.
pub(crate) const FOLDER: &str = "columns";

/// How long a start waits for a bucket. One that answers later is read by whoever asks first.
const FIRST_LOOK: Duration = Duration::from_secs(5);

/// Columns are in one place: whoever names a bucket must not forget those that are in the folder.
fn not_both(directory: &Path, location: &Location) -> Result<(), ColumnsError> {
    let folder = directory.join(FOLDER);
    match location {
        Location::Bucket { .. } if has_columns(directory) => {
            Err(ColumnsError::TwoPlaces { folder, location: location.to_string() })
        }
        Location::Bucket { .. } | Location::Folder(_) => Ok(()),
    }
}

impl AccessLog {
    /// Opens the log in a directory, or makes one there with the tag `tag_if_new`, which should be random.
    ///
    /// A bucket that does not answer does not keep the log from being opened, since records go to the journal first;
    /// questions and rounds of settling fail until it does.
    pub fn open(directory: &Path, options: Options, tag_if_new: u16) -> Result<(Self, Recovery), OpenError> {
        let location = options.columns.clone().unwrap_or_else(|| Location::Folder(directory.join(FOLDER)));
        let (columns_options, faults) = (options.columns_options.clone(), options.faults.clone());
        let (flush, writing) = (options.flush, options.writing);
        let (journal, recovery) = Journal::open(directory, options, tag_if_new)?;
        let settled = marker::read(directory);
        journal.go_on_after(settled).map_err(ColumnsError::from)?;
        not_both(directory, &location)?;
        let engine = Engine::start().map_err(|source| OpenError::Io { path: directory.to_owned(), source })?;
        let store = open_store(&location, faults)?;
        let columns = Arc::new(Columns::new(store, columns_options, journal.tag()));
        let first_look = Arc::clone(&columns);
        let first_look = async move { first_look.manifest().await };
        let looked = match location {
            Location::Folder(_) => engine.run(first_look).map(Some),
            Location::Bucket { .. } => engine.run_within(FIRST_LOOK, first_look),
        };
        match looked.map_err(ColumnsError::from)?.transpose() {
            Ok(None) => {}
            Err(ColumnsError::Store { .. }) if matches!(location, Location::Bucket { .. }) => {}
            Err(error) => return Err(error.into()),
            Ok(Some(manifest)) if manifest.version == 0 && settled > 0 => {
                return Err(ColumnsError::Elsewhere { settled, location: location.to_string() }.into());
            }
            Ok(Some(manifest)) => journal.go_on_after(manifest.settled).map_err(ColumnsError::from)?,
        }
        let summaries = Summaries::open(directory, flush, writing, journal.tag(), journal.last_sequence());
        let summaries = summaries.map_err(|source| OpenError::Io { path: directory.to_owned(), source })?;
        let log = Self {
            journal: Arc::new(journal),
            columns,
            engine: Arc::new(engine),
            moving: Mutex::new(()),
            droppable: Mutex::default(),
            summaries,
        };
        // What an earlier process counted. Where that cannot be written now, a later round does it.
        let _ = log.settle_summaries(i64::MIN);
        Ok((log, recovery))
    }
}

//! Many small files of an organization's day into one. A day that is over is brought together as far as files may grow;
//! one that is not, only when it has gathered many.
//!
//! Files of one organization and day never share a sequence, since each is made of later segments than the one before.
//! So they are joined end to end, and nothing is sorted.

use crate::columns::error::ColumnsError;
use crate::columns::manifest::DataFile;
use crate::columns::predicate::Wanted;
use crate::columns::scan::FileScan;
use crate::columns::schema::Field;
use crate::columns::settle::Settled;
use crate::columns::state::Columns;
use crate::columns::write::FileWriter;
use crate::filter::Filter;
use crate::query::{Order, Scope};
use crate::time;
use futures_util::TryStreamExt;
use std::collections::HashSet;
use std::sync::Arc;

/// Rows that one round joins; the rest waits for the next.
const ROWS_PER_ROUND: u64 = 64 << 20;
/// Joined files whose replacement is one change of the manifest.
const JOINED_PER_CHANGE: usize = 64;

impl Columns {
    /// Joins what is worth joining.
    pub(crate) async fn compact(&self, now_us: i64, done: &mut Settled) -> Result<(), ColumnsError> {
        let manifest = self.manifest().await?;
        let mut runs = self.runs(&manifest.files, time::day(now_us));
        let mut rows = 0;
        runs.retain(|run| {
            rows += run.iter().map(|file| file.rows).sum::<u64>();
            rows <= ROWS_PER_ROUND
        });
        drop(manifest);
        for change in runs.chunks(JOINED_PER_CHANGE) {
            self.replace(change, now_us).await?;
            done.compacted += change.iter().map(Vec::len).sum::<usize>();
        }
        Ok(())
    }

    async fn replace(&self, runs: &[Vec<Arc<DataFile>>], now_us: i64) -> Result<(), ColumnsError> {
        let manifest = self.manifest().await?;
        let mut joined = Vec::with_capacity(runs.len());
        for run in runs {
            joined.push(self.join(run, manifest.version + 1).await?);
        }
        let replaced: HashSet<&str> = runs.iter().flatten().map(|file| file.path.as_str()).collect();
        let next = manifest.next(manifest.settled, joined, |file| replaced.contains(file.path.as_str()));
        self.commit(next, now_us).await.map(drop)
    }

    /// Neighbouring files, each of which lists what becomes one.
    fn runs(&self, files: &[Arc<DataFile>], today: i64) -> Vec<Vec<Arc<DataFile>>> {
        let same_day = |a: &Arc<DataFile>, b: &Arc<DataFile>| a.organization == b.organization && a.day == b.day;
        let mut runs = Vec::new();
        for day in files.chunk_by(same_day) {
            let enough = if day.first().is_some_and(|file| file.day < today) { 2 } else { self.options.small_files };
            let mut run: Vec<Arc<DataFile>> = Vec::new();
            let mut rows = 0;
            for file in day {
                let small = file.rows < self.options.small_rows;
                if !small || rows + file.rows > self.options.file_rows {
                    runs.extend((run.len() >= enough).then(|| std::mem::take(&mut run)));
                    run.clear();
                    rows = 0;
                }
                if small {
                    run.push(Arc::clone(file));
                    rows += file.rows;
                }
            }
            runs.extend((run.len() >= enough).then_some(run));
        }
        runs
    }

    async fn join(&self, run: &[Arc<DataFile>], version: u64) -> Result<DataFile, ColumnsError> {
        let mut writer = FileWriter::new(self.options.group_rows)?;
        for file in run {
            let wanted = Wanted { filter: Filter::scope_only(Scope::Installation), sequences: 0..=u64::MAX };
            let mut scan = FileScan::start(&self.reader, file, wanted, Order::OldestFirst).await?;
            while let Some(mut stream) = scan.group_stream(&Field::ALL).await? {
                while let Some(batch) = stream.try_next().await.map_err(|error| scan.failed(error))? {
                    writer.push(&batch)?;
                }
            }
        }
        let rows: u64 = run.iter().map(|file| file.rows).sum();
        let first = run.first();
        if writer.rows() != rows {
            let path = first.map_or("", |file| &file.path);
            let why = format!("the files hold {} rows in place of {rows}", writer.rows());
            return Err(ColumnsError::store("join", path, why));
        }
        let (organization, day) = first.map_or((None, 0), |file| (file.organization.as_deref(), file.day));
        let (bytes, file) = writer.finish(organization, day, version)?;
        self.store.put(&file.path, bytes).await?;
        Ok(file)
    }
}

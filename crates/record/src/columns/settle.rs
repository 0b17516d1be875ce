//! The journal into files: read closed segments, write a file for each organization and day, replace the manifest, and
//! only then give the segments up.

use crate::codec;
use crate::columns::batch::BatchBuilder;
use crate::columns::error::ColumnsError;
use crate::columns::manifest::{DataFile, Manifest};
use crate::columns::state::Columns;
use crate::columns::write::FileWriter;
use crate::filter::Filter;
use crate::journal::Journal;
use crate::query::{Order, Scope};
use crate::time;
use std::collections::BTreeMap;
use std::ops::Range;

const ROWS_PER_BATCH: usize = 16 << 10;

/// What a round did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Settled {
    /// Records that went from the journal into files.
    pub records: u64,
    /// Files written for them.
    pub files: usize,
    /// Bytes of these.
    pub bytes: u64,
    /// Records that the journal knew of and could not read any more: damage since it was opened.
    pub unreadable: u64,
    /// Segments that the journal gave up.
    pub segments: usize,
    /// Small files that were replaced by larger ones.
    pub compacted: usize,
    /// Files removed: such as were replaced or dropped before, or left over by a round that ended early.
    pub removed: usize,
}

/// Rows of some segments, by organization and day.
#[derive(Default)]
struct Gathered {
    payloads: Vec<u8>,
    groups: BTreeMap<(Option<String>, i64), Vec<Range<usize>>>,
}

impl Columns {
    /// Settles all closed segments. After an error the rest waits for the next round.
    pub(crate) async fn settle(&self, journal: &Journal, now_us: i64, done: &mut Settled) -> Result<(), ColumnsError> {
        let mut manifest = self.manifest().await?;
        if manifest.version == 0 {
            // Before the first file, so that files without a manifest are a sign that it was lost.
            manifest = self.commit(manifest.next(0, Vec::new(), |_| false), now_us).await?;
        }
        journal.go_on_after(manifest.settled)?;
        // What an earlier round settled, but did not come to give up.
        done.segments += journal.give_up(manifest.settled)?;
        journal.leave_if_older(now_us.saturating_sub(self.options.segment_age_us))?;
        while let Some(up_to) = journal.closed_after(manifest.settled, self.options.batch_bytes) {
            let files = self.write(journal, &manifest, up_to).await?;
            let known = journal.records_between(manifest.settled, up_to);
            done.unreadable += known.saturating_sub(files.iter().map(|file| file.rows).sum());
            done.records += files.iter().map(|file| file.rows).sum::<u64>();
            done.bytes += files.iter().map(|file| file.bytes).sum::<u64>();
            done.files += files.len();
            journal.mark_settled(up_to)?;
            manifest = self.commit(manifest.next(up_to, files, |_| false), now_us).await?;
            done.segments += journal.give_up(up_to)?;
        }
        Ok(())
    }

    async fn write(&self, journal: &Journal, manifest: &Manifest, up_to: u64) -> Result<Vec<DataFile>, ColumnsError> {
        let gathered = gather(journal, manifest.settled, up_to)?;
        let version = manifest.version + 1;
        let mut files = Vec::with_capacity(gathered.groups.len());
        for ((organization, day), rows) in &gathered.groups {
            let (bytes, file) =
                self.encode(&gathered.payloads, rows, journal.tag())?.finish(organization.as_deref(), *day, version)?;
            self.store.put(&file.path, bytes).await?;
            files.push(file);
        }
        Ok(files)
    }

    fn encode(&self, payloads: &[u8], rows: &[Range<usize>], tag: u16) -> Result<FileWriter, ColumnsError> {
        let mut writer = FileWriter::new(self.options.group_rows)?;
        for rows in rows.chunks(ROWS_PER_BATCH) {
            let mut builder = BatchBuilder::with_capacity(rows.len());
            for range in rows {
                let decoded = payloads.get(range.clone()).map(codec::decode);
                if let Some(Ok(raw)) = decoded
                    && let Ok(view) = raw.view(tag)
                {
                    builder.push(&view);
                }
            }
            let batch = builder.finish().map_err(|error| ColumnsError::store("make", "a file of columns", error))?;
            writer.push(&batch)?;
        }
        Ok(writer)
    }
}

fn gather(journal: &Journal, after: u64, up_to: u64) -> Result<Gathered, ColumnsError> {
    let filter = Filter::scope_only(Scope::Installation);
    let mut scan = journal.scan_of(journal.segments(), filter, Order::OldestFirst, after, Some(up_to + 1));
    let mut gathered = Gathered::default();
    while let Some((payload, row)) = scan.next_payload()? {
        let start = gathered.payloads.len();
        gathered.payloads.extend_from_slice(payload);
        let place = (row.row.organization.map(str::to_owned), time::day(row.row.time_us));
        gathered.groups.entry(place).or_default().push(start..gathered.payloads.len());
    }
    Ok(gathered)
}

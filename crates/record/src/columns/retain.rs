//! Days that have been kept long enough go, each organization by its own measure. One change of the manifest, however
//! many records that are.

use crate::columns::error::ColumnsError;
use crate::columns::manifest::DataFile;
use crate::columns::state::Columns;
use crate::journal::Dropped;
use crate::time;
use std::collections::{BTreeSet, HashMap};

/// How long the records of an organization are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// So many days, whole ones (UTC), after the day of the record.
    Days(u32),
    /// For good, as long as this says so: a legal hold.
    Hold,
}

/// How long records are kept.
#[derive(Debug, Clone)]
pub struct Retention {
    /// For whoever is not named below, and for records without an organization.
    pub otherwise: Keep,
    /// By organization.
    pub organizations: HashMap<String, Keep>,
}

impl Default for Retention {
    fn default() -> Self {
        Self { otherwise: Keep::Days(180), organizations: HashMap::new() }
    }
}

impl Retention {
    /// Whether a file's day has been kept long enough.
    fn is_over(&self, file: &DataFile, today: i64) -> bool {
        let own = file.organization.as_ref().and_then(|id| self.organizations.get(id));
        match own.unwrap_or(&self.otherwise) {
            Keep::Days(days) => file.day < today.saturating_sub(i64::from(*days)),
            Keep::Hold => false,
        }
    }
}

/// What may be dropped.
#[derive(Debug, Clone)]
pub(crate) struct Droppable {
    /// Nothing with a sequence above this one.
    pub(crate) through: u64,
    /// Nothing of these days.
    pub(crate) but_for_days: BTreeSet<i64>,
}

impl Default for Droppable {
    fn default() -> Self {
        Self { through: u64::MAX, but_for_days: BTreeSet::new() }
    }
}

impl Droppable {
    pub(crate) fn may_go(&self, file: &DataFile) -> bool {
        file.last_sequence <= self.through && !self.but_for_days.contains(&file.day)
    }
}

impl Columns {
    /// Drops what has been kept long enough, and may go.
    pub(crate) async fn retain(
        &self,
        retention: &Retention,
        droppable: &Droppable,
        now_us: i64,
    ) -> Result<Dropped, ColumnsError> {
        let today = time::day(now_us);
        self.drop_files(now_us, |file| droppable.may_go(file) && retention.is_over(file, today)).await
    }

    /// Drops files that `over` names.
    pub(crate) async fn drop_files(
        &self,
        now_us: i64,
        over: impl Fn(&DataFile) -> bool,
    ) -> Result<Dropped, ColumnsError> {
        let manifest = self.manifest().await?;
        let mut dropped = Dropped::default();
        for file in manifest.files.iter().filter(|file| over(file)) {
            dropped.segments += 1;
            dropped.records += file.rows;
            dropped.bytes += file.bytes;
        }
        if dropped.segments > 0 {
            self.commit(manifest.next(manifest.settled, Vec::new(), over), now_us).await?;
        }
        Ok(dropped)
    }
}

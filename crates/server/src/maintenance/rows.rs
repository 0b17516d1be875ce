//! Copying every row of a database into an empty one, and holding the two against each other before it counts.

use super::{MaintenanceError, Progress, Report, Unit};
use crate::db::Tx;
use crate::db::maintenance::{Filling, TABLES, TableSum, count};
use std::collections::BTreeMap;

/// Copies all tables, those that others refer to first.
pub async fn copy(
    from: &mut Tx,
    to: &mut Filling,
    report: Report<'_>,
) -> Result<BTreeMap<String, TableSum>, MaintenanceError> {
    let mut sums = BTreeMap::new();
    for table in TABLES {
        let total = count(from, table).await?;
        let step = format!("copying {}", table.name);
        report(Progress { step: step.clone(), done: 0, total, unit: Unit::Rows });
        let mut told = |done| report(Progress { step: step.clone(), done, total, unit: Unit::Rows });
        let sum = to.copy(from, table, &mut told).await?;
        sums.insert(table.name.to_owned(), sum);
    }
    Ok(sums)
}

/// Reads back what was written, and requires that nothing is lost or different.
pub async fn compare(
    to: &mut Filling,
    read: &BTreeMap<String, TableSum>,
    report: Report<'_>,
) -> Result<(), MaintenanceError> {
    for table in TABLES {
        let expected = read.get(table.name).cloned().unwrap_or_default();
        let total = expected.rows;
        let step = format!("comparing {}", table.name);
        let mut told = |done| report(Progress { step: step.clone(), done, total, unit: Unit::Rows });
        let found = to.sum(table, &mut told).await?;
        if found != expected {
            return Err(MaintenanceError::Differs { table: table.name, read: total, written: found.rows });
        }
    }
    Ok(())
}

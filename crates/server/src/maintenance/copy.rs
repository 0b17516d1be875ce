//! Copying an installation's database to another one, from SQLite to PostgreSQL or back. No server may run on either.
//! The target gets everything in one transaction: all of it, compared row for row, or nothing.

use super::backup::same_schema;
use super::{MaintenanceError, Report, files, is_server, open_existing, rows, shown};
use crate::db::Db;
use crate::db::maintenance::TableSum;
use crate::serve::ServingLock;
use std::collections::BTreeMap;
use std::path::Path;

/// From where to where: `postgres://…`, or a path.
#[derive(Debug, Clone)]
pub struct CopyOptions {
    /// The database that is read; only its serving lock is touched.
    pub from: String,
    /// The database that is filled; it has to be empty.
    pub to: String,
}

/// What was copied.
#[derive(Debug, Clone)]
pub struct CopyDone {
    /// The number of the last change; the copy goes on from there.
    pub sequence: u64,
    /// Rows and sums of the tables.
    pub tables: BTreeMap<String, TableSum>,
}

/// Copies a database. Key file, access log and stops file stay where they are: both databases belong to the same data
/// directory.
pub async fn copy(options: &CopyOptions, report: Report<'_>) -> Result<CopyDone, MaintenanceError> {
    let source = open_existing(&options.from).await?;
    let lock = ServingLock::take(&source, &options.from).await?.keep_alone(source.clone());
    let done = to_target(options, &source, report).await;
    lock.release(&source).await;
    source.close().await;
    done
}

async fn to_target(options: &CopyOptions, source: &Db, report: Report<'_>) -> Result<CopyDone, MaintenanceError> {
    same_schema(source).await?;
    if !is_server(&options.to)
        && let Some(folder) = Path::new(&options.to).parent().filter(|folder| !folder.as_os_str().is_empty())
    {
        files::make(folder)?;
    }
    let target = Db::connect(&options.to).await?;
    let lock = ServingLock::take(&target, &options.to).await?;
    let done = fill(options, source, &target, report).await;
    lock.release(&target).await;
    target.close().await;
    done
}

async fn fill(
    options: &CopyOptions,
    source: &Db,
    target: &Db,
    report: Report<'_>,
) -> Result<CopyDone, MaintenanceError> {
    let mut from = source.read().await?;
    let sequence = from.sequence().await?;
    let taken = || MaintenanceError::DatabaseNotEmpty(shown(&options.to));
    let mut filling = target.fill(sequence).await?.ok_or_else(taken)?;
    let tables = rows::copy(&mut from, &mut filling, report).await?;
    drop(from);
    rows::compare(&mut filling, &tables, report).await?;
    filling.commit().await?;
    Ok(CopyDone { sequence, tables })
}

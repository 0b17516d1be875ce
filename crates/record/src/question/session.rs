//! The query engine, set up so that it can do what questions need and nothing else: no files, no catalogs, no settings,
//! no functions but those of a list, no more memory than is granted, and no room on disk.

use crate::question::guard::{AGGREGATE_FUNCTIONS, SCALAR_FUNCTIONS};
use crate::question::table::RecordsTable;
use datafusion::error::Result;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::GreedyMemoryPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::{SessionStateBuilder, SessionStateDefaults};
use datafusion::prelude::{SessionConfig, SessionContext};
use std::sync::Arc;

/// The name of the one table.
pub(crate) const TABLE: &str = "records";
/// Rows that are worked on together; what a text function can multiply is multiplied by this.
const ROWS_PER_BATCH: usize = 2 << 10;

/// An engine that knows one table.
pub(crate) fn session(table: RecordsTable, memory_bytes: usize) -> Result<SessionContext> {
    let mut config = SessionConfig::new()
        .with_batch_size(ROWS_PER_BATCH)
        .with_target_partitions(table.partitions)
        .with_information_schema(false);
    config.options_mut().execution.enable_recursive_ctes = false;
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(GreedyMemoryPool::new(memory_bytes)))
        .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled))
        .build_arc()?;
    let mut scalar = SessionStateDefaults::default_scalar_functions();
    scalar.retain(|function| SCALAR_FUNCTIONS.contains(&function.name()));
    let mut aggregate = SessionStateDefaults::default_aggregate_functions();
    aggregate.retain(|function| AGGREGATE_FUNCTIONS.contains(&function.name()));
    let state = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime)
        .with_expr_planners(SessionStateDefaults::default_expr_planners())
        .with_scalar_functions(scalar)
        .with_aggregate_functions(aggregate)
        .with_window_functions(SessionStateDefaults::default_window_functions())
        .build();
    let context = SessionContext::new_with_state(state);
    context.register_table(TABLE, Arc::new(table))?;
    Ok(context)
}

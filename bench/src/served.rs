//! A Tegata that is measured over HTTP, in a process of its own.

use crate::Fallible;
use crate::fill::fill;
use crate::world::{World, config};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use tegata::serve::start;
use tegata_record::Flush;

/// Where such a server listens beside its address.
pub fn unix_socket(directory: &Path) -> PathBuf {
    directory.join("tegata.sock")
}

/// Serves a prepared directory with this many tokens in memory until standard input ends. `flush` says when records reach the
/// disk; none where checks leave no records.
pub fn run(directory: &Path, tokens: &str, flush: Option<Flush>) -> Fallible<()> {
    let tokens: u64 = tokens.parse()?;
    let world = World::read(directory)?;
    runtime()?.block_on(async {
        let mut config = config(directory, tokens)?;
        config.unix_socket = Some(unix_socket(directory));
        config.without_records = flush.is_none();
        config.flush = flush.unwrap_or(config.flush);
        let running = start(&config).await?;
        fill(&running.app, &world, tokens).await?;
        println!("{}", running.address);
        until_input_ends().await;
        running.stop().await;
        Ok(())
    })
}

/// For what is no check; checks have threads of their own.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()
}

/// Waits until whoever started this process lets it go, or has ended.
pub async fn until_input_ends() {
    let _ = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await;
}

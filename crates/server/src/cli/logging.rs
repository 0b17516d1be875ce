//! Log lines: to the standard error stream, for people or for machines.

use super::error::CliError;
use super::render::Colours;
use super::settings::LogFormat;
use std::io::{self, IsTerminal as _};
use tracing_subscriber::EnvFilter;

/// Begins to write log lines.
pub fn begin(format: LogFormat, level: &str, colours: Colours) -> Result<(), CliError> {
    let filter = EnvFilter::try_new(level).map_err(|_| {
        CliError::usage("--log-level: write error, warn, info, debug or trace, or `info,tegata::verify=debug`")
    })?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    let begun = match format {
        LogFormat::Text => lines.with_ansi(colours.wanted(io::stderr().is_terminal())).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).with_ansi(false).try_init(),
    };
    begun.map_err(|error| CliError::failed(format!("log lines cannot be written: {error}")))
}

/// Warnings only, for commands that are not servers.
pub fn quietly(colours: Colours) -> Result<(), CliError> {
    let level = std::env::var("TEGATA_LOG").unwrap_or_else(|_| "warn".to_owned());
    begin(LogFormat::Text, &level, colours)
}

//! `tegata completions`: what a shell needs to complete commands.

use super::Cli;
use super::error::CliError;
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;
use std::io::{self, Write as _};

/// For which shell.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    /// Writes the script.
    pub fn run(&self) -> Result<(), CliError> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "tegata", &mut script);
        io::stdout().lock().write_all(&script).map_err(CliError::output)
    }
}

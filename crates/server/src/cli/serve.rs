//! `tegata serve`: a server, from its start to its stop.

use super::error::CliError;
use super::logging;
use super::render::{Colours, Output};
use super::settings::{Place, Serving};
use crate::http::server::DoorError;
use crate::serve::{Config, Running, StartError, start};
use clap::Args;
use secrecy::ExposeSecret;
use serde_json::json;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// A server to be.
#[derive(Debug, Args)]
pub struct Serve {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    serving: Serving,
}

impl Serve {
    /// Serves until a signal comes.
    pub async fn run(self, output: Output, colours: Colours) -> Result<(), CliError> {
        let settings = self.place.settle_with(&self.serving)?;
        logging::begin(settings.log_format, &settings.log_level, colours)?;
        // Before anything is opened, so that no signal finds half a server.
        let mut signals = Signals::listen()?;
        let running = start(&settings.config).await.map_err(|error| not_started(&error))?;
        announce(&running, output);
        tracing::info!(address = %running.address, data_dir = %settings.config.data_dir.display(), "serving");
        let name = signals.next().await;
        tracing::info!(signal = name, "stopping: requests under way end first; a second signal ends at once");
        tokio::select! {
            () = running.stop() => {
                tracing::info!("stopped");
                Ok(())
            }
            name = signals.next() => Err(CliError::failed(format!("a second signal ({name}) ended the server at once"))),
        }
    }
}

/// Why a server did not start.
pub fn not_started(error: &StartError) -> CliError {
    let told = CliError::failed(error.to_string());
    match error {
        StartError::Door(DoorError::Listen(..)) => told.hint("--listen chooses another address or port"),
        StartError::Door(DoorError::Unix(_)) => told.hint("--unix-socket chooses another path"),
        StartError::Lock(_) => told.hint("a running server is set up with `tegata init --url URL --setup-token TOKEN`"),
        _ => told,
    }
}

/// Tells where the server is, and, while it has no administrator, how it gets one. A server whose standard output is
/// closed serves all the same.
fn announce(running: &Running, output: Output) {
    let url = &running.app.public_url;
    let setup = running.setup.as_ref().map(ExposeSecret::expose_secret);
    let text = match (output.json, setup) {
        (true, _) => json!({"url": url, "listen": running.address, "setup_token": setup}).to_string(),
        (false, None) => format!("Tegata serves at {url}"),
        (false, Some(token)) => welcome(url, token),
    };
    let _ = output.line(&text);
}

/// The words of the first start.
fn welcome(url: &str, token: &str) -> String {
    let lines = [
        format!("Tegata serves at {url}"),
        String::new(),
        "It has no administrator yet. To become the first, open".to_owned(),
        String::new(),
        format!("    {url}/setup#{token}"),
        String::new(),
        "or run".to_owned(),
        String::new(),
        format!("    tegata init --url {url} --setup-token {token}"),
        String::new(),
        "This works once. Keep it to yourself until then.".to_owned(),
    ];
    // Open at the right: the lines are to be copied, and narrow terminals fold them.
    let body: Vec<String> = lines.iter().map(|line| format!("│ {line}").trim_end().to_owned()).collect();
    let edge = "─".repeat(60);
    format!("╭{edge}\n{}\n╰{edge}", body.join("\n"))
}

/// Signals that ask a server to stop.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn listen() -> Result<Self, CliError> {
        let failed = |error| CliError::failed(format!("signals cannot be heard: {error}"));
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).map_err(failed)?,
            terminate: signal(SignalKind::terminate()).map_err(failed)?,
        })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }
}

/// Opens an installation without serving it.
pub async fn open_locally(config: &Config) -> Result<crate::serve::Opened, CliError> {
    crate::serve::open(config).await.map_err(|error| not_started(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_start_shows_the_link_and_the_command() {
        let text = welcome("https://tegata.example", "tegata_set_x");
        assert!(text.contains("https://tegata.example/setup#tegata_set_x\n"));
        assert!(text.contains("tegata init --url https://tegata.example --setup-token tegata_set_x\n"));
    }
}

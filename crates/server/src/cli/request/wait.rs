//! `tegata request wait`: until a request is decided. The server answers when it is; the exit code tells how.

use crate::cli::call::Call;
use crate::cli::desk::Desk;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::moment::span;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use std::io::{self, IsTerminal as _};
use std::time::Duration;
use tegata_core::credential::GrantState;
use tegata_core::operations;
use tegata_core::request::RequestState;
use tokio::time::Instant;

/// How long the server is asked to wait for one answer, at most. Proxies in between cut longer silences.
const ONE_WAIT_SECONDS: u64 = 50;
/// How long to rest where the server answers at once, because too many wait, and after a break.
const PAUSE: Duration = Duration::from_secs(2);
/// How often the spinner turns.
const TICK: Duration = Duration::from_millis(120);

/// What is waited for.
#[derive(Debug, Args)]
pub struct Wait {
    /// The request's id
    request: String,
    /// How long at most: 30s, 10m, 2d
    #[arg(long, value_name = "SPAN", value_parser = span, default_value = "10m")]
    timeout: Duration,
}

impl Wait {
    /// Waits, and shows the request as it is then.
    pub async fn run(self, desk: &Desk) -> Result<(), CliError> {
        let spinner = spinner(desk, &self.request);
        let outcome = self.decided(desk, Instant::now() + self.timeout).await;
        spinner.finish_and_clear();
        let request = outcome?;
        desk.output.thing(&request)?;
        match state(&request) {
            Decided::Granted => Ok(()),
            Decided::NotAll => Err(CliError::silently(Exit::Denied)),
            Decided::Open => Err(CliError::silently(Exit::Waiting)),
        }
    }

    async fn decided(&self, desk: &Desk, until: Instant) -> Result<Value, CliError> {
        let mut known = None;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let seconds = left.as_secs().min(ONE_WAIT_SECONDS);
            let call = Call::to(operations::REQUEST_OWN_SHOW).at("request", self.request.as_str());
            let asked = Instant::now();
            match desk.client.call(&call.ask("wait", seconds.to_string())).await {
                Ok(request) if left.is_zero() || state(&request) != Decided::Open => return Ok(request),
                Ok(request) => known = Some(request),
                // A server that is started anew, or a break on the way: what was seen once is waited for.
                Err(error) if error.exit == Exit::Unavailable && known.is_some() && !left.is_zero() => {}
                Err(error) => return Err(error),
            }
            if asked.elapsed() < Duration::from_secs(1) {
                tokio::time::sleep(PAUSE.min(left)).await;
            }
        }
    }
}

/// What became of a request.
#[derive(Debug, PartialEq, Eq)]
enum Decided {
    Open,
    Granted,
    NotAll,
}

fn state(request: &Value) -> Decided {
    let is = |value: &Value, state: &str| value.get("state").and_then(Value::as_str) == Some(state);
    if is(request, RequestState::Open.as_str()) {
        return Decided::Open;
    }
    let lines = request.get("lines").and_then(Value::as_array);
    let granted =
        lines.is_some_and(|lines| !lines.is_empty() && lines.iter().all(|line| is(line, GrantState::Granted.as_str())));
    if granted { Decided::Granted } else { Decided::NotAll }
}

fn spinner(desk: &Desk, request: &str) -> ProgressBar {
    if desk.output.json || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner().with_message(crate::cli::render::plain(request));
    let style = ProgressStyle::with_template("{spinner} {msg} waits for a decision  {elapsed}");
    let bar = style.map(|style| bar.clone().with_style(style)).unwrap_or(bar);
    bar.enable_steady_tick(TICK);
    bar
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_is_granted_as_a_whole_is_granted() {
        let request = |state: &str, lines: &[&str]| {
            let lines: Vec<_> = lines.iter().map(|state| json!({"state": state})).collect();
            json!({"state": state, "lines": lines})
        };
        for (value, expected) in [
            (request("open", &["granted", "requested"]), Decided::Open),
            (request("closed", &["granted", "granted"]), Decided::Granted),
            (request("closed", &["granted", "rejected"]), Decided::NotAll),
            (request("closed", &["withdrawn"]), Decided::NotAll),
            (request("closed", &[]), Decided::NotAll),
            (json!({}), Decided::NotAll),
        ] {
            assert_eq!(state(&value), expected, "{value}");
        }
    }
}

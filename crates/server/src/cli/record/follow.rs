//! `tegata record tail`: access records as they are written. A connection that breaks is made again, and goes on after
//! the last record that was shown.

use super::filters::Filters;
use crate::cli::call::Call;
use crate::cli::desk::{Desk, InOrg};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use clap::Args;
use serde_json::Value;
use std::time::Duration;
use tegata_core::operations;

/// How long to wait before a broken connection is made again.
const PAUSE: Duration = Duration::from_secs(1);

/// What is followed.
#[derive(Debug, Args)]
pub struct Tail {
    /// Begin after the record with this id, and not with the next one
    #[arg(long, value_name = "ID")]
    after: Option<String>,
    /// End after so many records
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    #[command(flatten)]
    filters: Box<Filters>,
    #[command(flatten)]
    org: InOrg,
}

impl Tail {
    /// Follows until interrupted, or until it has shown as many as were asked for.
    pub async fn run(self, desk: &Desk) -> Result<(), CliError> {
        let org = desk.org(&self.org).await?;
        let (mut after, mut left) = (self.after, self.limit.unwrap_or(u64::MAX));
        let mut is_first = true;
        loop {
            let call = Call::to(operations::RECORD_TAIL).at("org", org.clone()).ask("after", after.clone());
            match desk.client.open_answer(&self.filters.clone().ask(call)).await {
                Ok(mut response) => {
                    is_first = false;
                    let mut events = Events::default();
                    while let Ok(Some(chunk)) = response.chunk().await {
                        for event in events.read(&chunk) {
                            match event {
                                Event::Record(record) => {
                                    after = record.get("id").and_then(Value::as_str).map(str::to_owned).or(after);
                                    show(desk, &record)?;
                                    left -= 1;
                                    if left == 0 {
                                        return Ok(());
                                    }
                                }
                                Event::End(why) => {
                                    let detail = format!("the server ended it: {}", field(&why, "detail"));
                                    return Err(CliError::new(Exit::NotAllowed, field(&why, "code"), detail));
                                }
                            }
                        }
                    }
                }
                Err(error) if is_first || error.exit != Exit::Unavailable => return Err(error),
                Err(_) => {}
            }
            desk.output.remark("the connection broke; it is made again");
            tokio::time::sleep(PAUSE).await;
        }
    }
}

fn field<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or("-")
}

fn show(desk: &Desk, record: &Value) -> Result<(), CliError> {
    if desk.output.json {
        return desk.output.line(&record.to_string());
    }
    let cells = ["time", "decision", "reason", "method", "path", "permission", "principal", "credential"];
    let line: Vec<String> = cells.iter().map(|name| crate::cli::render::plain(field(record, name))).collect();
    desk.output.line(&line.join("  "))
}

/// One event.
#[derive(Debug, PartialEq)]
enum Event {
    /// A record.
    Record(Value),
    /// The server says why it ends.
    End(Value),
}

/// Reads server-sent events (HTML Standard, §9.2.6), of the kinds that the server sends.
#[derive(Debug, Default)]
struct Events {
    rest: Vec<u8>,
    kind: String,
    data: String,
}

impl Events {
    fn read(&mut self, chunk: &[u8]) -> Vec<Event> {
        self.rest.extend_from_slice(chunk);
        let mut events = Vec::new();
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end_matches(['\r', '\n']);
            if line.is_empty() {
                events.extend(self.event());
            } else if let Some(kind) = line.strip_prefix("event:") {
                kind.trim_start().clone_into(&mut self.kind);
            } else if let Some(data) = line.strip_prefix("data:") {
                self.data.push_str(data.trim_start());
            }
        }
        events
    }

    fn event(&mut self) -> Option<Event> {
        let (kind, data) = (std::mem::take(&mut self.kind), std::mem::take(&mut self.data));
        let value = serde_json::from_str(&data).ok()?;
        match kind.as_str() {
            "record" => Some(Event::Record(value)),
            "end" => Some(Event::End(value)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    const STREAM: &str = ": following\n\nid: rec_1\nevent: record\ndata: {\"id\":\"rec_1\",\"path\":\"/é\"}\n\n\
        : quiet\n\nid: rec_2\r\nevent: record\r\ndata: {\"id\":\"rec_2\"}\r\n\r\nevent: end\ndata: {\"code\":\"forbidden\"}\n\n";

    #[test]
    fn events_are_read_wherever_the_stream_is_cut() {
        let expected = [
            Event::Record(json!({"id": "rec_1", "path": "/é"})),
            Event::Record(json!({"id": "rec_2"})),
            Event::End(json!({"code": "forbidden"})),
        ];
        for cut in 0..STREAM.len() {
            let mut events = Events::default();
            let (first, second) = STREAM.as_bytes().split_at(cut);
            let mut read = events.read(first);
            read.extend(events.read(second));
            assert_eq!(read, expected, "cut at {cut}");
        }
    }

    proptest! {
        #[test]
        fn hostile_streams_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Events::default().read(&bytes);
        }
    }
}

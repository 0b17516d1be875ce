//! Questions to the access log: counts for charts, what comes up most often, SQL; and how long the log is kept.

use super::filters::Filters;
use crate::cli::call::Call;
use crate::cli::desk::{Desk, InOrg};
use crate::cli::error::CliError;
use crate::cli::render::Column;
use clap::Args;
use clap::builder::PossibleValuesParser;
use serde_json::{Value, json};
use std::io::Read as _;
use tegata_core::operations;

const TOP_COLUMNS: &[Column] = &[("VALUE", "/value"), ("ALLOWED", "/allowed"), ("DENIED", "/denied")];
const BUCKET_COLUMNS: &[Column] = &[("START", "/start"), ("ALLOWED", "/allowed"), ("DENIED", "/denied"), ("", "/bar")];
/// Letters of the longest bar.
const BAR_WIDTH: u64 = 40;

/// Counts by time.
#[derive(Debug, Args)]
pub struct Histogram {
    /// The width of a bucket: 90s, 15m, 1h, 1d; one that fits the time, if left out
    #[arg(long, value_name = "WIDTH")]
    bucket: Option<String>,
    /// Where days begin, as a distance from UTC
    #[arg(long, value_name = "+HH:MM", allow_hyphen_values = true)]
    utc_offset: Option<String>,
    #[command(flatten)]
    filters: Box<Filters>,
    #[command(flatten)]
    org: InOrg,
}

impl Histogram {
    /// Asks, and draws.
    pub async fn run(self, desk: &Desk) -> Result<(), CliError> {
        let call = Call::to(operations::RECORD_HISTOGRAM).at("org", desk.org(&self.org).await?);
        let call = self.filters.ask(call).ask("bucket", self.bucket).ask("utc_offset", self.utc_offset);
        let answer = desk.client.call(&call).await?;
        if desk.output.json {
            return desk.output.thing(&answer);
        }
        let items = answer.get("items").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        desk.output.rows(BUCKET_COLUMNS, &with_bars(items))?;
        let number = |name| answer.get(name).and_then(Value::as_u64).unwrap_or(0);
        desk.output.remark(&format!("\n{} allowed, {} denied", number("allowed"), number("denied")));
        Ok(())
    }
}

/// The buckets, each with its bar: what was allowed, and then what was denied.
fn with_bars(items: &[Value]) -> Vec<Value> {
    let counts = |item: &Value| ["allowed", "denied"].map(|name| item.get(name).and_then(Value::as_u64).unwrap_or(0));
    let most = items.iter().map(|item| counts(item).iter().sum::<u64>()).max().unwrap_or(0).max(1);
    let letters =
        |letter: &str, count: u64| letter.repeat(usize::try_from((count * BAR_WIDTH).div_ceil(most)).unwrap_or(0));
    let with_bar = |item: &Value| {
        let [allowed, denied] = counts(item);
        let mut item = item.clone();
        item["bar"] = json!(format!("{}{}", letters("█", allowed), letters("░", denied)));
        item
    };
    items.iter().map(with_bar).collect()
}

/// What comes up most often.
#[derive(Debug, Args)]
pub struct Top {
    /// What is counted
    #[arg(value_parser = PossibleValuesParser::new(["credential", "principal", "permission", "endpoint", "reason", "address"]))]
    by: String,
    /// How many rows
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    #[command(flatten)]
    filters: Box<Filters>,
    #[command(flatten)]
    org: InOrg,
}

impl Top {
    /// Asks, and shows a table.
    pub async fn run(self, desk: &Desk) -> Result<(), CliError> {
        let call = Call::to(operations::RECORD_TOP).at("org", desk.org(&self.org).await?).ask("by", self.by);
        let call = self.filters.ask(call).ask("limit", self.limit.map(|limit| limit.to_string()));
        desk.list_whole(call, TOP_COLUMNS).await
    }
}

/// A statement.
#[derive(Debug, Args)]
pub struct Sql {
    /// A SELECT over the table `records`; `-` reads it from the standard input
    #[arg(value_name = "STATEMENT")]
    statement: String,
    /// Most rows of the answer
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    #[command(flatten)]
    org: InOrg,
}

impl Sql {
    /// Asks, and shows the rows.
    pub async fn run(self, desk: &Desk) -> Result<(), CliError> {
        let mut statement = self.statement;
        if statement == "-" {
            statement.clear();
            let read = std::io::stdin().lock().read_to_string(&mut statement);
            read.map_err(|error| CliError::failed(format!("the standard input cannot be read: {error}")))?;
        }
        let call = Call::to(operations::RECORD_SQL).at("org", desk.org(&self.org).await?);
        let answer = desk.client.call(&call.with("statement", statement).with("limit", self.limit)).await?;
        let list = |name| answer.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let names: Vec<&str> = list("columns").iter().filter_map(|column| column.get("name")?.as_str()).collect();
        if desk.output.json {
            for row in list("rows") {
                let cells = row.as_array().map_or(&[][..], Vec::as_slice);
                let row: serde_json::Map<_, _> =
                    names.iter().map(|&name| name.to_owned()).zip(cells.iter().cloned()).collect();
                desk.output.line(&Value::Object(row).to_string())?;
            }
        } else {
            desk.output.grid(&names, list("rows"))?;
        }
        if answer.get("truncated") == Some(&Value::Bool(true)) {
            eprintln!("there are more rows; --limit N shows more, up to 10,000");
        }
        Ok(())
    }
}

/// How long the log is kept.
#[derive(Debug, Args)]
pub struct Retention {
    /// For how many days after its own a record is kept
    #[arg(long, value_name = "DAYS", requires = "reason", conflicts_with = "default_days")]
    days: Option<u32>,
    /// As long as the installation says
    #[arg(long, requires = "reason")]
    default_days: bool,
    /// A legal hold: nothing is dropped while it lasts
    #[arg(long, requires = "reason", conflicts_with = "release")]
    hold: bool,
    /// End the legal hold
    #[arg(long, requires = "reason")]
    release: bool,
    /// Why; other people read it
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    org: InOrg,
}

impl Retention {
    /// Shows it, or changes what was named and keeps the rest.
    pub async fn run(self, desk: &Desk) -> Result<(), CliError> {
        let org = desk.org(&self.org).await?;
        let show = Call::to(operations::RECORD_RETENTION_SHOW).at("org", org.clone());
        if self.days.is_none() && !self.default_days && !self.hold && !self.release {
            if self.reason.is_some() {
                return Err(CliError::usage("say what is to be changed: --days, --default-days, --hold or --release"));
            }
            return desk.show(show).await;
        }
        let now = desk.client.call(&show).await?;
        let days = match (self.days, self.default_days) {
            (Some(days), _) => json!(days),
            (None, true) => Value::Null,
            (None, false) => now.get("own_days").cloned().unwrap_or_default(),
        };
        let hold = match (self.hold, self.release) {
            (false, false) => now.get("hold").cloned().unwrap_or_default(),
            (hold, _) => json!(hold),
        };
        let call = Call::to(operations::RECORD_RETENTION_SET).at("org", org);
        desk.show(call.with("days", days).with("hold", hold).with("reason", self.reason)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_bar_is_the_longest_and_a_single_record_shows() {
        let items = [json!({"allowed": 100, "denied": 300}), json!({"allowed": 1, "denied": 0}), json!({})];
        let bars: Vec<String> = with_bars(&items).iter().map(|item| item["bar"].as_str().unwrap().to_owned()).collect();
        assert_eq!(bars[0], format!("{}{}", "█".repeat(10), "░".repeat(30)));
        assert_eq!((bars[1].as_str(), bars[2].as_str()), ("█", ""));
    }
}

//! Where a command of the client works: a server, and somewhere to show the answers. Paging, tables and secrets that are
//! shown once are here, so that each command is a few lines.

use super::call::Call;
use super::client::{Client, Remote};
use super::error::CliError;
use super::render::{Column, Output, plain};
use clap::{Args, Subcommand};
use serde_json::Value;
use tegata_core::operations;

/// Most rows of one page, as the server gives them.
const PAGE_MAX: usize = 200;

/// A noun of the API: which server, and what is to be done there.
#[derive(Debug, Args)]
pub struct Noun<V: Subcommand> {
    /// Which server.
    #[command(flatten)]
    pub remote: Remote,
    /// What is to be done.
    #[command(subcommand)]
    pub verb: V,
}

/// What is to be done with a noun.
pub trait Verb {
    /// Does it.
    async fn run(self, desk: &Desk) -> Result<(), CliError>;
}

/// How many rows of a list.
#[derive(Debug, Clone, Copy, Args)]
pub struct Paging {
    /// How many rows at most
    #[arg(long, value_name = "N", default_value = "100", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: u64,
    /// Every row
    #[arg(long, conflicts_with = "limit")]
    pub all: bool,
}

/// In which organization.
#[derive(Debug, Clone, Args)]
pub struct InOrg {
    /// The organization's key or id; may be left out by whoever is in one only
    #[arg(long, value_name = "ORG", env = "TEGATA_ORG")]
    pub org: Option<String>,
}

/// Why something is done.
#[derive(Debug, Clone, Args)]
pub struct Because {
    /// Why; other people read it
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// Where a command works.
#[derive(Debug)]
pub struct Desk {
    /// The server.
    pub client: Client,
    /// Where answers go.
    pub output: Output,
}

impl Desk {
    /// A desk at a server.
    pub fn open(remote: &Remote, output: Output) -> Result<Self, CliError> {
        Ok(Self { client: Client::open(remote)?, output })
    }

    /// Calls, and shows the answer.
    pub async fn show(&self, call: Call) -> Result<(), CliError> {
        let answer = self.client.call(&call).await?;
        self.output.thing(&answer)
    }

    /// Calls, shows the answer, and names what it holds and is never shown again.
    pub async fn show_secret(&self, call: Call, what: &str) -> Result<(), CliError> {
        let mut answer = self.client.call(&call).await?;
        if self.output.json {
            return self.output.thing(&answer);
        }
        let fields = answer.as_object_mut();
        let secret = fields
            .and_then(|fields| ["token", "secret", "client_secret"].iter().find_map(|name| fields.shift_remove(*name)));
        self.output.thing(&answer)?;
        match secret.as_ref().and_then(Value::as_str) {
            Some(secret) => {
                self.output.line("")?;
                self.output.line(&plain(secret))?;
                self.output.remark(&format!("\nThis is {what}. Keep it now: it is not shown again."));
                Ok(())
            }
            // The first answer was lost on its way, and a repetition holds no secret.
            None => Err(CliError::failed(format!("the connection broke, and with it {what} was lost"))
                .hint("give it a new secret with `regenerate`")),
        }
    }

    /// Goes through the pages of a list and shows its rows.
    pub async fn list(&self, call: Call, columns: &[Column], paging: Paging) -> Result<(), CliError> {
        self.list_spread(call, columns, paging, |item| vec![item.clone()]).await
    }

    /// The same, where people see several rows of each item; as JSON, items stay as they are.
    pub async fn list_spread(
        &self,
        call: Call,
        columns: &[Column],
        paging: Paging,
        spread: fn(&Value) -> Vec<Value>,
    ) -> Result<(), CliError> {
        let wanted = if paging.all { usize::MAX } else { usize::try_from(paging.limit).unwrap_or(usize::MAX) };
        let mut rows = Vec::new();
        let (mut count, mut cursor) = (0, None);
        loop {
            let page = self.client.call(&call.page((wanted - count).min(PAGE_MAX), cursor.as_deref())).await?;
            let (items, next) = items_of(page)?;
            count += items.len();
            if self.output.json {
                self.output.rows(columns, &items)?;
            } else {
                rows.extend(items.iter().flat_map(spread));
            }
            cursor = next;
            if cursor.is_none() || count >= wanted {
                break;
            }
        }
        if !self.output.json {
            self.output.rows(columns, &rows)?;
        }
        if cursor.is_some() {
            // Also for scripts, on the standard error stream: they would take the part for the whole.
            eprintln!("these are the first {count} rows; --limit N or --all shows more");
        }
        Ok(())
    }

    /// Shows the rows of a list that comes as a whole.
    pub async fn list_whole(&self, call: Call, columns: &[Column]) -> Result<(), CliError> {
        let (items, _) = items_of(self.client.call(&call).await?)?;
        self.output.rows(columns, &items)
    }

    /// The organization that is meant: the one that was named, or the only one. Being in the publisher's organization as
    /// well leaves no doubt.
    pub async fn org(&self, named: &InOrg) -> Result<String, CliError> {
        if let Some(org) = &named.org {
            return Ok(org.clone());
        }
        let (items, next) = items_of(self.client.call(&Call::to(operations::ORG_LIST).page(PAGE_MAX, None)).await?)?;
        let key = |org: &Value| org.get("key").and_then(Value::as_str).unwrap_or_default().to_owned();
        let (publishers, tenants): (Vec<&Value>, Vec<&Value>) =
            items.iter().partition(|org| org.get("kind").and_then(Value::as_str) == Some("publisher"));
        let candidates = if tenants.is_empty() { publishers } else { tenants };
        match (candidates.as_slice(), next) {
            ([only], None) => Ok(key(only)),
            ([], _) => Err(CliError::usage("you are in no organization")),
            (several, _) => {
                let keys: Vec<String> = several.iter().take(10).map(|org| plain(&key(org))).collect();
                Err(CliError::usage("you are in several organizations: name one with --org, or set TEGATA_ORG")
                    .hint(format!("yours are {}", keys.join(", "))))
            }
        }
    }

    /// The id of a member: as it was written, or the one that has this e-mail address.
    pub async fn member(&self, org: &str, id_or_email: &str) -> Result<String, CliError> {
        if !id_or_email.contains('@') {
            return Ok(id_or_email.to_owned());
        }
        let call = Call::to(operations::MEMBER_LIST).at("org", org);
        self.find_email(&call, id_or_email, "member").await
    }

    /// The id in a list of people that belongs to an e-mail address.
    pub async fn find_email(&self, call: &Call, email: &str, what: &str) -> Result<String, CliError> {
        let mut cursor = None;
        loop {
            let (items, next) = items_of(self.client.call(&call.page(PAGE_MAX, cursor.as_deref())).await?)?;
            let text = |person: &Value, name: &str| person.get(name).and_then(Value::as_str).map(str::to_owned);
            let fits = |person: &&Value| text(person, "email").is_some_and(|known| known.eq_ignore_ascii_case(email));
            if let Some(id) = items.iter().find(fits).and_then(|person| text(person, "id")) {
                return Ok(id);
            }
            cursor = next;
            if cursor.is_none() {
                let detail = format!("there is no {what} with this e-mail address");
                return Err(CliError::new(super::exit::Exit::NotFound, "not_found", detail));
            }
        }
    }
}

/// The rows of a page, and where the next one begins.
fn items_of(mut page: Value) -> Result<(Vec<Value>, Option<String>), CliError> {
    let next = page.get("next_cursor").and_then(Value::as_str).map(str::to_owned);
    match page.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) => Ok((items, next)),
        _ => Err(CliError::failed("the server's answer is no list")),
    }
}

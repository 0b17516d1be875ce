//! Which records: the filters that every question to the access log has.

use crate::app::Clock;
use crate::cli::call::Call;
use crate::cli::moment::{Moment, moment};
use clap::Args;
use clap::builder::PossibleValuesParser;

/// Which records.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Filters")]
pub struct Filters {
    /// Only at this moment or later: a span ago (24h), a date, or RFC 3339
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    from: Option<Moment>,
    /// Only before this moment
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    to: Option<Moment>,
    /// Only of this API
    #[arg(long)]
    api: Option<String>,
    /// Only of this credential
    #[arg(long, value_name = "ID")]
    credential: Option<String>,
    /// Only of credentials of this kind
    #[arg(long)]
    kind: Option<String>,
    /// Only of this user (id, or e-mail address of a member)
    #[arg(long, value_name = "WHO")]
    principal: Option<String>,
    /// Only for this permission
    #[arg(long)]
    permission: Option<String>,
    /// Only in this context
    #[arg(long)]
    context: Option<String>,
    /// Only with this decision
    #[arg(long, value_parser = PossibleValuesParser::new(["allow", "deny"]))]
    decision: Option<String>,
    /// Only with this reason
    #[arg(long)]
    reason: Option<String>,
    /// Only of calls with this method
    #[arg(long)]
    method: Option<String>,
    /// Only of paths that begin so
    #[arg(long)]
    path: Option<String>,
    /// Only of this endpoint, as the catalogue writes it
    #[arg(long)]
    endpoint: Option<String>,
    /// Only from this address
    #[arg(long)]
    address: Option<String>,
    /// Only of this request
    #[arg(long, value_name = "ID")]
    request_id: Option<String>,
    /// Only what was done for this user
    #[arg(long, value_name = "WHO")]
    acted_for: Option<String>,
    /// Only permissions of this level
    #[arg(long, value_parser = PossibleValuesParser::new(["read", "write", "admin"]))]
    level: Option<String>,
    /// Only calls made by exactly this program
    #[arg(long, value_name = "TEXT")]
    user_agent: Option<String>,
    /// Only where this alternative of the endpoint decided, counted from 0
    #[arg(long, value_name = "N")]
    alternative: Option<u16>,
    /// Only what was decided by this version of the rules
    #[arg(long, value_name = "N")]
    rule_version: Option<u32>,
    /// Only what was decided by this version of the API's catalogue
    #[arg(long, value_name = "N")]
    catalogue_version: Option<u64>,
    /// Only records with this text in their path or principal
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
}

impl Filters {
    /// Adds the filters to a call.
    pub fn ask(self, call: Call) -> Call {
        let when = |moment: Option<Moment>| moment.map(|moment| moment.ago(Clock::System.now()).to_string());
        call.ask("from", when(self.from))
            .ask("to", when(self.to))
            .ask("api", self.api)
            .ask("credential", self.credential)
            .ask("kind", self.kind)
            .ask("principal", self.principal)
            .ask("permission", self.permission)
            .ask("context", self.context)
            .ask("decision", self.decision)
            .ask("reason", self.reason)
            .ask("method", self.method)
            .ask("path", self.path)
            .ask("endpoint", self.endpoint)
            .ask("address", self.address)
            .ask("request_id", self.request_id)
            .ask("acted_for", self.acted_for)
            .ask("level", self.level)
            .ask("user_agent", self.user_agent)
            .ask("alternative", self.alternative.map(|number| number.to_string()))
            .ask("rule_version", self.rule_version.map(|number| number.to_string()))
            .ask("catalogue_version", self.catalogue_version.map(|number| number.to_string()))
            .ask("q", self.text)
    }
}

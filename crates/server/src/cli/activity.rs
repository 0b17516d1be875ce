//! `tegata activity`: who changed what.

use super::call::Call;
use super::desk::{Desk, InOrg, Paging, Verb};
use super::error::CliError;
use super::moment::{Moment, moment};
use super::render::Column;
use crate::app::Clock;
use clap::Subcommand;
use tegata_core::operations;

const COLUMNS: &[Column] = &[
    ("AT", "/at"),
    ("OPERATION", "/operation"),
    ("BY", "/actor/name"),
    ("SUBJECT", "/subject"),
    ("REASON", "/reason"),
    ("ADDRESS", "/address"),
    ("ID", "/id"),
];

/// What is done with activity.
#[derive(Debug, Subcommand)]
pub enum Activity {
    #[command(about = operations::ACTIVITY_LIST.summary)]
    List {
        /// Only of this operation, such as `role.update`
        #[arg(long)]
        operation: Option<String>,
        /// Only by this user (id or e-mail address)
        #[arg(long, value_name = "WHO")]
        actor: Option<String>,
        /// Only of the thing with this id
        #[arg(long, value_name = "ID")]
        subject: Option<String>,
        /// Only at this moment or later: a span ago (24h), a date, or RFC 3339
        #[arg(long, value_name = "WHEN", value_parser = moment)]
        from: Option<Moment>,
        /// Only before this moment
        #[arg(long, value_name = "WHEN", value_parser = moment)]
        to: Option<Moment>,
        #[command(flatten)]
        org: InOrg,
        #[command(flatten)]
        paging: Paging,
    },
}

impl Verb for Activity {
    async fn run(self, desk: &Desk) -> Result<(), CliError> {
        let Self::List { operation, actor, subject, from, to, org, paging } = self;
        let when = |moment: Option<Moment>| moment.map(|moment| moment.ago(Clock::System.now()).to_string());
        let call = Call::to(operations::ACTIVITY_LIST)
            .at("org", desk.org(&org).await?)
            .ask("operation", operation)
            .ask("actor", actor)
            .ask("subject", subject)
            .ask("from", when(from))
            .ask("to", when(to));
        desk.list(call, COLUMNS, paging).await
    }
}

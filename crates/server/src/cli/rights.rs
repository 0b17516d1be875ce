//! `tegata rights`: who can do what, by what, and what of it is not used.

use super::call::Call;
use super::desk::{Desk, InOrg, Paging, Verb};
use super::error::CliError;
use super::render::Column;
use clap::Subcommand;
use tegata_core::operations;

const WHO: &[Column] = &[
    ("TYPE", "/type"),
    ("MEMBER", "/member/email"),
    ("CREDENTIAL", "/credential/id"),
    ("NAME", "/credential/name"),
    ("OWNER", "/credential/owner/name"),
    ("ROLE", "/by/roles/0/role"),
    ("GRANT", "/by/grants/0/id"),
];

const UNUSED: &[Column] = &[
    ("CREDENTIAL", "/credential/id"),
    ("NAME", "/credential/name"),
    ("OWNER", "/credential/owner/name"),
    ("CALLS", "/calls"),
    ("FIRST PROPOSAL", "/grants/0/proposal"),
];

/// What is asked of rights.
#[derive(Debug, Subcommand)]
pub enum Rights {
    #[command(about = operations::RIGHTS_WHO_CAN.summary)]
    WhoCan {
        /// The permission, by its name
        permission: String,
        /// The API, by key or id
        #[arg(long)]
        api: String,
        /// The place, such as `project:key:BLUE`; the whole organization, if not said
        #[arg(long)]
        context: Option<String>,
        /// Only `members`, or only `credentials`
        #[arg(long, value_parser = ["members", "credentials"])]
        subject: Option<String>,
        #[command(flatten)]
        org: InOrg,
        #[command(flatten)]
        paging: Paging,
    },
    #[command(about = operations::RIGHTS_WHAT_CAN.summary)]
    WhatCan {
        /// A credential (tok_…), an application (app_…), a service account (sva_…), or a member by id or e-mail address
        of: String,
        /// Only in this API, by key or id
        #[arg(long)]
        api: Option<String>,
        /// Only in this place; every place that makes a difference, if not said
        #[arg(long)]
        context: Option<String>,
        #[command(flatten)]
        org: InOrg,
        #[command(flatten)]
        paging: Paging,
    },
    #[command(about = operations::RIGHTS_UNUSED.summary)]
    Unused {
        /// Only this credential (tok_…)
        credential: Option<String>,
        /// How many days are looked back at: 1 to 365, 90 if not said
        #[arg(long)]
        days: Option<u32>,
        #[command(flatten)]
        org: InOrg,
        #[command(flatten)]
        paging: Paging,
    },
    #[command(about = operations::RIGHTS_SHRINK.summary)]
    Shrink {
        /// The credential (tok_…)
        credential: String,
        /// How many days are looked back at: 1 to 365, 90 if not said
        #[arg(long)]
        days: Option<u32>,
        /// Why; its owner reads it
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        #[command(flatten)]
        org: InOrg,
    },
}

impl Verb for Rights {
    async fn run(self, desk: &Desk) -> Result<(), CliError> {
        match self {
            Self::WhoCan { permission, api, context, subject, org, paging } => {
                let call = Call::to(operations::RIGHTS_WHO_CAN).at("org", desk.org(&org).await?);
                let call = call.ask("api", api).ask("permission", permission).ask("context", context);
                desk.list(call.ask("subject", subject), WHO, paging).await
            }
            Self::WhatCan { of, api, context, org, paging } => {
                let org = desk.org(&org).await?;
                let of = if of.contains('@') { desk.member(&org, &of).await? } else { of };
                let call = Call::to(operations::RIGHTS_WHAT_CAN).at("org", org).ask("of", of);
                desk.list(call.ask("api", api).ask("context", context), &[("PLACE", "/context")], paging).await
            }
            Self::Unused { credential, days, org, paging } => {
                let call = Call::to(operations::RIGHTS_UNUSED).at("org", desk.org(&org).await?);
                let call = call.ask("credential", credential).ask("days", days.map(|days| days.to_string()));
                desk.list(call, UNUSED, paging).await
            }
            Self::Shrink { credential, days, reason, org } => {
                let call = Call::to(operations::RIGHTS_SHRINK).at("org", desk.org(&org).await?);
                desk.show(call.with("credential", credential).with("days", days).with("reason", reason)).await
            }
        }
    }
}

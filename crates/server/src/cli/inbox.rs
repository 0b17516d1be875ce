//! `tegata inbox`: what concerns oneself.

use super::call::Call;
use super::desk::{Desk, Paging, Verb};
use super::error::CliError;
use super::render::Column;
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use tegata_core::operations;

const COLUMNS: &[Column] =
    &[("ID", "/id"), ("CREATED", "/created_at"), ("READ", "/read_at"), ("KIND", "/kind"), ("TITLE", "/title")];

/// What is done with an inbox.
#[derive(Debug, Subcommand)]
pub enum Inbox {
    #[command(about = operations::INBOX_LIST.summary)]
    List {
        /// Only what was not read
        #[arg(long)]
        unread: bool,
        #[command(flatten)]
        spoken: Spoken,
        #[command(flatten)]
        paging: Paging,
    },
    #[command(about = operations::INBOX_SHOW.summary)]
    Show {
        /// The notice's id
        notice: String,
        #[command(flatten)]
        spoken: Spoken,
    },
    /// Mark a notice as read, or all of them
    #[command(group = clap::ArgGroup::new("what").required(true).args(["notice", "all"]))]
    Read {
        /// The notice's id
        notice: Option<String>,
        /// All notices
        #[arg(long)]
        all: bool,
    },
    #[command(about = operations::INBOX_UNREAD.summary)]
    Unread {
        /// The notice's id
        notice: String,
    },
    /// Show how you like to be spoken to, or change it
    Preferences {
        /// In which language
        #[arg(long, value_parser = PossibleValuesParser::new(["en", "ja"]))]
        language: Option<String>,
    },
}

/// In which language.
#[derive(Debug, Clone, Args)]
pub struct Spoken {
    /// In which language [default: as you prefer]
    #[arg(long, value_parser = PossibleValuesParser::new(["en", "ja"]))]
    lang: Option<String>,
}

impl Verb for Inbox {
    async fn run(self, desk: &Desk) -> Result<(), CliError> {
        match self {
            Self::List { unread, spoken, paging } => {
                let call = Call::to(operations::INBOX_LIST).ask("lang", spoken.lang);
                desk.list(call.ask("unread", unread.then(|| "true".to_owned())), COLUMNS, paging).await
            }
            Self::Show { notice, spoken } => {
                desk.show(Call::to(operations::INBOX_SHOW).at("notice", notice).ask("lang", spoken.lang)).await
            }
            Self::Read { notice: Some(notice), .. } => {
                desk.show(Call::to(operations::INBOX_READ).at("notice", notice)).await
            }
            Self::Read { .. } => desk.show(Call::to(operations::INBOX_READ_ALL)).await,
            Self::Unread { notice } => desk.show(Call::to(operations::INBOX_UNREAD).at("notice", notice)).await,
            Self::Preferences { language: None } => desk.show(Call::to(operations::ME_PREFERENCES)).await,
            Self::Preferences { language } => {
                desk.show(Call::to(operations::ME_PREFERENCES_UPDATE).with("language", language)).await
            }
        }
    }
}

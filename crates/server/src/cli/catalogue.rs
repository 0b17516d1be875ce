//! `tegata catalogue`: protected APIs with their permissions and endpoints.

use super::call::Call;
use super::desk::{Because, Desk, Paging, Verb};
use super::error::CliError;
use super::render::Column;
use clap::{Subcommand, ValueEnum};
use serde_json::Value;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use tegata_core::catalogue::parse::DOCUMENT_MAX_BYTES;
use tegata_core::catalogue::{Format, parse, to_yaml};
use tegata_core::operations;

const COLUMNS: &[Column] = &[
    ("KEY", "/key"),
    ("TITLE", "/title/en"),
    ("API VERSION", "/api_version"),
    ("IMPORTS", "/version"),
    ("PERMISSIONS", "/permission_count"),
    ("ENDPOINTS", "/endpoint_count"),
    ("ID", "/id"),
];

/// What is done with catalogues.
#[derive(Debug, Subcommand)]
pub enum Catalogue {
    #[command(about = operations::API_IMPORT.summary)]
    Import {
        /// The document: YAML or JSON; `-` for the standard input
        file: PathBuf,
        /// It is an OpenAPI 3.0 or 3.1 document
        #[arg(long)]
        openapi: bool,
        /// The key of the API; needed for an OpenAPI document without `x-tegata-api`
        #[arg(long, value_name = "KEY")]
        api: Option<String>,
        /// Only show what would change
        #[arg(long)]
        dry_run: bool,
        /// Take permissions away that are granted somewhere
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        because: Because,
    },
    #[command(about = operations::API_LIST.summary)]
    List {
        #[command(flatten)]
        paging: Paging,
    },
    #[command(about = operations::API_SHOW.summary)]
    Show {
        /// The API's key or id
        api: String,
    },
    /// Write the catalogue of an API as a document that can be imported again
    Export {
        /// The API's key or id
        api: String,
        /// How it is written
        #[arg(long, value_enum, default_value_t)]
        format: Written,
    },
}

/// How a catalogue is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Written {
    /// YAML, as the shipped catalogues are.
    #[default]
    Yaml,
    /// JSON.
    Json,
}

impl Verb for Catalogue {
    async fn run(self, desk: &Desk) -> Result<(), CliError> {
        match self {
            Self::Import { file, openapi, api, dry_run, force, because } => {
                let format = file.extension().and_then(|extension| extension.to_str()).and_then(format_of);
                let call = Call::to(operations::API_IMPORT)
                    .with("document", read(&file)?)
                    .with("format", format)
                    .with("source", openapi.then_some("openapi"))
                    .with("api", api)
                    .with("dry_run", dry_run.then_some(true))
                    .with("force", force.then_some(true))
                    .with("reason", because.reason);
                desk.show(call).await
            }
            Self::List { paging } => desk.list(Call::to(operations::API_LIST), COLUMNS, paging).await,
            Self::Show { api } => desk.show(Call::to(operations::API_SHOW).at("api", api)).await,
            Self::Export { api, format } => {
                let answer = desk.client.call(&Call::to(operations::API_CATALOGUE).at("api", api)).await?;
                desk.output.line(&written(&answer, format)?)
            }
        }
    }
}

fn format_of(extension: &str) -> Option<&'static str> {
    match extension.to_ascii_lowercase().as_str() {
        "yaml" | "yml" => Some("yaml"),
        "json" => Some("json"),
        _ => None,
    }
}

fn read(file: &Path) -> Result<String, CliError> {
    let failed = |error: std::io::Error| CliError::file(file, &error);
    let mut text = String::new();
    let limit = DOCUMENT_MAX_BYTES as u64 + 1;
    if file == Path::new("-") {
        std::io::stdin().lock().take(limit).read_to_string(&mut text).map_err(failed)?;
    } else {
        std::fs::File::open(file).map_err(failed)?.take(limit).read_to_string(&mut text).map_err(failed)?;
    }
    if text.len() > DOCUMENT_MAX_BYTES {
        return Err(CliError::failed(format!(
            "{}: a catalogue has at most {DOCUMENT_MAX_BYTES} bytes",
            file.display()
        )));
    }
    Ok(text)
}

/// The document within the answer, written anew.
fn written(answer: &Value, format: Written) -> Result<String, CliError> {
    let document = answer.get("document").ok_or_else(|| CliError::failed("the server's answer holds no catalogue"))?;
    let json = serde_json::to_string_pretty(document).map_err(|error| CliError::failed(error.to_string()))?;
    match format {
        Written::Json => Ok(json),
        Written::Yaml => match parse(&json, Format::Json) {
            Ok(document) => Ok(to_yaml(&document).trim_end().to_owned()),
            Err(_) => Err(CliError::failed("this server's catalogue is newer than this program")
                .hint("--format json writes it as it is")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_exported_catalogue_reads_again() {
        let document =
            json!({"api": "demo", "permissions": [{"name": "notes:read", "level": "read"}], "endpoints": []});
        let answer = json!({"api": "demo", "document": document});
        let yaml = written(&answer, Written::Yaml).unwrap();
        assert_eq!(parse(&yaml, Format::Yaml).unwrap().api, "demo");
        assert!(parse(&written(&answer, Written::Json).unwrap(), Format::Json).is_ok());
        assert!(written(&json!({}), Written::Yaml).is_err());
    }
}

//! The document of an import: as JSON or as text, Tegata's own or OpenAPI, read and checked.

use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;
use tegata_core::catalogue::openapi::{self, Options, Report};
use tegata_core::catalogue::parse::{self, DOCUMENT_MAX_BYTES};
use tegata_core::catalogue::{Document, Fault, Format, Problems, check};
use tegata_core::permissions::OWN_API;
use tegata_core::problem::{Code, Problem};
use utoipa::ToSchema;

/// How a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CatalogueFormat)]
pub enum FormatBody {
    /// YAML 1.2.
    Yaml,
    /// JSON.
    Json,
}

/// What a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CatalogueSource)]
pub enum Source {
    /// Tegata's own catalogue document.
    #[default]
    Tegata,
    /// OpenAPI 3.0 or 3.1.
    Openapi,
}

/// A document as it came in.
#[derive(Debug, Clone)]
pub struct Raw {
    /// The document: an object, or text.
    pub document: Value,
    /// How the text is written; guessed if not said.
    pub format: Option<FormatBody>,
    /// What the document is.
    pub source: Source,
    /// The key of the API, where the caller says it.
    pub api: Option<String>,
}

/// A document that was read and checked.
pub struct Read {
    /// The catalogue.
    pub document: Document,
    /// What a person should look at after an import from OpenAPI.
    pub report: Option<Report>,
}

/// Reads a document, away from the threads that answer calls: a large one takes its time.
pub async fn read(raw: &Arc<Raw>) -> Result<Read, Problem> {
    let raw = Arc::clone(raw);
    tokio::task::spawn_blocking(move || raw.read()).await.map_err(|error| {
        tracing::error!(%error, "a catalogue could not be read");
        Problem::internal()
    })?
}

impl Raw {
    fn read(&self) -> Result<Read, Problem> {
        let read = match self.source {
            Source::Tegata => Read { document: self.catalogue()?, report: None },
            Source::Openapi => {
                let document: Value = match &self.document {
                    Value::String(text) => parse::read(text, self.format(text)).map_err(|told| wrong(&told))?,
                    other => other.clone(),
                };
                let options = Options { api: self.api.clone() };
                let (document, report) = openapi::import(&document, &options).map_err(|told| wrong(&told))?;
                Read { document, report: Some(report) }
            }
        };
        if read.document.api == OWN_API {
            let message = format!("`{OWN_API}` is this server's own API, whose catalogue comes with the program");
            return Err(Problem::new(Code::InvalidCatalogue, message.clone()).with("api", message));
        }
        if self.api.as_ref().is_some_and(|api| *api != read.document.api) {
            let message =
                format!("the document says `{}`; leave this out, or correct one of the two", read.document.api);
            return Err(Problem::field("api", message));
        }
        Ok(read)
    }

    fn catalogue(&self) -> Result<Document, Problem> {
        let document = match &self.document {
            Value::String(text) => {
                let format = self.format(text);
                parse::read::<Document>(text, format).map_err(|told| {
                    let other = parse::read::<Value>(text, format).is_ok_and(|value| openapi::is_openapi(&value));
                    if other { is_openapi() } else { wrong(&told) }
                })?
            }
            Value::Object(_) => {
                if openapi::is_openapi(&self.document) {
                    return Err(is_openapi());
                }
                let bytes = self.document.to_string().len();
                if bytes > DOCUMENT_MAX_BYTES {
                    let fault = Fault::TooLarge { bytes, max: DOCUMENT_MAX_BYTES };
                    return Err(wrong(&Problems::one("", None, fault)));
                }
                serde_path_to_error::deserialize(&self.document).map_err(|error| {
                    let at = error.path().to_string();
                    let fault = Fault::Unreadable { message: error.into_inner().to_string() };
                    wrong(&Problems::one(at.trim_start_matches('.'), None, fault))
                })?
            }
            _ => return Err(Problem::field("document", "send the document as an object, or as text in YAML or JSON")),
        };
        check::check(&document).map_err(|told| wrong(&told))?;
        Ok(document)
    }

    fn format(&self, text: &str) -> Format {
        match self.format {
            Some(FormatBody::Json) => Format::Json,
            None if text.trim_start().starts_with('{') => Format::Json,
            Some(FormatBody::Yaml) | None => Format::Yaml,
        }
    }
}

fn is_openapi() -> Problem {
    let message = "this is an OpenAPI document: say `\"source\": \"openapi\"`";
    Problem::new(Code::InvalidCatalogue, message).with("source", message)
}

/// Everything that is wrong with a document, each with its place.
pub fn wrong(problems: &Problems) -> Problem {
    let count = problems.list().len() + problems.more();
    let detail = match problems.list().first() {
        Some(first) if count == 1 => first.to_string(),
        Some(first) => format!("{first}; and {} more", count - 1),
        None => "the catalogue is not valid".to_owned(),
    };
    let mut told = Problem::new(Code::InvalidCatalogue, detail);
    for problem in problems.list() {
        let field = match problem.position {
            Some(place) => format!("line {}, column {}", place.line, place.column),
            None if problem.at.is_empty() => "document".to_owned(),
            None => problem.at.clone(),
        };
        told = told.with(field, problem.fault.to_string());
    }
    told
}

//! Catalogues from OpenAPI 3.0 and 3.1. Permissions come from the scopes of security requirements; what OpenAPI has no
//! words for stands in `x-tegata-…` extensions (`docs/catalogues.md` lists them).
//!
//! The reader is lenient about what it does not need and strict about what it takes over: nothing in a document makes
//! an endpoint open by being left out, misspelt or unknown. Whatever ends up denied is in the report.

mod extensions;
mod operations;
mod permissions;
mod refs;
mod security;

use crate::catalogue::check;
use crate::catalogue::document::{ContextTypeEntry, Document, RoleEntry, Texts};
use crate::catalogue::problem::{Fault, Problems};
use crate::name;
use serde::Serialize;
use serde_json::Value;

/// What the caller knows better than the document.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The API's key; without it `x-tegata-api` says it.
    pub api: Option<String>,
}

/// What a person should look at after an import.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Report {
    /// Endpoints without any permission: denied. As `GET /path`, with the reason.
    pub denied: Vec<Denied>,
    /// Permissions of which no level is said: `write`.
    pub levels_assumed: Vec<String>,
    /// Security schemes that carry no scopes, as far as requirements name them.
    pub schemes_ignored: Vec<String>,
    /// References that lead nowhere, in a circle, or out of the document.
    pub unresolved: Vec<String>,
    /// Scopes that cannot be permissions by name, and that no `x-tegata-permissions` entry stands for.
    pub scopes_unusable: Vec<String>,
    /// Paths that cannot be endpoints, and why.
    pub skipped: Vec<Skipped>,
    /// Servers with another path than the first: their calls will not be known.
    pub servers_ignored: Vec<String>,
}

/// An endpoint without permission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Denied {
    /// The endpoint.
    pub endpoint: String,
    /// Why, as one of the flags.
    pub because: &'static str,
}

/// A path that cannot be an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// The path.
    pub path: String,
    /// Why.
    pub why: String,
}

/// Whether a document is OpenAPI or Swagger rather than a catalogue.
pub fn is_openapi(document: &Value) -> bool {
    document.get("openapi").is_some() || document.get("swagger").is_some()
}

/// Makes a catalogue of an OpenAPI document.
pub fn import(document: &Value, options: &Options) -> Result<(Document, Report), Problems> {
    check_version(document)?;
    let mut problems = Problems::default();
    let mut report = Report::default();
    let api = match (&options.api, document.get("x-tegata-api").and_then(Value::as_str)) {
        (Some(api), _) => api.clone(),
        (None, Some(api)) => api.to_owned(),
        (None, None) => {
            let message = "no key for the API: write x-tegata-api in the document, or name it at the import";
            problems.push(|| "x-tegata-api".into(), Fault::OpenApi { message: message.to_owned() });
            String::new()
        }
    };
    let context_types: Vec<ContextTypeEntry> =
        extensions::read(document, "x-tegata-context-types", "", &mut problems).unwrap_or_default();
    let roles: Vec<RoleEntry> = extensions::read(document, "x-tegata-roles", "", &mut problems).unwrap_or_default();
    let kinds: Vec<&str> = context_types.iter().map(|kind| kind.name.as_str()).collect();
    let mut scopes = permissions::Scopes::read(document, &kinds, &mut problems);
    let operations = operations::read(document, &mut scopes, &mut report, &mut problems);
    let permissions = scopes.finish(&mut report);
    let info = document.get("info");
    let text = |field: &str| info.and_then(|info| info.get(field)).and_then(Value::as_str);
    let made = Document {
        api,
        title: text("title").and_then(short).map(Texts::en).unwrap_or_default(),
        version: text("version").and_then(short),
        context_types,
        permissions,
        roles,
        endpoints: operations.iter().map(|operation| operation.entry.clone()).collect(),
    };
    let problems = problems
        .or(())
        .and_then(|()| check::check(&made).map_err(|problems| operations::point_back(&problems, &operations)));
    for list in
        [&mut report.levels_assumed, &mut report.schemes_ignored, &mut report.unresolved, &mut report.scopes_unusable]
    {
        list.sort();
        list.dedup();
    }
    problems.map(|()| (made, report))
}

fn check_version(document: &Value) -> Result<(), Problems> {
    let version = document.get("openapi").and_then(Value::as_str).unwrap_or_default();
    if version.starts_with("3.0.") || version.starts_with("3.1.") || version == "3.0" || version == "3.1" {
        return Ok(());
    }
    let message = if document.get("swagger").is_some() {
        "this is Swagger 2.0 and OpenAPI 3.0 or 3.1 is read: convert it first".to_owned()
    } else {
        "the field 'openapi' says 3.0.x or 3.1.x in the documents that are read".to_owned()
    };
    Err(Problems::one("openapi", None, Fault::OpenApi { message }))
}

/// A text as a title: its first line, cut where titles end.
fn short(text: &str) -> Option<String> {
    let line = text.trim().lines().next()?;
    let clean: String = line.chars().filter(|letter| !letter.is_control()).collect();
    let clean = clean.trim();
    if clean.chars().count() <= name::TITLE_MAX_CHARS {
        return (!clean.is_empty()).then(|| clean.to_owned());
    }
    let cut: String = clean.chars().take(name::TITLE_MAX_CHARS - 1).collect();
    Some(format!("{}…", cut.trim_end()))
}

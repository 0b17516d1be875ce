//! From text to a checked document. Text is hostile until shown otherwise: size, depth, events and aliases are bounded
//! before anything is built.

use crate::catalogue::check;
use crate::catalogue::document::Document;
use crate::catalogue::problem::{Fault, Position, Problems};
use serde::de::DeserializeOwned;

/// Longest document that is read, in bytes.
pub const DOCUMENT_MAX_BYTES: usize = 8 * 1024 * 1024;
/// Deepest nesting that is read; a catalogue needs six.
const DEPTH_MAX: usize = 64;

/// How a document is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// YAML 1.2.
    Yaml,
    /// JSON.
    Json,
}

impl Format {
    /// By the ending of a file's name; YAML unless it says `json`.
    pub fn of_file(name: &str) -> Self {
        let ending = name.rsplit_once('.').map(|(_, ending)| ending);
        if ending.is_some_and(|ending| ending.eq_ignore_ascii_case("json")) { Self::Json } else { Self::Yaml }
    }
}

/// Reads a catalogue document and checks it.
pub fn parse(text: &str, format: Format) -> Result<Document, Problems> {
    let document = read(text, format)?;
    check::check(&document)?;
    Ok(document)
}

/// Reads any document within the bounds, without looking at its meaning: also used for OpenAPI documents.
pub fn read<T: DeserializeOwned>(text: &str, format: Format) -> Result<T, Problems> {
    if text.len() > DOCUMENT_MAX_BYTES {
        let fault = Fault::TooLarge { bytes: text.len(), max: DOCUMENT_MAX_BYTES };
        return Err(Problems::one("", None, fault));
    }
    match format {
        Format::Json => serde_json::from_str(text).map_err(|error| {
            let position =
                (error.line() > 0).then(|| Position { line: error.line() as u64, column: error.column() as u64 });
            // serde_json puts the place at the end of its sentence; ours comes first.
            let message = error.to_string();
            let message = message.split_once(" at line ").map_or(message.as_str(), |(message, _)| message);
            Problems::one("", position, Fault::Unreadable { message: message.to_owned() })
        }),
        Format::Yaml => serde_saphyr::from_str_with_options(text, yaml_options()).map_err(|error| {
            let place = error.location().filter(|place| place.line() > 0);
            let position = place.map(|place| Position { line: place.line(), column: place.column() });
            Problems::one("", position, Fault::Unreadable { message: yaml_message(&error) })
        }),
    }
}

/// What the reader says, without the place, which stands before it.
fn yaml_message(error: &serde_saphyr::Error) -> String {
    let message = error.without_snippet().to_string();
    let message = message.lines().next().unwrap_or_default();
    let message = message.rsplit_once(" at line ").map_or(message, |(message, _)| message);
    message.to_owned()
}

fn yaml_options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: DEPTH_MAX,
            max_events: 4_000_000,
            max_nodes: 2_000_000,
            max_documents: 1,
            max_aliases: 1_000,
            max_anchors: 1_000,
            max_recorded_anchor_events: 100_000,
            max_recorded_anchor_bytes: 1_000_000,
            max_total_scalar_bytes: DOCUMENT_MAX_BYTES,
            flow_nesting_limit: DEPTH_MAX,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 100_000,
            max_replay_stack_depth: 8,
        },
        merge_keys: serde_saphyr::MergeKeyPolicy::Error,
        emit_comments: false,
        strict_booleans: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    }
}

//! From a document to text: one line for each permission, role and endpoint, always in the same order, so that a
//! difference between two versions reads like what it is.

use crate::catalogue::document::Document;
use serde::Serialize;
use serde_json::Value;
use std::fmt::Write as _;

/// Writes a document as YAML. What is read back is the same document.
pub fn to_yaml(document: &Document) -> String {
    let mut text = String::new();
    field(&mut text, "api", &document.api);
    if !document.title.is_empty() {
        field(&mut text, "title", &document.title);
    }
    if let Some(version) = &document.version {
        field(&mut text, "version", version);
    }
    list(&mut text, "context_types", &document.context_types);
    list(&mut text, "permissions", &document.permissions);
    list(&mut text, "roles", &document.roles);
    list(&mut text, "endpoints", &document.endpoints);
    text
}

fn field(text: &mut String, name: &str, value: &impl Serialize) {
    text.push_str(name);
    text.push_str(": ");
    flow(text, &to_value(value));
    text.push('\n');
}

fn list(text: &mut String, name: &str, entries: &[impl Serialize]) {
    if entries.is_empty() {
        return;
    }
    text.push_str(name);
    text.push_str(":\n");
    for entry in entries {
        text.push_str("  - ");
        flow(text, &to_value(entry));
        text.push('\n');
    }
}

/// The entries are plain structs with text keys, which always have a value.
fn to_value(entry: &impl Serialize) -> Value {
    serde_json::to_value(entry).unwrap_or_default()
}

fn flow(text: &mut String, value: &Value) {
    match value {
        Value::Object(fields) => {
            text.push('{');
            for (place, (name, value)) in fields.iter().enumerate() {
                text.push_str(if place > 0 { ", " } else { "" });
                scalar(text, name);
                text.push_str(": ");
                flow(text, value);
            }
            text.push('}');
        }
        Value::Array(entries) => {
            text.push('[');
            for (place, value) in entries.iter().enumerate() {
                text.push_str(if place > 0 { ", " } else { "" });
                flow(text, value);
            }
            text.push(']');
        }
        Value::String(word) => scalar(text, word),
        Value::Null | Value::Bool(_) | Value::Number(_) => {
            let _ = write!(text, "{value}");
        }
    }
}

/// Words that readers of some version of YAML take for something else than text.
const NOT_TEXT: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];

fn scalar(text: &mut String, word: &str) {
    let plain = word.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic())
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
        && !NOT_TEXT.iter().any(|other| word.eq_ignore_ascii_case(other));
    if plain {
        text.push_str(word);
        return;
    }
    text.push('"');
    for letter in word.chars() {
        match letter {
            '"' | '\\' => text.extend(['\\', letter]),
            '\n' => text.push_str("\\n"),
            // What YAML does not let stand as it is, and what an editor would not show.
            _ if letter.is_control()
                || matches!(letter, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}') =>
            {
                let _ = write!(text, "\\u{:04X}", letter as u32);
            }
            _ => text.push(letter),
        }
    }
    text.push('"');
}

//! One row: a line of CSV under a header, or an object of JSON Lines. All fields are texts; what they mean is asked later.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// Longest text of one field, in bytes.
const FIELD_MAX_BYTES: usize = 4_096;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = CredentialImportFormat)]
pub enum Format {
    /// RFC 4180, with a header line that names the fields.
    Csv,
    /// One JSON object a line.
    Jsonl,
}

/// What is wrong with a row, or with one of its fields.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct RowError {
    /// The field; empty where it is the whole row.
    pub field: &'static str,
    /// The rule and a way out.
    pub message: String,
}

impl RowError {
    /// Something is wrong with a field.
    pub fn new(field: &'static str, message: impl Into<String>) -> Self {
        Self { field, message: message.into() }
    }
}

/// Why a file is none: nothing of it can be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FileError(pub String);

macro_rules! fields {
    ($($(#[$doc:meta])* $name:ident;)+) => {
        /// A row as it was written: every field a text, or absent. As `defaults` of an import, what rows say that say nothing.
        #[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, ToSchema)]
        #[serde(default, deny_unknown_fields)]
        #[schema(as = CredentialImportDefaults)]
        pub struct Row {
            $(
                $(#[$doc])*
                #[serde(deserialize_with = "text_or_list")]
                pub $name: Option<String>,
            )+
        }

        impl Row {
            /// The names of all fields.
            pub const FIELDS: &'static [&'static str] = &[$(stringify!($name)),+];

            fn field(&mut self, name: &str) -> Option<&mut Option<String>> {
                match name {
                    $(stringify!($name) => Some(&mut self.$name),)+
                    _ => None,
                }
            }

            /// The row, with the defaults where it says nothing.
            #[must_use]
            pub fn or(mut self, defaults: &Self) -> Self {
                $(
                    if self.$name.is_none() {
                        self.$name.clone_from(&defaults.$name);
                    }
                )+
                self
            }
        }
    };
}

fields! {
    /// `personal_token`, `organization_key` or `access_key`.
    kind;
    /// Whose it is: a member's e-mail address or id, or a service account's name or id; nobody's for an organization key.
    owner;
    /// What people call it.
    name;
    /// What it is for.
    reason;
    /// When it ends: RFC 3339.
    expires_at;
    /// Key or id of the API; may be left out where the organization uses one only.
    api;
    /// What it may do: scopes with spaces between them, or a list of them. None for an access key.
    scopes;
    /// The visible beginning of its key, or the client id of an access key.
    identifier;
    /// `sha-256`, `sha-512`, `hmac-sha-256`, `hmac-sha-512`, `bcrypt`, `argon2`, `pbkdf2-sha-256` or `pbkdf2-sha-512`.
    algorithm;
    /// The hash, or the whole string of bcrypt and Argon2.
    hash;
    /// How the hash is written: `hex` (where nothing is said), `base64` or `base64url`.
    encoding;
    /// The salt.
    salt;
    /// How the salt is written: `hex` (where nothing is said), `base64`, `base64url` or `text`.
    salt_encoding;
    /// Whether the salt stands `before` or `after` the key.
    salt_position;
    /// Iterations of PBKDF2.
    iterations;
}

/// A text as JSON may say it: a text, a whole number, or a list of texts.
fn text_of(value: Value) -> Result<Option<String>, &'static str> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) if text.is_empty() => Ok(None),
        Value::String(text) => Ok(Some(text)),
        Value::Number(number) if number.is_u64() => Ok(Some(number.to_string())),
        Value::Array(list) => {
            let words: Option<Vec<_>> = list.iter().map(Value::as_str).collect();
            words.map(|words| Some(words.join(" "))).ok_or("a list here holds texts")
        }
        _ => Err("write a text"),
    }
}

fn text_or_list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    text_of(Value::deserialize(deserializer)?).map_err(serde::de::Error::custom)
}

fn checked(field: &'static str, text: &str) -> Result<(), RowError> {
    if text.len() > FIELD_MAX_BYTES {
        return Err(RowError::new(field, "a field has at most 4,096 bytes"));
    }
    if text.chars().any(char::is_control) {
        return Err(RowError::new(field, "a field holds no control characters"));
    }
    Ok(())
}

fn field_named(name: &str) -> Option<&'static str> {
    Row::FIELDS.iter().find(|known| **known == name).copied()
}

/// The rows of a file, one after the other; each can be wrong for itself.
pub struct Rows<'t>(Source<'t>);

enum Source<'t> {
    Csv { fields: Vec<&'static str>, records: Box<csv::StringRecordsIntoIter<&'t [u8]>> },
    Lines(std::str::Lines<'t>),
}

impl<'t> Rows<'t> {
    /// Begins to read a file. A header that names something else than fields makes it none.
    pub fn read(format: Format, text: &'t str) -> Result<Self, FileError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if format == Format::Jsonl {
            return Ok(Self(Source::Lines(text.lines())));
        }
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
        let header = reader.headers().map_err(|error| FileError(format!("the header line cannot be read: {error}")))?;
        let mut fields = Vec::with_capacity(header.len());
        for name in header {
            let known = field_named(name.trim()).ok_or_else(|| {
                let shown: String = name.chars().take(40).collect();
                FileError(format!(
                    "the header names `{shown}`, which is no field; the fields are {}",
                    Row::FIELDS.join(", ")
                ))
            })?;
            if fields.contains(&known) {
                return Err(FileError(format!("the header names `{known}` twice")));
            }
            fields.push(known);
        }
        Ok(Self(Source::Csv { fields, records: Box::new(reader.into_records()) }))
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<Row, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Source::Csv { fields, records } => {
                let record = records.next()?;
                Some(
                    record
                        .map_err(|error| RowError::new("", format!("it is no CSV: {error}")))
                        .and_then(|record| of_cells(fields, &record)),
                )
            }
            Source::Lines(lines) => lines.find(|line| !line.trim().is_empty()).map(of_json),
        }
    }
}

fn of_cells(fields: &[&'static str], record: &csv::StringRecord) -> Result<Row, RowError> {
    if record.len() != fields.len() {
        let message = format!("the header names {} fields, and this row has {}", fields.len(), record.len());
        return Err(RowError::new("", message));
    }
    let mut row = Row::default();
    for (name, cell) in fields.iter().zip(record) {
        checked(name, cell)?;
        if let Some(field) = row.field(name).filter(|_| !cell.is_empty()) {
            *field = Some(cell.to_owned());
        }
    }
    Ok(row)
}

fn of_json(line: &str) -> Result<Row, RowError> {
    let value: Value =
        serde_json::from_str(line).map_err(|error| RowError::new("", format!("it is no JSON: {error}")))?;
    let Value::Object(object) = value else { return Err(RowError::new("", "write one JSON object a line")) };
    let mut row = Row::default();
    for (name, value) in object {
        let shown: String = name.chars().take(40).collect();
        let name = field_named(&name).ok_or_else(|| {
            RowError::new("", format!("`{shown}` is no field; the fields are {}", Row::FIELDS.join(", ")))
        })?;
        let text = text_of(value).map_err(|why| RowError::new(name, why))?;
        if let Some(text) = &text {
            checked(name, text)?;
        }
        if let Some(field) = row.field(name) {
            *field = text;
        }
    }
    Ok(row)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rows(format: Format, text: &str) -> Vec<Result<Row, RowError>> {
        Rows::read(format, text).map(Iterator::collect).unwrap_or_default()
    }

    #[test]
    fn both_forms_say_the_same() {
        let csv = rows(Format::Csv, "\u{feff}name,scopes,hash,iterations\n\"a, b\",x:read y:read,00ff,\n");
        let lines = rows(
            Format::Jsonl,
            "{\"name\":\"a, b\",\"scopes\":[\"x:read\",\"y:read\"],\"hash\":\"00ff\",\"iterations\":null}\n\n",
        );
        assert_eq!(csv, lines);
        let row = csv[0].clone().unwrap();
        assert_eq!(
            (row.name.as_deref(), row.scopes.as_deref(), row.iterations),
            (Some("a, b"), Some("x:read y:read"), None)
        );
        let numbered = rows(Format::Jsonl, "{\"iterations\":600000}");
        assert_eq!(numbered[0].as_ref().unwrap().iterations.as_deref(), Some("600000"));
    }

    #[test]
    fn what_is_wrong_is_named_and_the_next_row_is_read() {
        let read = rows(Format::Jsonl, "{\"name\":\"a\"}\n{\"nam\":1}\nnot json\n[1]\n{\"name\":{}}\n{\"name\":\"b\"}");
        let wrong: Vec<_> = read.iter().map(|row| row.as_ref().err().map(|error| error.field)).collect();
        assert_eq!(wrong, [None, Some(""), Some(""), Some(""), Some("name"), None]);
        let read = rows(Format::Csv, "name,hash\na,1\nb\nc,1,2\nd,2\n");
        assert_eq!(read.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, false, true]);
        let long = format!("name\n{}\n", "x".repeat(FIELD_MAX_BYTES + 1));
        assert_eq!(rows(Format::Csv, &long)[0].as_ref().unwrap_err().field, "name");
    }

    #[test]
    fn a_header_names_fields_once() {
        for header in ["nam,hash", "name,name", "name,"] {
            assert!(Rows::read(Format::Csv, header).is_err(), "{header}");
        }
        assert!(Rows::read(Format::Csv, "name,hash").is_ok_and(|mut rows| rows.next().is_none()));
    }

    #[test]
    fn defaults_fill_what_is_absent() {
        let defaults = Row { name: Some("x".to_owned()), kind: Some("access_key".to_owned()), ..Row::default() };
        let row = Row { name: Some("y".to_owned()), ..Row::default() }.or(&defaults);
        assert_eq!((row.name.as_deref(), row.kind.as_deref()), (Some("y"), Some("access_key")));
    }

    proptest! {
        #[test]
        fn hostile_files_never_panic(text in "(\\PC|\n|\r|\"|,){0,200}", header in "name,hash|name|,|") {
            let _ = rows(Format::Jsonl, &text);
            let _ = rows(Format::Csv, &format!("{header}\n{text}"));
        }

        #[test]
        fn whatever_a_field_holds_reads_back(name in "[^\\p{C}]{1,40}", hash in "[0-9a-f]{2,64}") {
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(["name", "hash"]).unwrap();
            writer.write_record([&name, &hash]).unwrap();
            let csv = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            let json = serde_json::json!({"name": name, "hash": hash}).to_string();
            for (format, text) in [(Format::Csv, csv), (Format::Jsonl, json)] {
                let read = rows(format, &text);
                prop_assert_eq!(read.len(), 1);
                let row = read[0].clone().unwrap();
                prop_assert_eq!((row.name, row.hash), (Some(name.clone()), Some(hash.clone())));
            }
        }
    }
}

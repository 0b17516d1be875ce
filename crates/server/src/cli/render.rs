//! What people and scripts see: tables and details for people, JSON for scripts. With `--json` every thing is one line
//! of JSON: an answer is one line, a list is one line for each of its rows.

use super::error::CliError;
use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, Cell, Color, ContentArrangement, Table};
use serde_json::{Map, Value};
use std::io::{self, IsTerminal as _, Write as _};

/// When output has colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Colours {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Everywhere.
    Always,
    /// Nowhere.
    Never,
}

impl Colours {
    /// Whether a stream that is or is no terminal gets colours (<https://no-color.org>).
    pub fn wanted(self, terminal: bool) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        }
    }
}

/// A column of a table: its title, and where its value lies in a row (RFC 6901).
pub type Column = (&'static str, &'static str);

/// Where answers go, and in which dress.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    /// JSON for scripts.
    pub json: bool,
    /// Colours on the standard output.
    pub colour: bool,
    /// Whether the standard output is a terminal, whose width then counts.
    pub terminal: bool,
}

impl Output {
    /// The dress that was asked for.
    pub fn new(json: bool, colours: Colours) -> Self {
        let terminal = io::stdout().is_terminal();
        Self { json, colour: colours.wanted(terminal), terminal }
    }

    /// Writes a line.
    #[expect(clippy::unused_self, reason = "whoever has somewhere to write says so, and today that is one place")]
    pub fn line(self, text: &str) -> Result<(), CliError> {
        let mut out = io::stdout().lock();
        writeln!(out, "{text}").and_then(|()| out.flush()).map_err(CliError::output)
    }

    /// Writes a remark for people beside the answer. Scripts do not see it on the standard output.
    pub fn remark(self, text: &str) {
        if !self.json {
            // A remark that cannot be written changes nothing.
            let _ = writeln!(io::stderr().lock(), "{text}");
        }
    }

    /// Writes one thing with everything that is known of it.
    pub fn thing(self, value: &Value) -> Result<(), CliError> {
        if self.json { self.line(&value.to_string()) } else { self.line(&self.details(value)) }
    }

    /// Writes rows: as a table, or as lines of JSON.
    pub fn rows(self, columns: &[Column], rows: &[Value]) -> Result<(), CliError> {
        if self.json {
            return rows.iter().try_for_each(|row| self.line(&row.to_string()));
        }
        if rows.is_empty() {
            self.remark("nothing to show");
            return Ok(());
        }
        self.line(&self.table(columns, rows))
    }

    /// Writes rows of bare values below their names: for people.
    pub fn grid(self, names: &[&str], rows: &[Value]) -> Result<(), CliError> {
        let mut table = self.blank();
        table.set_header(names.iter().map(|name| self.heading(&plain(name))).collect::<Vec<_>>());
        for row in rows {
            let cells = row.as_array().map_or(&[][..], Vec::as_slice);
            table.add_row(
                cells.iter().zip(names).map(|(value, name)| self.cell(name, text_of(value))).collect::<Vec<_>>(),
            );
        }
        self.line(&trimmed(&mut table))
    }

    /// A table.
    pub fn table(self, columns: &[Column], rows: &[Value]) -> String {
        let mut table = self.blank();
        table.set_header(columns.iter().map(|(title, _)| self.heading(title)).collect::<Vec<_>>());
        for row in rows {
            let cell = |(title, pointer): &Column| {
                let text = row.pointer(pointer).map_or_else(|| "-".to_owned(), text_of);
                self.cell(title, text)
            };
            table.add_row(columns.iter().map(cell).collect::<Vec<_>>());
        }
        trimmed(&mut table)
    }

    /// A thing: its simple fields one below the other, then its lists as tables.
    fn details(self, value: &Value) -> String {
        let Value::Object(fields) = value else { return text_of(value) };
        let (nested, simple): (Vec<_>, Vec<_>) = fields.iter().partition(|(_, value)| is_list_of_things(value));
        let mut table = self.blank();
        for (name, value) in &simple {
            // An object within a thing, such as the owner of a token, is told by its own fields.
            match value {
                Value::Object(inner) => {
                    for (inner_name, value) in inner {
                        table.add_row([
                            self.label(&format!("{name}.{inner_name}")),
                            self.cell(inner_name, text_of(value)),
                        ]);
                    }
                }
                value => {
                    table.add_row([self.label(name), self.cell(name, text_of(value))]);
                }
            }
        }
        let mut parts = Vec::new();
        if !simple.is_empty() {
            parts.push(trimmed(&mut table));
        }
        for (name, value) in nested {
            let rows = value.as_array().map_or(&[][..], Vec::as_slice);
            let names: Vec<&String> =
                rows.first().and_then(Value::as_object).map(Map::keys).into_iter().flatten().collect();
            let mut table = self.blank();
            table.set_header(names.iter().map(|name| self.heading(&name.to_uppercase())).collect::<Vec<_>>());
            for row in rows {
                let cell = |name: &&String| self.cell(name, row.get(*name).map_or_else(|| "-".to_owned(), text_of));
                table.add_row(names.iter().map(cell).collect::<Vec<_>>());
            }
            parts.push(format!("{name}:\n{}", trimmed(&mut table)));
        }
        parts.join("\n\n")
    }

    fn blank(self) -> Table {
        let mut table = Table::new();
        table.load_style(NOTHING);
        if self.terminal {
            table.set_content_arrangement(ContentArrangement::Dynamic);
        } else {
            table.force_no_tty();
        }
        if self.colour {
            table.enforce_styling();
        }
        table
    }

    fn heading(self, title: &str) -> Cell {
        let cell = Cell::new(title);
        if self.colour { cell.add_attribute(Attribute::Bold) } else { cell }
    }

    fn label(self, name: &str) -> Cell {
        let cell = Cell::new(plain(&name.replace('_', " ")));
        if self.colour { cell.add_attribute(Attribute::Dim) } else { cell }
    }

    fn cell(self, title: &str, text: String) -> Cell {
        let colour = colour_of(title, &text).filter(|_| self.colour);
        let cell = Cell::new(text);
        match colour {
            Some(colour) => cell.fg(colour),
            None => cell,
        }
    }
}

/// States and decisions have the colours of traffic lights.
fn colour_of(title: &str, text: &str) -> Option<Color> {
    if !["state", "decision", "reason", "allowed", "admission"].contains(&title.to_ascii_lowercase().as_str()) {
        return None;
    }
    match text {
        "active" | "allow" | "granted" | "yes" => Some(Color::Green),
        "revoked" | "deny" | "inactive" | "expired" | "rejected" | "no" => Some(Color::Red),
        "blocked" | "approval" | "requested" => Some(Color::Yellow),
        _ => None,
    }
}

fn is_list_of_things(value: &Value) -> bool {
    value.as_array().is_some_and(|list| list.iter().any(Value::is_object))
}

/// A table without the blanks at its lines' ends.
fn trimmed(table: &mut Table) -> String {
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// A value in a cell.
fn text_of(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) if text.is_empty() => "-".to_owned(),
        Value::String(text) => plain(&short_time(text)),
        Value::Array(list) if list.is_empty() => "-".to_owned(),
        Value::Array(list) => list.iter().map(text_of).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => {
            let short = ["role", "key", "name", "en", "id"].iter().find_map(|name| fields.get(*name)?.as_str());
            let show = |(name, value): (&String, &Value)| format!("{}: {}", plain(name), text_of(value));
            short.map_or_else(|| fields.iter().map(show).collect::<Vec<_>>().join("; "), plain)
        }
    }
}

/// A moment as people read it, to the second; anything else as it is.
fn short_time(text: &str) -> String {
    let looks_like = text.len() >= 20 && text.as_bytes()[10] == b'T' && text.ends_with('Z') && text.is_ascii();
    if looks_like && text.parse::<tegata_core::time::Timestamp>().is_ok() {
        format!("{} {}Z", &text[..10], &text[11..19])
    } else {
        text.to_owned()
    }
}

/// A text that does nothing to a terminal. Paths and programs in access records come from anybody, and with them escape
/// sequences that would rewrite the screen.
pub fn plain(text: &str) -> String {
    let harmful =
        |letter: char| letter.is_control() || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if !text.contains(harmful) {
        return text.to_owned();
    }
    text.chars()
        .flat_map(|letter| {
            let (escaped, itself) =
                if harmful(letter) { (Some(letter.escape_unicode()), None) } else { (None, Some(letter)) };
            escaped.into_iter().flatten().chain(itself)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const BARE: Output = Output { json: false, colour: false, terminal: false };

    #[test]
    fn tables_are_aligned_and_plain() {
        let rows = [
            json!({"key": "acme", "state": "active", "created_at": "2026-11-21T09:30:00.123456Z"}),
            json!({"key": "longer-key", "state": "revoked", "created_at": null}),
        ];
        let columns = [("KEY", "/key"), ("STATE", "/state"), ("CREATED", "/created_at"), ("OWNER", "/owner/name")];
        let table = BARE.table(&columns, &rows);
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[0].split_whitespace().collect::<Vec<_>>(), ["KEY", "STATE", "CREATED", "OWNER"]);
        assert_eq!(lines[1].split_whitespace().collect::<Vec<_>>(), ["acme", "active", "2026-11-21", "09:30:00Z", "-"]);
        assert_eq!(lines[1].find("active"), lines[2].find("revoked"));
        assert!(!table.contains('\u{1b}'));
        let coloured = Output { colour: true, ..BARE }.table(&columns, &rows);
        assert!(coloured.contains('\u{1b}'));
    }

    #[test]
    fn details_show_lists_as_tables() {
        let value =
            json!({"id": "tok_1", "owner": {"name": "Aoi"}, "scopes": ["a", "b"], "grants": [{"api": "github"}]});
        let text = BARE.details(&value);
        assert!(text.contains("owner.name") && text.contains("Aoi"));
        assert!(text.contains("a, b"));
        assert!(text.contains("grants:\n") && text.contains("API") && text.contains("github"));
    }

    #[test]
    fn nothing_from_outside_moves_the_cursor() {
        assert_eq!(plain("課題 read"), "課題 read");
        assert_eq!(plain("a\u{1b}[2Jb"), "a\\u{1b}[2Jb");
        assert!(!BARE.table(&[("PATH", "/path")], &[json!({"path": "/x\r\n\u{1b}]0;t\u{7}"})]).contains('\u{1b}'));
    }

    #[test]
    fn colours_follow_the_wish_first() {
        assert!(Colours::Always.wanted(false));
        assert!(!Colours::Never.wanted(true));
        assert!(!Colours::Auto.wanted(false));
    }
}

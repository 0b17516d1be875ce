//! The words of notices, in both languages. The texts are one JSON document in the form of i18next, which a console can read
//! as well: `{{name}}` for a value, `_one` and `_other` for a number. A line all of whose point is a value that is not there is
//! left out.

use super::{Language, NoticeKind};
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::LazyLock;

const TEXTS: &str = include_str!("texts.json");

/// Longest value that is put into a text, in characters; what is longer ends in `…`.
const VALUE_MAX_CHARS: usize = 300;

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Text {
    Line(String),
    Lines(Vec<String>),
}

type Catalogue = HashMap<String, HashMap<String, HashMap<String, Text>>>;

// The document is a part of the program; a test reads it.
static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| serde_json::from_str(TEXTS).unwrap_or_default());

/// A notice in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// One line.
    pub title: String,
    /// Lines of plain text.
    pub body: String,
}

/// Puts a notice into words.
pub fn words(kind: NoticeKind, data: &Value, language: Language) -> Words {
    let texts = CATALOGUE.get(language.tag()).and_then(|texts| texts.get(&kind.text_key(data)));
    let count = kind.counted().and_then(|field| data.get(field)).and_then(Value::as_u64);
    let one = |name: &str| {
        let texts = texts?;
        let form = if count == Some(1) { "one" } else { "other" };
        texts.get(&format!("{name}_{form}")).or_else(|| texts.get(name))
    };
    let lines = |name: &str| -> Vec<String> {
        match one(name) {
            None => Vec::new(),
            Some(Text::Line(line)) => filled(line, data).map(|(line, _)| line).into_iter().collect(),
            Some(Text::Lines(lines)) => {
                let said = lines.iter().filter_map(|line| filled(line, data));
                said.filter(|(_, says)| *says).map(|(line, _)| line).collect()
            }
        }
    };
    let title = lines("title").join(" ");
    Words { title: if title.is_empty() { kind.to_string() } else { title }, body: lines("body").join("\n") }
}

/// A line with its values, and whether it says something: not if the only value that it is about is not there. None of what is
/// no text.
fn filled(line: &str, data: &Value) -> Option<(String, bool)> {
    let (mut out, mut rest) = (String::with_capacity(line.len()), line);
    let mut values = (0, 0);
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, behind) = after.split_once("}}")?;
        out.push_str(before);
        let value = value_of(data.get(name));
        values = (values.0 + 1, values.1 + usize::from(value.is_none()));
        out.push_str(value.as_deref().unwrap_or("–"));
        rest = behind;
    }
    out.push_str(rest);
    Some((out, values != (1, 1)))
}

/// A value as one line of text: no name can begin a line of its own.
fn value_of(value: Option<&Value>) -> Option<String> {
    let text = match value? {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.as_i64() != Some(0) => number.to_string(),
        _ => return None,
    };
    let mut one_line =
        text.split(|sign: char| sign.is_control() || sign.is_whitespace()).filter(|part| !part.is_empty());
    let mut joined = String::new();
    for part in one_line.by_ref() {
        if !joined.is_empty() {
            joined.push(' ');
        }
        joined.push_str(part);
    }
    if joined.chars().count() > VALUE_MAX_CHARS {
        joined = joined.chars().take(VALUE_MAX_CHARS - 1).chain(['…']).collect();
    }
    (!joined.is_empty()).then_some(joined)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::collections::BTreeSet;

    fn placeholders(text: &Text) -> BTreeSet<String> {
        let lines = match text {
            Text::Line(line) => std::slice::from_ref(line),
            Text::Lines(lines) => lines,
        };
        let names = lines.iter().flat_map(|line| line.split("{{").skip(1));
        names.map(|rest| rest.split("}}").next().unwrap().to_owned()).collect()
    }

    #[test]
    fn every_kind_has_words_in_every_language_and_they_use_its_fields_only() {
        let parsed: Catalogue = serde_json::from_str(TEXTS).unwrap();
        let keys = |language: Language| parsed[language.tag()].keys().cloned().collect::<BTreeSet<_>>();
        assert_eq!(keys(Language::En), keys(Language::Ja));
        let mut used = BTreeSet::new();
        for kind in NoticeKind::ALL {
            let prefix = kind.as_str();
            let own: Vec<_> = keys(Language::En).into_iter().filter(|key| key.starts_with(prefix)).collect();
            assert!(!own.is_empty(), "{kind} has no words");
            assert_eq!(kind.as_str().parse(), Ok(*kind));
            for (language, key) in Language::ALL.iter().flat_map(|language| own.iter().map(move |key| (language, key)))
            {
                for (name, text) in &parsed[language.tag()][key] {
                    assert!(name.starts_with("title") || name.starts_with("body"), "{key} {name}");
                    for field in placeholders(text) {
                        assert!(kind.fields().contains(&field.as_str()), "{key} {name}: no field {field}");
                    }
                }
            }
            used.extend(own);
        }
        assert_eq!(used, keys(Language::En));
        // Every variant that a kind asks for is there.
        for data in [
            json!({}),
            json!({"action": "revoked", "reason": "receiver_gone", "granted": 1, "lines": 1, "days": 1}),
            json!({"granted": 1, "rejected": 1, "lines": 2, "days": 7}),
        ] {
            for (kind, language) in NoticeKind::ALL.iter().flat_map(|kind| Language::ALL.iter().map(move |l| (kind, l)))
            {
                assert_ne!(words(*kind, &data, *language).title, kind.as_str(), "{kind} {data}");
            }
        }
    }

    #[test]
    fn numbers_choose_the_form_and_lines_without_their_value_are_left_out() {
        let mut data =
            json!({"requester": "Ann", "organization": "Acme", "credential": "CI", "lines": 1, "reason": ""});
        let said = words(NoticeKind::RequestFiled, &data, Language::En);
        assert_eq!(said.title, "Ann asks for permissions in Acme");
        assert_eq!(said.body, "Ann asks for 1 permission for “CI” in Acme.");
        (data["lines"], data["reason"]) = (json!(3), json!("deploys"));
        let said = words(NoticeKind::RequestFiled, &data, Language::En);
        assert_eq!(said.body, "Ann asks for 3 permissions for “CI” in Acme.\nReason: deploys");
        let said = words(NoticeKind::RequestFiled, &data, Language::Ja);
        assert_eq!(said.body, "AnnさんがAcmeで「CI」への権限3件を申請しました。\n理由: deploys");
    }

    proptest::proptest! {
        #[test]
        fn a_name_is_never_more_than_a_part_of_a_line(name in "\\PC{0,400}|[\\r\\n\\t{}a]{0,60}") {
            for language in Language::ALL {
                let plain = words(NoticeKind::MembershipDeactivated, &json!({"organization": "x", "by": "x"}), *language);
                let said = words(NoticeKind::MembershipDeactivated, &json!({"organization": name, "by": name}), *language);
                proptest::prop_assert!(!said.title.contains(['\r', '\n']));
                proptest::prop_assert!(said.title.is_empty() || said.body.lines().count() <= plain.body.lines().count());
            }
        }
    }
}

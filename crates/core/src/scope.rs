//! Scopes: a permission in a context, as text (DESIGN §1).
//!
//! ```text
//! scope      = "**" / [ context ":" ] permission          ; no context means global
//! context    = "global" / type ":" id / type ":id:" id / type ":key:" key
//! permission = 1*( ALPHA / DIGIT / "." / "_" / "-" / ":" )  ; does not begin with a declared type and ":"
//! ```
//!
//! Which words are context types is not fixed: catalogues declare them. Parsing therefore asks, and a text such as
//! `read:post` is a permission as long as nobody declared a type `read`.

use crate::name::{self, NameError};
use std::fmt;

/// Longest scope that is read, in bytes; longer text is refused before it is looked at.
pub const SCOPE_MAX_BYTES: usize = 1024;
/// Most scopes in one list.
pub const LIST_MAX: usize = 1000;

/// A place as a scope or a call names it; resolving it to a registered context is somebody else's work.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Place {
    /// The organization itself.
    Global,
    /// A context by its id: ours (`ctx_…`), or the one by which the API knows it.
    Id {
        /// The context type.
        kind: String,
        /// The id, decoded.
        id: String,
    },
    /// A context by the key that people use.
    Key {
        /// The context type.
        kind: String,
        /// The key, decoded.
        key: String,
    },
}

/// One scope.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Scope {
    /// `**`: every permission that could be given to the grantee at the moment of granting.
    Everything,
    /// One permission in one place.
    Permission {
        /// Where it holds, and in everything below.
        place: Place,
        /// The permission's name.
        permission: String,
    },
}

/// Why a text is not a scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// Nothing was written, or far too much.
    #[error("a scope has 1 to {SCOPE_MAX_BYTES} bytes")]
    Length,
    /// More scopes than one credential may carry.
    #[error("a list holds at most {LIST_MAX} scopes")]
    TooMany,
    /// A context without a permission behind it.
    #[error("a permission is missing after the context: write {kind}:key:<key>:<permission>")]
    NoPermission {
        /// The context type that was read.
        kind: String,
    },
    /// The id or key is empty, reserved or not well encoded.
    #[error("the context's {part} is not valid: {why}")]
    BadPlace {
        /// `id` or `key`.
        part: &'static str,
        /// The rule that was broken.
        why: &'static str,
    },
    /// The permission's name breaks its rule.
    #[error("{0}")]
    BadPermission(#[from] NameError),
}

impl Scope {
    /// Reads one scope. `is_type` says whether a word is a context type.
    pub fn parse(text: &str, is_type: &dyn Fn(&str) -> bool) -> Result<Self, ScopeError> {
        if text.is_empty() || text.len() > SCOPE_MAX_BYTES {
            return Err(ScopeError::Length);
        }
        if text == "**" {
            return Ok(Self::Everything);
        }
        let (place, permission) = match text.split_once(':') {
            Some(("global", rest)) => (Place::Global, rest),
            Some((kind, rest)) if is_type(kind) => {
                let (place, rest) = read_place(kind, rest)?;
                (place, rest.ok_or_else(|| ScopeError::NoPermission { kind: kind.to_owned() })?)
            }
            _ => (Place::Global, text),
        };
        name::check_permission(permission)?;
        if let Some((word, _)) = permission.split_once(':')
            && (word == "global" || is_type(word))
        {
            return Err(NameError("a permission's name does not begin with a context type and ':'").into());
        }
        Ok(Self::Permission { place, permission: permission.to_owned() })
    }

    /// Reads a list separated by spaces, as in OAuth (RFC 6749 §3.3).
    pub fn parse_list(text: &str, is_type: &dyn Fn(&str) -> bool) -> Result<Vec<Self>, ScopeError> {
        let words: Vec<_> = text.split(' ').filter(|word| !word.is_empty()).take(LIST_MAX + 1).collect();
        if words.len() > LIST_MAX {
            return Err(ScopeError::TooMany);
        }
        words.into_iter().map(|word| Self::parse(word, is_type)).collect()
    }
}

impl Place {
    /// Reads a place on its own: `global`, `project:42`, `project:id:42`, `project:key:MY-APP`.
    pub fn parse(text: &str, is_type: &dyn Fn(&str) -> bool) -> Result<Self, ScopeError> {
        if text.is_empty() || text.len() > SCOPE_MAX_BYTES {
            return Err(ScopeError::Length);
        }
        if text == "global" {
            return Ok(Self::Global);
        }
        match text.split_once(':') {
            Some((kind, rest)) if is_type(kind) => match read_place(kind, rest)? {
                (place, None) => Ok(place),
                _ => Err(ScopeError::BadPlace { part: "context", why: "nothing may follow the id or key" }),
            },
            _ => Err(ScopeError::BadPlace {
                part: "context",
                why: "write global, <type>:<id>, <type>:id:<id> or <type>:key:<key> with a declared type",
            }),
        }
    }

    /// The context type; none for the organization itself.
    pub fn kind(&self) -> Option<&str> {
        match self {
            Self::Global => None,
            Self::Id { kind, .. } | Self::Key { kind, .. } => Some(kind),
        }
    }
}

/// Reads what stands behind `type:`, and what follows it.
fn read_place<'a>(kind: &str, rest: &'a str) -> Result<(Place, Option<&'a str>), ScopeError> {
    let (first, after) = cut(rest);
    let (part, raw, after) = match (first, after) {
        ("id", Some(rest)) => {
            let (raw, after) = cut(rest);
            ("id", raw, after)
        }
        ("key", Some(rest)) => {
            let (raw, after) = cut(rest);
            ("key", raw, after)
        }
        ("id" | "key", None) => {
            return Err(ScopeError::BadPlace { part: "id", why: "'id' and 'key' cannot be ids" });
        }
        (raw, after) => ("id", raw, after),
    };
    let value = decode(raw).ok_or(ScopeError::BadPlace {
        part,
        why: "write ':', '%', space, quote and backslash as %3A, %25, %20, %22 and %5C",
    })?;
    if part == "id" && (value == "id" || value == "key") {
        return Err(ScopeError::BadPlace { part, why: "'id' and 'key' cannot be ids" });
    }
    name::check_context_key(&value).map_err(|error| ScopeError::BadPlace { part, why: error.0 })?;
    let kind = kind.to_owned();
    let place = if part == "id" { Place::Id { kind, id: value } } else { Place::Key { kind, key: value } };
    Ok((place, after))
}

fn cut(text: &str) -> (&str, Option<&str>) {
    match text.split_once(':') {
        Some((first, rest)) => (first, Some(rest)),
        None => (text, None),
    }
}

const ENCODED: &[char] = &[':', '%', ' ', '"', '\\'];

/// Percent-decodes; what had to be encoded and was not is refused, so that a scope has one spelling.
fn decode(raw: &str) -> Option<String> {
    if raw.contains(&ENCODED[2..]) {
        return None;
    }
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        if byte != b'%' {
            bytes.push(byte);
            rest = after;
            continue;
        }
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok())?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &after[2..];
    }
    String::from_utf8(bytes).ok()
}

/// Between a context type and an id.
pub(crate) const BY_ID: &str = ":id:";
/// Between a context type and a key.
pub(crate) const BY_KEY: &str = ":key:";

/// Whether a key or id stands in a scope as it is. Most do, which is seen without a branch for each byte.
pub(crate) fn is_plain(text: &str) -> bool {
    !text.bytes().fold(false, |found, byte| found | matches!(byte, b':' | b'%' | b' ' | b'"' | b'\\'))
}

/// A key or id as it stands in a scope: with `:`, `%`, space, quote and backslash percent-encoded.
struct Encoded<'a>(&'a str);

impl fmt::Display for Encoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        if is_plain(rest) {
            return f.write_str(rest);
        }
        while let Some((before, letter)) = rest.find(ENCODED).and_then(|at| Some((at, rest[at..].chars().next()?))) {
            write!(f, "{}%{:02X}", &rest[..before], letter as u32)?;
            rest = &rest[before + letter.len_utf8()..];
        }
        f.write_str(rest)
    }
}

/// Writes a place by its id as scopes name it.
pub(crate) fn write_id(f: &mut fmt::Formatter<'_>, kind: &str, id: &str) -> fmt::Result {
    f.write_str(kind)?;
    f.write_str(BY_ID)?;
    fmt::Display::fmt(&Encoded(id), f)
}

/// Writes a place by its key as scopes name it.
pub(crate) fn write_key(f: &mut fmt::Formatter<'_>, kind: &str, key: &str) -> fmt::Result {
    f.write_str(kind)?;
    f.write_str(BY_KEY)?;
    fmt::Display::fmt(&Encoded(key), f)
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Global => f.write_str("global"),
            Self::Id { kind, id } => write_id(f, kind, id),
            Self::Key { kind, key } => write_key(f, kind, key),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everything => f.write_str("**"),
            Self::Permission { place: Place::Global, permission } => write!(f, "global:{permission}"),
            Self::Permission { place, permission } => write!(f, "{place}:{permission}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn is_type(word: &str) -> bool {
        matches!(word, "project" | "channel" | "repository")
    }

    fn scope(place: Place, permission: &str) -> Scope {
        Scope::Permission { place, permission: permission.to_owned() }
    }

    fn key(kind: &str, key: &str) -> Place {
        Place::Key { kind: kind.into(), key: key.into() }
    }

    #[test]
    fn reads_the_forms_of_the_seed_documents() {
        let cases = [
            ("read:post", scope(Place::Global, "read:post")),
            ("global:Project.Issues.Create", scope(Place::Global, "Project.Issues.Create")),
            ("project:key:MY-APP:Project.Issues.Create", scope(key("project", "MY-APP"), "Project.Issues.Create")),
            (
                "project:42P9E54DAkJW:Project.Issues.Create",
                scope(Place::Id { kind: "project".into(), id: "42P9E54DAkJW".into() }, "Project.Issues.Create"),
            ),
            (
                "channel:id:42P9:Channel.ViewMessages",
                scope(Place::Id { kind: "channel".into(), id: "42P9".into() }, "Channel.ViewMessages"),
            ),
            ("repository:key:octo/hello:issues:read", scope(key("repository", "octo/hello"), "issues:read")),
            ("**", Scope::Everything),
        ];
        for (text, expected) in cases {
            assert_eq!(Scope::parse(text, &is_type), Ok(expected), "{text}");
        }
    }

    #[test]
    fn refuses_what_could_be_read_two_ways() {
        for text in [
            "",
            "project:key:MY-APP",
            "project:id",
            "project:key",
            "project:id:key:Project.View",
            "project::Project.View",
            "project:key::Project.View",
            "project:key:a b:Project.View",
            "project:key:a%2:Project.View",
            "project:key:%FF:Project.View",
            "global:project:key:X:Project.View",
            "global:",
            "read post",
            "***",
        ] {
            assert!(Scope::parse(text, &is_type).is_err(), "{text}");
        }
    }

    #[test]
    fn lists_are_separated_by_spaces() {
        let list = Scope::parse_list("read:post  write:post", &is_type).unwrap();
        assert_eq!(list.len(), 2);
        let many = "read:post ".repeat(LIST_MAX + 1);
        assert_eq!(Scope::parse_list(&many, &is_type), Err(ScopeError::TooMany));
    }

    fn place() -> impl Strategy<Value = Place> {
        let kind = prop_oneof![Just("project"), Just("channel"), Just("repository")];
        let text = "[\\PC&&[^ ]]([\\PC]{0,20}[\\PC&&[^ ]])?"
            .prop_filter("a valid key", |text| name::check_context_key(text).is_ok() && text != "id" && text != "key");
        prop_oneof![
            Just(Place::Global),
            (kind.clone(), text.clone()).prop_map(|(kind, id)| Place::Id { kind: kind.into(), id }),
            (kind, text).prop_map(|(kind, key)| Place::Key { kind: kind.into(), key }),
        ]
    }

    proptest! {
        #[test]
        fn reads_what_it_prints(place in place(), permission in "[A-Za-z][A-Za-z0-9._-]{0,10}(:[a-z]{1,5})?") {
            prop_assume!(!is_type(permission.split(':').next().unwrap_or_default()) || !permission.contains(':'));
            prop_assume!(!permission.starts_with("global:"));
            let scope = scope(place, &permission);
            prop_assert_eq!(Scope::parse(&scope.to_string(), &is_type), Ok(scope));
        }

        #[test]
        fn a_place_reads_back(place in place()) {
            prop_assert_eq!(Place::parse(&place.to_string(), &is_type), Ok(place));
        }

        #[test]
        fn hostile_text_never_panics(text in "\\PC{0,60}") {
            if let Ok(scope) = Scope::parse(&text, &is_type) {
                prop_assert_eq!(Scope::parse(&scope.to_string(), &is_type), Ok(scope));
            }
        }

        #[test]
        fn hostile_words_of_the_grammar_never_panic(
            words in proptest::collection::vec(prop_oneof![
                Just("project"), Just("key"), Just("id"), Just("global"), Just("%"), Just("%3A"), Just("a"), Just("**"), Just(" "),
            ], 0..8)
        ) {
            let text = words.join(":");
            if let Ok(scope) = Scope::parse(&text, &is_type) {
                prop_assert_eq!(Scope::parse(&scope.to_string(), &is_type), Ok(scope));
            }
        }
    }
}

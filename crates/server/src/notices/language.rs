//! Languages that people are spoken to in.

use serde::{Deserialize, Serialize};
use std::str::FromStr;
use utoipa::ToSchema;

/// A language.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Japanese.
    Ja,
}

/// A language that nobody translated into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("ask for `en` or `ja`")]
pub struct UnknownLanguage;

impl Language {
    /// Every language.
    pub const ALL: &[Self] = &[Self::En, Self::Ja];

    /// Its tag (RFC 5646).
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ja => "ja",
        }
    }

    /// The one that an `Accept-Language` header (RFC 9110 §12.5.4) likes best of those there are.
    pub fn accepted(header: &str) -> Option<Self> {
        let mut best: Option<(u32, Self)> = None;
        for range in header.split(',').take(20) {
            let (tag, rest) = range.split_once(';').unwrap_or((range, ""));
            let quality = match rest.trim().strip_prefix("q=") {
                None if rest.trim().is_empty() => 1_000,
                None => continue,
                Some(text) => thousandths(text.trim()),
            };
            if let Ok(language) = tag.trim().parse()
                && quality > 0
                && best.is_none_or(|(known, _)| quality > known)
            {
                best = Some((quality, language));
            }
        }
        best.map(|(_, language)| language)
    }
}

/// A quality of `0`, `0.7` or `1` in thousandths; what is none counts as nothing.
fn thousandths(text: &str) -> u32 {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = part.bytes().chain(std::iter::repeat(b'0')).take(3);
    match whole {
        "1" => 1_000,
        "0" => digits.fold(0, |sum, digit| sum * 10 + u32::from(digit.saturating_sub(b'0').min(9))),
        _ => 0,
    }
}

impl FromStr for Language {
    type Err = UnknownLanguage;

    /// Reads a tag; what follows the language in it does not matter.
    fn from_str(text: &str) -> Result<Self, UnknownLanguage> {
        let primary = text.split(['-', '_']).next().unwrap_or_default();
        Self::ALL.iter().find(|language| language.tag().eq_ignore_ascii_case(primary)).copied().ok_or(UnknownLanguage)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_of_what_is_accepted_is_taken() {
        for (header, expected) in [
            ("ja", Some(Language::Ja)),
            ("ja-JP,ja;q=0.9,en-US;q=0.8", Some(Language::Ja)),
            ("de, en;q=0.5, ja;q=0.7", Some(Language::Ja)),
            ("en-GB, ja;q=1", Some(Language::En)),
            ("fr;q=1.0", None),
            ("ja;q=0, EN;q=0.001", Some(Language::En)),
            ("", None),
        ] {
            assert_eq!(Language::accepted(header), expected, "{header}");
        }
    }

    proptest::proptest! {
        #[test]
        fn hostile_headers_never_panic(header in "\\PC{0,80}|(ja|en|;|q|=|[0-9.,]){0,30}") {
            let _ = Language::accepted(&header);
        }
    }
}

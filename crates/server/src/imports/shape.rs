//! The shape of keys whose visible beginning says whose they are: `acme_live_8d7f.secret`, or the first twelve characters.

use super::row::RowError;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Longest prefix or separator, in bytes.
const PART_MAX_BYTES: usize = 40;
/// Longest visible beginning, in bytes.
const IDENTIFIER_MAX_BYTES: usize = 200;
/// What tells keys apart and is shorter than this is weak, in characters.
const TELLING_CHARS: usize = 4;

/// Where the visible beginning of a key ends: before a separator, or after so many characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CredentialImportShape)]
pub struct Shape {
    /// What every key begins with; may be empty. The separator is looked for behind it.
    #[serde(default)]
    pub prefix: String,
    /// What stands between the visible beginning and the rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub separator: Option<String>,
    /// How many bytes the visible beginning has, the prefix included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 200)]
    pub length: Option<usize>,
}

impl Shape {
    /// Why it is none.
    pub fn check(&self) -> Result<(), &'static str> {
        let bounded = |text: &str| text.len() <= PART_MAX_BYTES && !text.chars().any(char::is_control);
        match (&self.separator, self.length) {
            (Some(separator), None) if !separator.is_empty() && bounded(separator) && bounded(&self.prefix) => Ok(()),
            (None, Some(length))
                if length > self.prefix.len() && length <= IDENTIFIER_MAX_BYTES && bounded(&self.prefix) =>
            {
                Ok(())
            }
            _ => Err(
                "name a separator or a length, one of them: at most 40 bytes, or 1 to 200 and more than the prefix has",
            ),
        }
    }

    /// The visible beginning of a key and the rest; none where it has another shape.
    pub fn split<'k>(&self, key: &'k str) -> Option<(&'k str, &'k str)> {
        let rest = key.strip_prefix(&self.prefix)?;
        let (identifier, secret) = match (&self.separator, self.length) {
            (Some(separator), _) => {
                let at = self.prefix.len() + rest.find(separator.as_str())?;
                (key.get(..at)?, key.get(at + separator.len()..)?)
            }
            (None, Some(length)) => (key.get(..length)?, key.get(length..)?),
            (None, None) => return None,
        };
        let tells = identifier.len() > self.prefix.len() && identifier.len() <= IDENTIFIER_MAX_BYTES;
        (tells && !secret.is_empty()).then_some((identifier, secret))
    }

    /// Whether a row's identifier can be the beginning of a key of this shape.
    pub fn check_identifier(&self, identifier: &str) -> Result<(), RowError> {
        let wrong = |message: String| Err(RowError::new("identifier", message));
        let Some(rest) = identifier.strip_prefix(&self.prefix).filter(|rest| !rest.is_empty()) else {
            return wrong(format!("it begins with the prefix of the shape, `{}`, and goes on behind it", self.prefix));
        };
        match (&self.separator, self.length) {
            (Some(separator), _) if rest.contains(separator.as_str()) => wrong(format!(
                "it ends before the first `{separator}` behind the prefix: two keys could not be told apart"
            )),
            (_, Some(length)) if identifier.len() != length => {
                wrong(format!("the shape says {length} bytes, and this has {}", identifier.len()))
            }
            _ if identifier.len() > IDENTIFIER_MAX_BYTES => wrong("it has at most 200 bytes".to_owned()),
            _ => Ok(()),
        }
    }

    /// Whether so little of an identifier tells keys apart that it can be guessed.
    pub fn is_short(&self, identifier: &str) -> bool {
        identifier.strip_prefix(&self.prefix).unwrap_or(identifier).chars().count() < TELLING_CHARS
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn separated(prefix: &str, separator: &str) -> Shape {
        Shape { prefix: prefix.to_owned(), separator: Some(separator.to_owned()), length: None }
    }

    fn long(prefix: &str, length: usize) -> Shape {
        Shape { prefix: prefix.to_owned(), separator: None, length: Some(length) }
    }

    #[test]
    fn a_key_is_split_where_its_shape_says() {
        let shape = separated("sk_live_", "_");
        assert_eq!(shape.split("sk_live_8d7f_se_cret"), Some(("sk_live_8d7f", "se_cret")));
        for key in ["sk_live_8d7f", "sk_live__x", "sk_test_8d7f_x", "sk_live_8d7f_", ""] {
            assert_eq!(shape.split(key), None, "{key}");
        }
        assert_eq!(long("", 4).split("8d7fsecret"), Some(("8d7f", "secret")));
        assert_eq!(long("", 4).split("8d7f"), None);
        assert_eq!(long("", 2).split("é!").map(|(one, _)| one), Some("é"));
        assert_eq!(long("", 1).split("é!"), None, "never within a character");
    }

    #[test]
    fn only_one_of_separator_and_length() {
        assert!(separated("", ".").check().is_ok() && long("sk_", 8).check().is_ok());
        let both = Shape { length: Some(4), ..separated("", ".") };
        for shape in
            [both, separated("", ""), long("sk_", 3), long("", 201), Shape { separator: None, ..separated("", ".") }]
        {
            assert!(shape.check().is_err(), "{shape:?}");
        }
    }

    proptest! {
        /// What a row may say is what a shown key leads to.
        #[test]
        fn an_identifier_that_is_taken_is_found_again(
            prefix in "[a-z_]{0,4}", rest in "[a-z_.]{1,8}", secret in "[a-zA-Z_.]{1,12}", separator in "[_.]", by_length: bool,
        ) {
            let identifier = format!("{prefix}{rest}");
            let shape = if by_length { long(&prefix, identifier.len()) } else { separated(&prefix, &separator) };
            if shape.check_identifier(&identifier).is_ok() {
                let key = if by_length { format!("{identifier}{secret}") } else { format!("{identifier}{separator}{secret}") };
                prop_assert_eq!(shape.split(&key), Some((identifier.as_str(), secret.as_str())));
            }
        }

        #[test]
        fn hostile_keys_never_panic(key in "\\PC{0,60}", prefix in "\\PC{0,4}", separator in "\\PC{1,3}", length in 0_usize..80) {
            let _ = separated(&prefix, &separator).split(&key);
            let _ = long(&prefix, length).split(&key);
            let _ = long(&prefix, length).check_identifier(&key);
        }
    }
}

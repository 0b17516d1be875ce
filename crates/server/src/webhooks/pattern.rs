//! Which events a webhook wants: types of events, where `*` stands for any letters.

use tegata_core::operations::OPERATIONS;

/// Most patterns of a webhook.
pub const PATTERNS_MAX: usize = 50;
/// Longest pattern, in bytes.
pub const PATTERN_MAX_BYTES: usize = 60;

/// Types of events that are no operations: what happens by itself, and maintenance.
pub const OTHER_EVENTS: &[&str] = &[
    crate::notices::expiry::EVENT,
    "request.expire",
    crate::ops::successions::OPENED,
    crate::ops::successions::DUE,
    crate::ops::successions::LAPSED,
    "maintenance.restore",
    "maintenance.open",
    "maintenance.key.rotate",
    "maintenance.key.retire",
    "maintenance.password",
];

/// Why a text is no pattern, as a sentence to put behind a field's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PatternError(&'static str);

/// The types of events there are: every operation that changes something, and what happens by itself.
pub fn event_types() -> impl Iterator<Item = &'static str> {
    OPERATIONS
        .iter()
        .filter(|operation| operation.changes)
        .map(|operation| operation.id)
        .chain(OTHER_EVENTS.iter().copied())
}

/// Whether a text is a pattern that any event could have.
pub fn check(pattern: &str) -> Result<(), PatternError> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._*".contains(&byte);
    if pattern.is_empty() || pattern.len() > PATTERN_MAX_BYTES || !pattern.bytes().all(fits) {
        return Err(PatternError(
            "a pattern is the type of an event, such as `org.token.revoke`, or has `*` for any letters, such as `token.*`",
        ));
    }
    if event_types().any(|event| matches(pattern, event)) {
        Ok(())
    } else {
        Err(PatternError("no event has such a type; types are the names of operations, such as `org.token.revoke`"))
    }
}

/// Whether an event's type fits a pattern.
pub fn matches(pattern: &str, event: &str) -> bool {
    let (pattern, event) = (pattern.as_bytes(), event.as_bytes());
    let (mut at, mut seen) = (0, 0);
    // The last `*`, and up to where it reaches.
    let mut star: Option<(usize, usize)> = None;
    while let Some(byte) = event.get(seen) {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, seen));
                at += 1;
            }
            Some(wanted) if wanted == byte => {
                at += 1;
                seen += 1;
            }
            _ => {
                let Some((place, reach)) = star else { return false };
                star = Some((place, reach + 1));
                (at, seen) = (place + 1, reach + 1);
            }
        }
    }
    pattern.iter().skip(at).all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_types_or_have_stars() {
        for (pattern, event, expected) in [
            ("*", "org.token.revoke", true),
            ("org.token.revoke", "org.token.revoke", true),
            ("token.*", "token.revoke", true),
            ("token.*", "org.token.revoke", false),
            ("*.revoke", "org.token.revoke", true),
            ("*token*", "org.token.revoke", true),
            ("org.*.revoke", "org.token.block", false),
            ("token", "token.revoke", false),
        ] {
            assert_eq!(matches(pattern, event), expected, "{pattern} {event}");
        }
        for pattern in ["*", "member.*", "*.revoke", "policy.set", "maintenance.*"] {
            assert_eq!(check(pattern), Ok(()), "{pattern}");
        }
        for pattern in ["", "Token.*", "pigeon.*", "token.list", "a b", &"*".repeat(61)] {
            assert!(check(pattern).is_err(), "{pattern}");
        }
    }

    /// The same, as slow as it is plain.
    fn slowly(pattern: &[u8], event: &[u8]) -> bool {
        match (pattern.first(), event.first()) {
            (None, None) => true,
            (Some(b'*'), _) => slowly(&pattern[1..], event) || (!event.is_empty() && slowly(pattern, &event[1..])),
            (Some(wanted), Some(byte)) if wanted == byte => slowly(&pattern[1..], &event[1..]),
            _ => false,
        }
    }

    proptest::proptest! {
        #[test]
        fn stars_stand_for_anything(pattern in "[ab*]{0,8}", event in "[ab]{0,10}") {
            proptest::prop_assert_eq!(matches(&pattern, &event), slowly(pattern.as_bytes(), event.as_bytes()));
        }

        #[test]
        fn hostile_patterns_never_panic(pattern in "\\PC{0,70}") {
            let _ = check(&pattern);
        }
    }
}

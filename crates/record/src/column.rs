//! The text columns of a record: one table of their names, their order on disk, and the most that each of them keeps.
//!
//! Whatever comes from outside is bounded here, and a path loses its query here, so that no caller can forget it.
//! Columns are stored by position: append new ones at the end, together with a new version of the codec.

/// A text column. The order is the order on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    Organization,
    Credential,
    Principal,
    Api,
    Permission,
    ContextId,
    Level,
    Reason,
    Kind,
    ActedFor,
    Method,
    Endpoint,
    Path,
    Address,
    UserAgent,
    RequestId,
}

/// How many text columns there are.
pub(crate) const COUNT: usize = Column::RequestId as usize + 1;

impl Column {
    /// All of them, in the order on disk.
    pub(crate) const ALL: [Self; COUNT] = [
        Self::Organization,
        Self::Credential,
        Self::Principal,
        Self::Api,
        Self::Permission,
        Self::ContextId,
        Self::Level,
        Self::Reason,
        Self::Kind,
        Self::ActedFor,
        Self::Method,
        Self::Endpoint,
        Self::Path,
        Self::Address,
        Self::UserAgent,
        Self::RequestId,
    ];

    /// The name that the column has everywhere: in the API, in exports, in files and in SQL.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Organization => "organization",
            Self::Credential => "credential",
            Self::Principal => "principal",
            Self::Api => "api",
            Self::Permission => "permission",
            Self::ContextId => "context_id",
            Self::Level => "level",
            Self::Reason => "reason",
            Self::Kind => "kind",
            Self::ActedFor => "acted_for",
            Self::Method => "method",
            Self::Endpoint => "endpoint",
            Self::Path => "path",
            Self::Address => "address",
            Self::UserAgent => "user_agent",
            Self::RequestId => "request_id",
        }
    }

    /// The most bytes that the column keeps.
    pub(crate) const fn bytes_max(self) -> usize {
        match self {
            Self::Path => 2_048,
            Self::Endpoint => 1_024,
            Self::Permission | Self::ContextId | Self::UserAgent => 256,
            Self::Organization | Self::Credential | Self::Principal | Self::ActedFor | Self::Api | Self::RequestId => {
                128
            }
            Self::Reason | Self::Address => 64,
            Self::Kind | Self::Method => 32,
            Self::Level => 16,
        }
    }

    /// What the column keeps of `text`: a path ends before its query or fragment, and everything has a limit.
    #[inline]
    pub(crate) fn keep(self, text: &str) -> &str {
        let text = match self {
            Self::Path => without_query(text),
            _ => text,
        };
        // Nearly everything is short enough.
        if text.len() <= self.bytes_max() { text } else { &text[..text.floor_char_boundary(self.bytes_max())] }
    }

    /// The sum of all limits.
    pub(crate) const fn bytes_max_total() -> usize {
        let (mut total, mut at) = (0, 0);
        while at < COUNT {
            total += Self::ALL[at].bytes_max();
            at += 1;
        }
        total
    }
}

/// A path up to its query or fragment. Most have none, which is seen without a branch for each byte.
fn without_query(path: &str) -> &str {
    let is_end = |byte: &u8| matches!(byte, b'?' | b'#');
    if !path.as_bytes().iter().fold(false, |found, byte| found | is_end(byte)) {
        return path;
    }
    path.split(['?', '#']).next().unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn positions_are_the_order_of_the_table() {
        for (position, column) in Column::ALL.into_iter().enumerate() {
            assert_eq!(column as usize, position);
        }
    }

    #[test]
    fn names_are_those_of_exports() {
        for column in Column::ALL {
            assert!(crate::export::COLUMNS.contains(&column.name()), "{}", column.name());
        }
    }

    #[test]
    fn paths_lose_query_and_fragment() {
        assert_eq!(Column::Path.keep("/a/b?token=secret"), "/a/b");
        assert_eq!(Column::Path.keep("/a/b#here?x"), "/a/b");
        assert_eq!(Column::Path.keep("?x"), "");
        assert_eq!(Column::UserAgent.keep("what?"), "what?");
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let text = "é".repeat(2_000);
        assert_eq!(Column::Path.keep(&text).len(), 2_048);
        assert_eq!(Column::UserAgent.keep(&format!("x{text}")).len(), 255);
        assert_eq!(Column::RequestId.keep(&"x".repeat(129)).len(), 128);
    }

    proptest! {
        #[test]
        fn keeps_a_beginning_within_the_limit(text: String, position in 0..COUNT) {
            let column = Column::ALL[position];
            let kept = column.keep(&text);
            prop_assert!(text.starts_with(kept) && kept.len() <= column.bytes_max());
        }
    }
}

//! What opening a journal found: for logs and for people.

use std::fmt;
use std::path::PathBuf;

/// The report of an opening. A journal that was closed or killed in good order has no findings, or a torn tail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// Whether the journal was made just now.
    pub created: bool,
    /// Segments read.
    pub segments: usize,
    /// Sound records.
    pub records: u64,
    /// The sequence of the newest record; 0 if there never was one.
    pub last_sequence: u64,
    /// All that was not as it should be.
    pub findings: Vec<Finding>,
}

/// Something that was not as it should be, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The file.
    pub file: PathBuf,
    /// Where in the file it begins.
    pub offset: u64,
    /// How many bytes it concerns.
    pub bytes: u64,
    /// What it is.
    pub kind: FindingKind,
}

/// What was not as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FindingKind {
    /// The newest segment ended in an unfinished write. It was cut off; nothing that was answered for is lost unless
    /// the machine lost its power.
    TornTail,
    /// A checksum does not hold. The bytes are passed over and left where they are.
    BadFrame,
    /// A checksum holds, but the content cannot be read. Passed over and left where it is.
    Unreadable,
    /// The header of a segment is damaged or belongs to another file. Its records were read nevertheless.
    BadHeader,
    /// A record whose sequence had already passed. Passed over.
    OutOfOrder,
    /// Written, but never answered for: the write failed, and so did taking it back. Passed over.
    Unanswered,
    /// Sequences are missing before this place, with nothing to show for it.
    Gap {
        /// The first that is missing.
        first: u64,
        /// The last that is missing.
        last: u64,
    },
    /// `journal.json` was missing or damaged, and was made again.
    MetaRestored,
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} at byte {} ({} bytes): {}", self.file.display(), self.offset, self.bytes, self.kind)
    }
}

impl fmt::Display for FindingKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TornTail => out.write_str("an unfinished write was cut off"),
            Self::BadFrame => out.write_str("a checksum does not hold; passed over"),
            Self::Unreadable => out.write_str("a record cannot be read; passed over"),
            Self::BadHeader => out.write_str("the header is damaged; the records after it were kept"),
            Self::OutOfOrder => out.write_str("a record is out of order; passed over"),
            Self::Unanswered => out.write_str("the rest of a failed write; passed over"),
            Self::Gap { first, last } => write!(out, "the records {first} to {last} are missing before this place"),
            Self::MetaRestored => out.write_str("was missing or damaged, and was made again"),
        }
    }
}

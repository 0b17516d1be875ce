//! What a verifier finds, and where.

use crate::proof::names::{Day, TreeName};
use std::fmt;
use std::path::PathBuf;

/// How records differ from those that were signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// This many are missing, if none was added.
    Missing(u64),
    /// There are this many more than were signed, if none is missing.
    Added(u64),
    /// As many as were signed, but not the same: at least one was altered, or exchanged for another.
    Altered,
}

/// Why a note is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadNote {
    /// Not a signed note, or what is signed is no checkpoint.
    Malformed,
    /// Signed by another key.
    OtherKey,
    /// Its text was changed after it was signed.
    BadSignature,
    /// A true checkpoint, but of another log, tree or kind than its file.
    Elsewhere,
    /// Its leaves are of a version that this program does not know.
    OtherVersion,
}

/// Something that does not fit what was signed. Sequences are those of the node's journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// Records are not those that were signed.
    Records {
        /// The tree.
        tree: TreeName,
        /// The change is not before this sequence,
        first_sequence: u64,
        /// and not after this one.
        last_sequence: u64,
        /// What kind.
        change: Change,
    },
    /// All records of a tree are missing.
    NoRecords {
        /// The tree.
        tree: TreeName,
        /// How many were signed.
        signed: u64,
        /// The sequence of the first.
        first_sequence: u64,
        /// The sequence of the last.
        last_sequence: u64,
    },
    /// A record's sequence is not above that of the one before: it was moved, or is there twice.
    Moved {
        /// The organization.
        organization: Option<Box<str>>,
        /// The day.
        day: i64,
        /// The record's sequence.
        sequence: u64,
    },
    /// A record is of another organization or day than the place where it lies, or its id is not its own.
    Misplaced {
        /// The organization.
        organization: Option<Box<str>>,
        /// The day.
        day: i64,
        /// The record's sequence.
        sequence: u64,
    },
    /// The records of a day cannot be read, or not to their end. What was read of them is not judged.
    Unreadable {
        /// The organization.
        organization: Option<Box<str>>,
        /// The day.
        day: i64,
        /// The sequence of the last that was read; 0 if none was.
        after_sequence: u64,
        /// What their store says.
        error: String,
    },
    /// Records that are in no tree, though later ones of the organization are: they were added.
    Unsigned {
        /// The organization.
        organization: Option<Box<str>>,
        /// The day.
        day: i64,
        /// How many.
        records: u64,
        /// The sequence of the first.
        first_sequence: u64,
        /// The sequence of the last.
        last_sequence: u64,
    },
    /// Final checkpoints are missing from an organization's chain.
    ChainBroken {
        /// The organization.
        organization: Option<Box<str>>,
        /// The number of the first that is missing or is not what the next one says.
        first_number: u64,
        /// The number of the last.
        last_number: u64,
        /// The tree of the checkpoint before, if there is one.
        after: Option<TreeName>,
        /// The tree of the checkpoint that names them.
        before: TreeName,
    },
    /// A note does not hold.
    Note {
        /// The file.
        file: PathBuf,
        /// Which note in it: 1, 2, 3 …
        number: usize,
        /// Why.
        why: BadNote,
    },
    /// A file ends within a note.
    Unfinished {
        /// The file.
        file: PathBuf,
    },
    /// A file is missing, or has lost its end.
    FileMissing {
        /// The file.
        file: PathBuf,
    },
    /// The list of block roots does not make the signed root, though the records do.
    BlocksChanged {
        /// The file.
        file: PathBuf,
    },
    /// Two checkpoints of one tree are true and contradict each other: whoever has the key signed both.
    Contradiction {
        /// The tree.
        tree: TreeName,
        /// The size at which they part.
        size: u64,
    },
    /// No record has these sequences.
    Gap {
        /// The first.
        first_sequence: u64,
        /// The last.
        last_sequence: u64,
    },
    /// The node's list of final checkpoints does not make a signed root.
    EntriesChanged {
        /// Final checkpoints when it was signed.
        signed: u64,
        /// Lines now.
        found: u64,
    },
    /// The node knows of final checkpoints that the organization's files do not have, or have otherwise.
    ClosingsMissing {
        /// The organization.
        organization: Option<Box<str>>,
        /// The number of the first.
        first_number: u64,
        /// The number of the last.
        last_number: u64,
    },
    /// Final checkpoints that the node does not know of.
    ClosingsUnknown {
        /// The organization.
        organization: Option<Box<str>>,
        /// The number of the first.
        first_number: u64,
    },
    /// The open trees are not those that the node signed last: one was removed, added or put back.
    OpenTreesChanged {
        /// How many were signed.
        signed: u64,
        /// How many are there.
        found: u64,
    },
}

fn named(organization: Option<&str>) -> &str {
    organization.unwrap_or("(no organization)")
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Records { tree, first_sequence, last_sequence, change } => {
                write!(out, "{tree}: sequences {first_sequence} to {last_sequence}: {change}")
            }
            Self::NoRecords { tree, signed, first_sequence, last_sequence } => write!(
                out,
                "{tree}: all records are missing: {signed} were signed, sequences {first_sequence} to {last_sequence}"
            ),
            Self::Moved { organization, day, sequence } => write!(
                out,
                "{} {}: the record with sequence {sequence} was moved, or is there twice",
                named(organization.as_deref()),
                Day(*day)
            ),
            Self::Misplaced { organization, day, sequence } => write!(
                out,
                "{} {}: the record with sequence {sequence} belongs elsewhere, or its id is not its own",
                named(organization.as_deref()),
                Day(*day)
            ),
            Self::Unreadable { organization, day, after_sequence, error } => write!(
                out,
                "{} {}: the records after sequence {after_sequence} cannot be read: {error}",
                named(organization.as_deref()),
                Day(*day)
            ),
            Self::Unsigned { organization, day, records, first_sequence, last_sequence } => write!(
                out,
                "{} {}: {records} records between sequences {first_sequence} and {last_sequence} were never signed",
                named(organization.as_deref()),
                Day(*day)
            ),
            Self::ChainBroken { organization, first_number, last_number, after, before } => {
                write!(out, "{}: final checkpoints {first_number} to {last_number}", named(organization.as_deref()))?;
                out.write_str(" are missing or changed: they lie ")?;
                after.as_ref().map_or(Ok(()), |after| write!(out, "after {after} and "))?;
                write!(out, "before {before}")
            }
            Self::Note { file, number, why } => write!(out, "{}: note {number} {why}", file.display()),
            Self::Unfinished { file } => write!(out, "{} ends within a note", file.display()),
            Self::FileMissing { file } => write!(out, "{} is missing, or has lost its end", file.display()),
            Self::BlocksChanged { file } => write!(out, "{} does not fit its tree", file.display()),
            Self::Contradiction { tree, size } => {
                write!(out, "{tree}: two true checkpoints contradict each other at size {size}")
            }
            Self::Gap { first_sequence, last_sequence } => {
                write!(out, "no records have the sequences {first_sequence} to {last_sequence}")
            }
            Self::EntriesChanged { signed, found } => {
                write!(out, "the node's list was changed: {signed} final checkpoints were signed, {found} are listed")
            }
            Self::ClosingsMissing { organization, first_number, last_number } => write!(
                out,
                "{}: the node knows final checkpoints {first_number} to {last_number}, the organization's files do not",
                named(organization.as_deref())
            ),
            Self::ClosingsUnknown { organization, first_number } => write!(
                out,
                "{}: the node does not know final checkpoint {first_number}",
                named(organization.as_deref())
            ),
            Self::OpenTreesChanged { signed, found } => {
                write!(out, "open trees are not as the node signed them: {signed} were signed, {found} are there")
            }
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(records) => write!(out, "{records} missing"),
            Self::Added(records) => write!(out, "{records} added"),
            Self::Altered => out.write_str("altered or exchanged"),
        }
    }
}

impl fmt::Display for BadNote {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Malformed => "is no checkpoint",
            Self::OtherKey => "is not signed with this key",
            Self::BadSignature => "was changed after it was signed",
            Self::Elsewhere => "belongs to another file",
            Self::OtherVersion => "is about records in a form that this program does not know",
        })
    }
}

//! What a signer comes upon that should not be. Nothing of it is repaired silently, and nothing stops the signing of
//! what comes after.

use crate::proof::names::TreeName;
use std::fmt;
use std::path::PathBuf;

/// Something that is not as it was when it was signed, or not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignerFinding {
    /// The records of a tree no longer make the root that was signed. The tree is closed as it was signed; what comes
    /// after goes into another part.
    Altered {
        /// The tree.
        tree: TreeName,
        /// The change is not before this sequence,
        first_sequence: u64,
        /// and, if it is the only one, not after this one.
        last_sequence: u64,
        /// Records in the tree when it was signed.
        signed: u64,
        /// Records up to its last sequence now.
        found: u64,
    },
    /// Sequences that no record has.
    Gap {
        /// The first.
        first_sequence: u64,
        /// The last.
        last_sequence: u64,
    },
    /// The journal ends before what was signed. Records that get these sequences again are not signed.
    Lost {
        /// Every record up to this one was signed.
        signed_through: u64,
        /// The newest record there is.
        last_sequence: u64,
    },
    /// The end of a file was unfinished, as a crash leaves it. It was cut off.
    Unfinished {
        /// The file.
        file: PathBuf,
    },
    /// A note in a file does not hold: changed, or of another key or journal.
    BadNote {
        /// The file.
        file: PathBuf,
    },
    /// The node knows of final checkpoints that the organization's file does not have, or has otherwise.
    ClosingsChanged {
        /// The organization.
        organization: Option<Box<str>>,
        /// The number of the newest that the node knows of.
        known: u64,
    },
    /// The list of final checkpoints no longer makes the node's signed root. The node's tree is not signed any more
    /// until `node` was moved away.
    EntriesChanged {
        /// Final checkpoints when it was signed.
        signed: u64,
        /// Lines now.
        found: u64,
    },
    /// The checkpoints of open trees are not those that the node signed last: one was removed or put back.
    OpenTreesChanged,
}

impl fmt::Display for SignerFinding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Altered { tree, first_sequence, last_sequence, signed, found } => write!(
                out,
                "records of {tree} are not as they were signed, between sequences {first_sequence} and \
                 {last_sequence}: {signed} were signed, {found} are there"
            ),
            Self::Gap { first_sequence, last_sequence } => {
                write!(out, "no records with the sequences {first_sequence} to {last_sequence}")
            }
            Self::Lost { signed_through, last_sequence } => {
                write!(out, "the journal ends with {last_sequence}, but records up to {signed_through} were signed")
            }
            Self::Unfinished { file } => write!(out, "the unfinished end of {} was cut off", file.display()),
            Self::BadNote { file } => write!(out, "a note in {} does not hold", file.display()),
            Self::ClosingsChanged { organization, known } => {
                let organization = organization.as_deref().unwrap_or("-");
                write!(out, "the final checkpoints of {organization} are not those that were signed, up to {known}")
            }
            Self::EntriesChanged { signed, found } => {
                write!(out, "the list of final checkpoints was changed: {signed} were signed, {found} are there")
            }
            Self::OpenTreesChanged => out.write_str("checkpoints of open trees were removed or put back"),
        }
    }
}

//! Proof that the log is what it was: a Merkle tree for each organization and day, signed while it grows.

pub(crate) mod blocks;
pub(crate) mod checkpoint;
pub(crate) mod hold;
pub(crate) mod leaf;
pub(crate) mod names;
pub(crate) mod note;
pub(crate) mod notes;
pub(crate) mod prove;
pub(crate) mod signer;
pub(crate) mod source;
pub(crate) mod store;
pub(crate) mod tree;
pub(crate) mod verify;

pub use crate::proof::checkpoint::{Checkpoint, Link, MalformedCheckpoint, NodeCheckpoint};
pub use crate::proof::hold::{Held, hold};
pub use crate::proof::leaf::{LEAF_VERSION, LeafError, leaf_bytes};
pub use crate::proof::names::TreeName;
pub use crate::proof::note::{KeyError, NoteError, Seed, SigningKey, VerifyingKey};
pub use crate::proof::prove::{ProofError, ProveError, Proven, verify_proof};
pub use crate::proof::signer::{CLOSE_AFTER_US, Signer, SignerError, SignerFinding, SignerStats, Ticked};
pub use crate::proof::source::{DayRecords, Days, Source, SourceError};
pub use crate::proof::store::StoreError;
pub use crate::proof::tree::{
    Frontier, TreeHash, consistency, inclusion, leaf_hash, node_hash, root, verify_consistency, verify_inclusion,
};
pub use crate::proof::verify::{
    BadNote, Change, NodeVerified, Problem, Sequences, SignedCheckpoint, Verified, Verifier, VerifyError,
};

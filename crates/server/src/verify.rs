//! The check: an index of live credentials in memory, kept true by the change feed, and the decision over it.
//!
//! [`Verify::check`] answers without a database and without a lock for what is in memory. What is not is read once
//! ([`load`]) and installed under the rule that no older reading ever covers a newer change ([`index`]). The follower
//! ([`follower`]) applies each change of the feed; whoever stops something waits for it, so that a receipt covers
//! every check that begins after it.

pub mod answer;
pub mod bytes;
pub mod check;
pub mod clients;
pub mod entry;
pub mod follower;
pub mod imported;
pub mod index;
pub mod leaked;
pub mod lease;
pub mod limits;
pub mod load;
pub mod own;
pub mod preload;
pub mod recording;
pub mod remembered;
pub mod tokens;
pub mod unknown;
pub mod users;
pub mod uses;
pub mod waiting;

use crate::app::Clock;
use crate::authn::{Hasher, Sealer};
use crate::catalogues::Catalogues;
use crate::db::{Db, DbError};
use index::Index;
use lease::Lease;
use recording::{RecordFailure, Recording};
use std::sync::Arc;
use std::time::Duration;
use tegata_core::problem::{Code, Problem};
use tegata_core::secret::Product;
use tegata_record::AccessLog;
use tokio::sync::{Notify, watch};
use unknown::{Limits, Unknown};
use uses::Uses;

/// How long a change may take to be applied before whoever made it is told that it is uncertain.
const APPLY_WAIT: Duration = Duration::from_secs(10);

/// The memory of live credentials and the access log.
#[derive(Debug)]
pub struct Verify {
    /// What is in memory.
    index: Index,
    /// Where cold credentials and changes are read.
    db: Db,
    catalogues: Arc<Catalogues>,
    hasher: Hasher,
    sealer: Sealer,
    /// How imported keys are recognized.
    imported: imported::Imported,
    product: Product,
    clock: Clock,
    journal: Arc<AccessLog>,
    recording: Recording,
    lease: Lease,
    /// What is known of unknown tokens, and what they may cost.
    unknown: Unknown,
    /// Client ids and secrets that were found right.
    clients: clients::Clients,
    uses: Uses,
    limits: limits::Limits,
    /// Those who wait for a decision.
    waiting: waiting::Waiting,
    without_records: bool,
    node: String,
    /// Wakes the follower before its next round.
    wake: Notify,
    /// The number of the last change that was applied.
    applied: watch::Sender<u64>,
}

/// What [`Verify::open`] needs.
#[derive(Debug)]
pub struct Parts {
    /// The truth.
    pub db: Db,
    /// Compiled catalogues.
    pub catalogues: Arc<Catalogues>,
    /// The hashing keys.
    pub hasher: Hasher,
    /// What opens the keys of imported HMACs.
    pub sealer: Sealer,
    /// The name that stands first in every secret.
    pub product: Product,
    /// The time.
    pub clock: Clock,
    /// The access log.
    pub journal: Arc<AccessLog>,
    /// What becomes of an answer whose record cannot be written.
    pub record_failure: RecordFailure,
    /// Whether checks leave no records: for measurements.
    pub without_records: bool,
    /// The name of this node.
    pub node: String,
    /// What tokens and their owners may take of memory, in bytes.
    pub cache_bytes: usize,
    /// What unknown tokens may cost.
    pub unknown: Limits,
}

impl Verify {
    /// Opens the memory: reads what is always kept (organizations, roles, teams, contexts, catalogues) as of now.
    pub async fn open(parts: Parts) -> Result<Self, DbError> {
        let verify = Self {
            index: Index::new(parts.cache_bytes),
            db: parts.db,
            catalogues: parts.catalogues,
            hasher: parts.hasher,
            sealer: parts.sealer,
            imported: imported::Imported::default(),
            product: parts.product,
            clock: parts.clock.clone(),
            recording: Recording::new(Arc::clone(&parts.journal), parts.clock, parts.record_failure),
            journal: parts.journal,
            lease: Lease::new(),
            unknown: Unknown::new(parts.unknown),
            clients: clients::Clients::default(),
            uses: Uses::default(),
            limits: limits::Limits::default(),
            waiting: waiting::Waiting::default(),
            without_records: parts.without_records,
            node: parts.node,
            wake: Notify::new(),
            applied: watch::Sender::new(0),
        };
        verify.load_everything().await?;
        Ok(verify)
    }

    /// Waits until this node has applied a change.
    pub async fn applied(&self, sequence: u64) -> Result<(), Problem> {
        let mut seen = self.applied.subscribe();
        self.wake.notify_one();
        let waiting = seen.wait_for(|applied| *applied >= sequence);
        match tokio::time::timeout(APPLY_WAIT, waiting).await {
            Ok(Ok(_)) => Ok(()),
            _ => Err(Problem::new(
                Code::Unavailable,
                "the change is stored, and this server could not confirm that it is in effect; look again",
            )),
        }
    }

    /// Those who wait for a decision about a credential.
    pub const fn waiting(&self) -> &waiting::Waiting {
        &self.waiting
    }

    /// The name of this node.
    pub fn node(&self) -> &str {
        &self.node
    }

    /// The access log.
    pub const fn journal(&self) -> &Arc<AccessLog> {
        &self.journal
    }

    /// How the access log takes records.
    pub const fn recording(&self) -> &Recording {
        &self.recording
    }

    /// The lease under which this node decides.
    pub const fn lease(&self) -> &Lease {
        &self.lease
    }

    /// How many tokens are in memory, for the metrics.
    pub fn tokens_in_memory(&self) -> usize {
        self.index.tokens.len()
    }

    /// What tokens and their owners take of memory, in bytes, about; for the metrics.
    pub fn cache_bytes(&self) -> usize {
        self.index.bytes()
    }

    /// The number of the last applied change, for the metrics.
    pub fn applied_sequence(&self) -> u64 {
        *self.applied.borrow()
    }
}

//! What a running server has: its database, its keys, its memory of live credentials, its log, its clock. Handed to
//! every use case; nothing here is global.

use crate::authn::throttle::Throttle;
use crate::authn::{Hasher, Sealer};
use crate::catalogues::Catalogues;
use crate::db::Db;
use crate::failing::Failing;
use crate::maintenance::stops::StopLog;
use crate::ops::leaks::Leaks;
use crate::ops::records::turns::Turns;
use crate::proofs::Proofs;
use crate::streams::Streams;
use crate::verify::Verify;
use crate::webhooks::Webhooks;
use metrics_exporter_prometheus::PrometheusHandle;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::SystemTime;
use tegata_core::secret::Product;
use tegata_core::time::Timestamp;
use tokio::sync::Semaphore;

/// Everything that a use case may reach.
pub struct App {
    /// The truth.
    pub db: Db,
    /// The time.
    pub clock: Clock,
    /// Randomness.
    pub entropy: Entropy,
    /// The hashing keys.
    pub hasher: Hasher,
    /// What seals secrets that are used again.
    pub sealer: Sealer,
    /// The name that stands first in every secret.
    pub product: Product,
    /// Compiled catalogues.
    pub catalogues: Arc<Catalogues>,
    /// The memory of live credentials, and the access log.
    pub verify: Arc<Verify>,
    /// Every stop, in a file of its own.
    pub stops: Arc<StopLog>,
    /// What is signed about the access log.
    pub proofs: Arc<Proofs>,
    /// How moving access records into columns goes.
    pub settling: Failing,
    /// Sending access records on.
    pub streams: Arc<Streams>,
    /// Telling changes to programs outside.
    pub webhooks: Webhooks,
    /// For how many days access records are kept where an organization says nothing.
    pub record_days: u32,
    /// Who may ask the access log now.
    pub turns: Turns,
    /// Who may follow it.
    pub tails: Turns,
    /// Who guessed passwords of late.
    pub throttle: Throttle,
    /// What is remembered about secrets that leaked.
    pub leaks: Leaks,
    /// Taken by an import of credentials, of which there is one at a time.
    pub importing: Arc<Semaphore>,
    /// The metrics recorder of this process.
    pub metrics: PrometheusHandle,
    /// Where people reach this server, for links.
    pub public_url: String,
}

/// Where the time comes from.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The machine.
    #[default]
    System,
    /// The machine, so many microseconds on: for tests of what happens later.
    Shifted(Arc<AtomicI64>),
}

impl Clock {
    /// This moment.
    pub fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let micros = i64::try_from(since.as_micros()).unwrap_or(i64::MAX);
        let shift = match self {
            Self::System => 0,
            Self::Shifted(micros) => micros.load(Ordering::Acquire),
        };
        Timestamp::from_micros(micros.saturating_add(shift))
    }
}

/// Where randomness comes from. There is no test double: ids and secrets in tests are random too.
#[derive(Debug, Clone, Copy, Default)]
pub enum Entropy {
    /// The operating system.
    #[default]
    System,
}

impl Entropy {
    /// Fills a buffer.
    ///
    /// Without randomness no secret may be made, and there is nothing to go on with: the process ends.
    pub fn fill(&self, buffer: &mut [u8]) {
        if let Err(error) = getrandom::fill(buffer) {
            tracing::error!(%error, "the operating system gives no randomness");
            std::process::abort();
        }
    }

    /// Random bytes of a known number: `entropy.bytes::<10>()` for an id.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }
}

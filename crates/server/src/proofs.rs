//! Signing the access log while the server serves: a thread that signs once a second what was recorded, and what others
//! ask of the proofs. See docs/proof.md.
//!
//! Nothing here holds up a check. When signing fails, records go on being written and checks answered; it is told in the
//! log, by `/readyz` and by the metrics, and nothing that is not signed is dropped meanwhile.

mod prepare;
mod thread;

pub use prepare::prepare;
pub use thread::Signing;

use crate::app::Clock;
use parking_lot::{Mutex, RwLock};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tegata_record::proof::{
    ProveError, SignedCheckpoint, Signer, SignerError, Source as _, StoreError, Verifier, VerifyError, VerifyingKey,
};
use tegata_record::{AccessLog, Keep, RecordId, Retention};
use tokio::sync::{Semaphore, SemaphorePermit};

/// Microseconds of a day.
const DAY_US: i64 = 86_400_000_000;
/// Proofs that are made at once; each reads the records of a day.
const PROVING_MAX: usize = 2;
/// How long whoever asks for a proof waits for their turn.
const PROVING_WAIT: Duration = Duration::from_secs(10);

/// How signing goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Condition {
    /// It was not begun: the server is not serving, or has no key for it.
    #[default]
    Off,
    /// What was signed before is read again.
    Starting,
    /// It goes on.
    Signing,
    /// The last try failed; it is tried again.
    Failing,
}

impl Condition {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Starting => "starting",
            Self::Signing => "signing",
            Self::Failing => "failing",
        }
    }
}

/// Numbers for health and metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Health {
    /// How signing goes.
    pub condition: Condition,
    /// Every record up to this sequence is signed.
    pub signed_through: u64,
    /// Records after that.
    pub unsigned: u64,
    /// How often something was not as it was signed, since the start of this process.
    pub findings: u64,
}

/// Why something cannot be told of the proofs.
#[derive(Debug, thiserror::Error)]
pub enum ProofsError {
    /// This server does not sign.
    #[error("this server does not sign its access log")]
    Off,
    /// There are too many who ask.
    #[error("too many proofs are being made")]
    Busy,
    /// The work was cut off.
    #[error("the work was interrupted")]
    Interrupted,
    /// There is no proof for the record.
    #[error(transparent)]
    Prove(#[from] ProveError),
    /// The proofs could not be read.
    #[error("the proofs could not be read")]
    Verify(#[from] VerifyError),
    /// The proofs could not be read.
    #[error("the proofs could not be read")]
    Store(#[from] StoreError),
}

/// What is signed about the access log of this server.
#[derive(Debug)]
pub struct Proofs {
    directory: PathBuf,
    log: Arc<AccessLog>,
    clock: Clock,
    key: RwLock<Option<VerifyingKey>>,
    /// Whoever holds it writes.
    signer: Mutex<Option<Signer>>,
    state: Mutex<State>,
    proving: Semaphore,
}

#[derive(Debug, Default)]
struct State {
    condition: Condition,
    signed_through: u64,
    findings: u64,
}

impl Proofs {
    /// Proofs in a directory, of a log.
    pub fn new(directory: PathBuf, log: Arc<AccessLog>, clock: Clock) -> Self {
        // Until it is known what is signed, nothing is to be dropped.
        log.drop_only(0, BTreeSet::new());
        Self {
            directory,
            log,
            clock,
            key: RwLock::default(),
            signer: Mutex::default(),
            state: Mutex::default(),
            proving: Semaphore::new(PROVING_MAX),
        }
    }

    /// Every record up to this sequence is signed. The log drops nothing after it.
    pub fn signed_through(&self) -> u64 {
        self.state.lock().signed_through
    }

    /// Numbers for health and metrics.
    pub fn health(&self) -> Health {
        let State { condition, signed_through, findings } = *self.state.lock();
        let unsigned = self.log.last_sequence().saturating_sub(signed_through);
        Health { condition, signed_through, unsigned, findings }
    }

    /// The line with which others check what this server signs; none if it does not.
    pub fn public_key(&self) -> Option<String> {
        self.key.read().as_ref().map(ToString::to_string)
    }

    /// Removes what was kept of days that have been kept long enough, each organization by its own measure, but for
    /// their final checkpoints: for after their records were dropped. Files that stay, because proofs are being copied or
    /// signing has not begun, go the next time. Blocks. Returns how many went.
    pub fn forget(&self, retention: &Retention, now_us: i64) -> Result<u64, SignerError> {
        let Some(verifier) = self.verifier().ok().flatten() else { return Ok(0) };
        let today = now_us.div_euclid(DAY_US);
        let mut gone = 0;
        for organization in verifier.organizations()? {
            let own = organization.as_deref().and_then(|id| retention.organizations.get(id));
            let Keep::Days(days) = *own.unwrap_or(&retention.otherwise) else { continue };
            let before_day = today.saturating_sub(i64::from(days));
            // What could not be dropped yet, because it is not settled or its tree is open, is still to be proven.
            if self.log.has_before(organization.as_deref(), before_day).map_err(SignerError::Source)? {
                continue;
            }
            let mut signer = self.signer.lock();
            gone += signer.as_mut().map_or(Ok(0), |signer| signer.forget(organization.as_deref(), before_day))?;
        }
        Ok(gone)
    }

    /// The proof of a record, and the key to check it with.
    pub async fn prove(self: &Arc<Self>, id: RecordId, organization: String) -> Result<(String, String), ProofsError> {
        let public_key = self.public_key().ok_or(ProofsError::Off)?;
        let _turn = self.turn().await?;
        let proofs = Arc::clone(self);
        let made = tokio::task::spawn_blocking(move || {
            // A tree that is closed at this moment is found the second time.
            match proofs.try_prove(&id, &organization) {
                Err(ProofsError::Prove(ProveError::Changed(_) | ProveError::NotSigned(_))) => {
                    proofs.try_prove(&id, &organization)
                }
                made => made,
            }
        });
        Ok((made.await.map_err(|_| ProofsError::Interrupted)??, public_key))
    }

    /// The newest final checkpoint of an organization and the newest of each tree that is open, and the key to check
    /// them with.
    pub async fn newest(
        self: &Arc<Self>,
        organization: String,
    ) -> Result<(Vec<SignedCheckpoint>, String), ProofsError> {
        let public_key = self.public_key().ok_or(ProofsError::Off)?;
        let proofs = Arc::clone(self);
        let newest = tokio::task::spawn_blocking(move || match proofs.verifier()? {
            Some(verifier) => Ok::<_, ProofsError>(verifier.newest(Some(&organization))?),
            None => Ok(Vec::new()),
        });
        Ok((newest.await.map_err(|_| ProofsError::Interrupted)??, public_key))
    }

    async fn turn(&self) -> Result<SemaphorePermit<'_>, ProofsError> {
        match tokio::time::timeout(PROVING_WAIT, self.proving.acquire()).await {
            Ok(Ok(turn)) => Ok(turn),
            _ => Err(ProofsError::Busy),
        }
    }

    fn try_prove(&self, id: &RecordId, organization: &str) -> Result<String, ProofsError> {
        let verifier = self.verifier()?.ok_or(ProveError::NotSigned(*id))?;
        Ok(verifier.prove(id, Some(organization), &*self.log)?)
    }

    /// `None` if nothing was signed yet.
    fn verifier(&self) -> Result<Option<Verifier>, ProofsError> {
        let key = self.key.read().clone().ok_or(ProofsError::Off)?;
        match Verifier::open(&self.directory, &key) {
            Ok(verifier) => Ok(Some(verifier)),
            Err(VerifyError::NothingSigned { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Everything of the log that no failure can take back is signed.
    fn has_signed_all(&self) -> bool {
        self.signed_through() >= self.log.settled()
    }
}

//! Starting and stopping a server: from a configuration to an open door, in the order that lets nothing be guessed.

mod lock;
mod metrics;

pub use lock::{LockError, is_served};

pub(crate) use lock::ServingLock;

use crate::app::{App, Clock, Entropy};
use crate::authn::key_file::{self, KeyFileError, Keys, SigningSecret};
use crate::authn::throttle::Throttle;
use crate::authn::{Hasher, Sealer};
use crate::catalogues::Catalogues;
use crate::db::schema::{Found, SchemaError};
use crate::db::{self, Backend, Db, DbError};
use crate::failing::Failing;
use crate::http::server::{DoorError, Doors, Serving};
use crate::jobs;
use crate::maintenance::restore::why_blocked;
use crate::maintenance::stops::{StopLog, StopLogError};
use crate::notices::expiry;
use crate::ops::credential_imports;
use crate::ops::leaks::Leaks;
use crate::ops::records::turns::Turns;
use crate::ops::setup;
use crate::proofs::{self, Proofs, Signing};
use crate::send::{self, Destination, Sender};
use crate::streams::{Streaming, Streams};
use crate::verify::bytes::OF_A_SLOT;
use crate::verify::limits::keeping;
use crate::verify::recording::RecordFailure;
use crate::verify::unknown::{self, Limits};
use crate::verify::uses;
use crate::verify::{Parts, Verify};
use crate::webhooks::{self, Telling, Webhooks};
use secrecy::SecretString;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tegata_core::secret::Product;
use tegata_core::time::Timestamp;
use tegata_record::{AccessLog, ColumnsOptions, Faults, Location, OpenError, Options};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

/// The directory of proofs within that of the access log.
pub const PROOFS: &str = "proof";

/// What a server needs to know before it starts.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the server keeps what is not in the database: keys and access records.
    pub data_dir: PathBuf,
    /// `postgres://…`, or a path; none for a file in `data_dir`.
    pub database: Option<String>,
    /// Where to listen.
    pub listen: SocketAddr,
    /// A Unix socket to listen on as well.
    pub unix_socket: Option<PathBuf>,
    /// Threads that answer requests.
    pub workers: NonZeroUsize,
    /// Where people reach the server, for links; none for the address it listens on.
    pub public_url: Option<String>,
    /// The name that stands first in every secret.
    pub product: Product,
    /// When access records are flushed to disk.
    pub flush: tegata_record::Flush,
    /// How access records are handed to the kernel.
    pub writing: tegata_record::Writing,
    /// What tokens and their owners may take of memory, in bytes.
    pub cache_bytes: usize,
    /// How many of the newest tokens are read into memory at start.
    pub preload: usize,
    /// For how many days access records are kept, where their organization says nothing.
    pub record_days: u32,
    /// After how long access records leave the journal for columns.
    pub record_settle_after: Duration,
    /// Where columns lie; none for a folder in the directory of the access log.
    pub record_bucket: Option<Location>,
    /// What unknown tokens may cost.
    pub unknown: Limits,
    /// How often it is written when credentials were last used.
    pub uses_every: Duration,
    /// What becomes of an answer whose access record cannot be written.
    pub record_failure: RecordFailure,
    /// Where may be sent to, and how.
    pub sending: send::Settings,
    /// Where GitHub's keys are, with which it signs alerts of secrets that leaked; none where they are not taken.
    pub github_keys: Option<Destination>,
    /// For how long webhooks try.
    pub webhooks: webhooks::Settings,
    /// Whether checks leave no records, to measure what a record costs. No option sets it: a server that answers checks
    /// without records is none.
    pub without_records: bool,
    /// A disk that fails on demand, for tests of the access log.
    pub record_faults: Option<Arc<Faults>>,
    /// Where the time comes from.
    pub clock: Clock,
}

impl Config {
    /// The defaults, with everything under one directory.
    pub fn new(data_dir: impl Into<PathBuf>, listen: SocketAddr) -> Self {
        Self {
            data_dir: data_dir.into(),
            database: None,
            listen,
            unix_socket: None,
            workers: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            public_url: None,
            product: Product::default(),
            flush: Options::default().flush,
            writing: Options::default().writing,
            cache_bytes: 768 << 20,
            preload: 100_000,
            record_days: 180,
            record_settle_after: Duration::from_hours(1),
            record_bucket: None,
            unknown: Limits::default(),
            uses_every: Duration::from_secs(5),
            record_failure: RecordFailure::default(),
            sending: send::Settings::default(),
            github_keys: None,
            webhooks: webhooks::Settings::default(),
            without_records: false,
            record_faults: None,
            clock: Clock::System,
        }
    }

    /// The database: as it was said, or the file in the data directory.
    pub fn database(&self) -> String {
        self.database.clone().unwrap_or_else(|| self.data_dir.join("tegata.db").display().to_string())
    }

    /// The file with the hashing keys.
    pub fn key_file(&self) -> PathBuf {
        self.data_dir.join("keys")
    }

    /// The file with every stop, which a restore needs.
    pub fn stops_log(&self) -> PathBuf {
        self.data_dir.join("stops.log")
    }

    /// The directory of the access log.
    pub fn records(&self) -> PathBuf {
        self.data_dir.join("records")
    }

    /// The directory of its proofs.
    pub fn proofs(&self) -> PathBuf {
        self.records().join(PROOFS)
    }
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A directory or file cannot be used.
    #[error("{0}: {1}")]
    Io(PathBuf, #[source] std::io::Error),
    /// The key file.
    #[error(transparent)]
    Keys(#[from] KeyFileError),
    /// The tables.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// The database.
    #[error("the database cannot be used: {0}")]
    Db(#[from] DbError),
    /// Another server.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The access log.
    #[error("the access log cannot be opened: {0}")]
    Records(#[from] OpenError),
    /// The stops file.
    #[error(transparent)]
    Stops(#[from] StopLogError),
    /// The doors.
    #[error(transparent)]
    Door(#[from] DoorError),
    /// Sending.
    #[error(transparent)]
    Sending(#[from] send::SettingsError),
}

/// Everything of a server but its door.
pub struct Opened {
    /// What use cases reach.
    pub app: Arc<App>,
    /// The one-time set-up token, while there is no administrator.
    pub setup: Option<SecretString>,
    /// What signs the access log, if it can be signed.
    signing: Option<SigningSecret>,
    /// Held as long as this process serves.
    lock: ServingLock,
}

/// A server at work.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// What use cases reach.
    pub app: Arc<App>,
    /// The one-time set-up token, while there is no administrator.
    pub setup: Option<SecretString>,
    stop: watch::Sender<bool>,
    doors: Serving,
    follower: JoinHandle<()>,
    /// What ends with the server: reading ahead, keeping its stores small, watching the log, writing summaries, uses of
    /// tokens and what is used of limits, warning of what ends.
    tasks: [JoinHandle<()>; 10],
    signing: Option<Signing>,
    streaming: Streaming,
    telling: Telling,
    lock: ServingLock,
}

/// Opens everything but the door. `tegata init` needs no more.
pub async fn open(config: &Config) -> Result<Opened, StartError> {
    let sender = Sender::new(&config.sending)?;
    make_private_directory(&config.data_dir)?;
    let database = config.database();
    make_private_file(&database)?;
    let db = Db::connect(&database).await?;
    let entropy = Entropy::System;
    let keys = match db.inspect().await? {
        Found::Ours => key_file::read(&config.key_file())?,
        Found::Empty => match key_file::read(&config.key_file()) {
            Ok(keys) => keys,
            Err(KeyFileError::Missing(_)) => {
                let fresh = Keys { hashing: vec![key_file::generate(1, &entropy)], signing: None };
                key_file::write(&config.key_file(), &fresh)?;
                fresh
            }
            Err(error) => return Err(error.into()),
        },
    };
    let lock = ServingLock::take(&db, &database).await?;
    let clock = config.clock.clone();
    let (hasher, sealer) = keys_of(&db, &keys.hashing, &config.key_file(), &clock).await?;
    let catalogues = Arc::new(Catalogues::default());
    let segment_age_us = i64::try_from(config.record_settle_after.as_micros()).unwrap_or(i64::MAX);
    let options = Options {
        flush: config.flush,
        writing: config.writing,
        faults: config.record_faults.clone(),
        columns: config.record_bucket.clone(),
        columns_options: ColumnsOptions { segment_age_us, ..ColumnsOptions::default() },
        ..Options::default()
    };
    let tag = u16::from_le_bytes(entropy.bytes());
    let records = config.records();
    let (journal, recovery) =
        tokio::task::spawn_blocking(move || AccessLog::open(&records, options, tag)).await.map_err(|_| {
            StartError::Io(config.records(), std::io::Error::other("opening the access log was interrupted"))
        })??;
    for finding in &recovery.findings {
        tracing::warn!(%finding, "the access log was damaged here");
    }
    let journal = Arc::new(journal);
    let node = format!("node_{}", crate::authn::hasher::hex(&entropy.bytes::<6>()));
    let parts = Parts {
        db: db.clone(),
        catalogues: Arc::clone(&catalogues),
        hasher: hasher.clone(),
        sealer: sealer.clone(),
        product: config.product.clone(),
        clock: clock.clone(),
        journal: Arc::clone(&journal),
        record_failure: config.record_failure,
        without_records: config.without_records,
        node,
        cache_bytes: config.cache_bytes,
        unknown: config.unknown,
    };
    let proofs = Arc::new(Proofs::new(config.proofs(), Arc::clone(&journal), clock.clone()));
    let app = App {
        db,
        clock,
        entropy,
        hasher,
        sealer,
        product: config.product.clone(),
        catalogues,
        verify: Arc::new(Verify::open(parts).await?),
        stops: Arc::new(StopLog::new(config.stops_log())),
        proofs,
        settling: Failing::default(),
        streams: Arc::new(Streams::new(sender, config.sending.backoff)),
        webhooks: Webhooks::new(config.webhooks),
        record_days: config.record_days,
        turns: Turns::of_questions(),
        tails: Turns::of_tails(),
        throttle: Throttle::default(),
        leaks: Leaks::new(config.github_keys.clone()),
        importing: Arc::new(Semaphore::new(1)),
        metrics: metrics::recorder(),
        public_url: config.public_url.clone().unwrap_or_else(|| format!("http://{}", config.listen)),
    };
    // What every database has, and what this version's own catalogue changes; then memory looks again.
    let setup = setup::at_start(&app).await?;
    credential_imports::finish::at_start(&app).await?;
    app.verify.load_everything().await?;
    app.stops.open(&app.db).await?;
    let signing = proofs::prepare(config, &app, keys).await?;
    if config.record_failure == RecordFailure::Allow {
        tracing::warn!("checks are answered even when they cannot be recorded, as --record-failure=allow says");
    }
    if let Some(why) = why_blocked(&app.db).await? {
        tracing::warn!("{why}");
        app.verify.lease().block(why);
    }
    Ok(Opened { app: Arc::new(app), setup, signing, lock })
}

/// Starts a server.
pub async fn start(config: &Config) -> Result<Running, StartError> {
    let doors = Doors::listen(config.listen, config.unix_socket.as_deref(), config.workers)?;
    let address = doors.address;
    let mut config = config.clone();
    config.public_url.get_or_insert_with(|| format!("http://{address}"));
    let Opened { app, setup, signing, lock } = open(&config).await?;
    let signing = signing.map(|secret| Signing::begin(&app.proofs, secret)).transpose();
    let signing = signing.map_err(|error| StartError::Io(config.proofs(), error))?;
    let (stop, stopping) = watch::channel(false);
    let follower = tokio::spawn(Arc::clone(&app.verify).follow());
    let lock = lock.keep(Arc::clone(&app.verify));
    let doors = doors.serve(&app, &stopping)?;
    let wanted = config.preload.min(config.cache_bytes / OF_A_SLOT);
    let tasks = [
        tokio::spawn(Arc::clone(&app.verify).preload(wanted)),
        tokio::spawn(jobs::housekeeping(Arc::clone(&app))),
        tokio::spawn(jobs::expiring(Arc::clone(&app))),
        tokio::spawn(jobs::revoking_unused(Arc::clone(&app))),
        tokio::spawn(jobs::watching(Arc::clone(&app))),
        tokio::spawn(jobs::settling(Arc::clone(&app), config.record_settle_after)),
        tokio::spawn(unknown::summing_up(Arc::clone(&app))),
        tokio::spawn(uses::writing(Arc::clone(&app), config.uses_every)),
        tokio::spawn(keeping::keeping(Arc::clone(&app))),
        tokio::spawn(expiry::warning(Arc::clone(&app))),
    ];
    let (streaming, telling) = (Streaming::begin(&app), Telling::begin(&app));
    Ok(Running { address, app, setup, stop, doors, follower, tasks, signing, streaming, telling, lock })
}

impl Opened {
    /// Gives everything back.
    pub async fn close(self) {
        close(self.app, self.lock).await;
    }
}

impl Running {
    /// Stops in order: no new requests, those under way end, then the lock is given back.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        self.app.tails.close();
        self.app.verify.waiting().close();
        self.doors.ended().await;
        self.streaming.end().await;
        self.telling.end().await;
        for task in self.tasks {
            task.abort();
            let _ = task.await;
        }
        self.follower.abort();
        let _ = self.follower.await;
        unknown::settle(&self.app, Timestamp::MAX, &Failing::default()).await;
        uses::write(&self.app, &Failing::default()).await;
        keeping::settle(&self.app).await;
        // After the last record.
        if let Some(signing) = self.signing {
            signing.end().await;
        }
        close(self.app, self.lock).await;
    }
}

async fn close(app: Arc<App>, lock: ServingLock) {
    if let Err(error) = app.verify.journal().flush() {
        tracing::error!(%error, "the access log could not be flushed");
    }
    lock.release(&app.db).await;
    app.db.close().await;
}

/// The hashing keys of the database, which have to be those of the file, and what seals with them.
async fn keys_of(
    db: &Db,
    keys: &[crate::authn::hasher::HashKey],
    path: &Path,
    clock: &Clock,
) -> Result<(Hasher, Sealer), StartError> {
    let foreign = |key_id| StartError::Keys(KeyFileError::Foreign(path.to_owned(), key_id));
    let mut tx = db.write().await?;
    let mut known = db::hash_keys::list(&mut tx).await?;
    if known.is_empty()
        && let Some(first) = keys.last()
    {
        db::hash_keys::insert(&mut tx, first.key_id, &first.fingerprint(), clock.now()).await?;
        tx.commit().await?;
        let mut tx = db.read().await?;
        known = db::hash_keys::list(&mut tx).await?;
    }
    let find = |key_id: i64, fingerprint: &str| {
        keys.iter().find(|key| key.key_id == key_id && key.fingerprint() == fingerprint).ok_or_else(|| foreign(key_id))
    };
    match known.as_slice() {
        [current] => {
            let current = find(current.key_id, &current.fingerprint)?;
            Ok((Hasher::new(current, None), Sealer::new([current])))
        }
        [previous, current] => {
            let current = find(current.key_id, &current.fingerprint)?;
            let previous = find(previous.key_id, &previous.fingerprint)?;
            Ok((Hasher::new(current, Some(previous)), Sealer::new([previous, current])))
        }
        _ => Err(StartError::Db(DbError::Corrupt("there are more than two live hashing keys".to_owned()))),
    }
}

/// Makes a directory that only its owner may look into.
pub fn make_private_directory(path: &Path) -> Result<(), StartError> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| StartError::Io(path.to_owned(), error))
}

/// Makes the file of a database that is a file, so that only its owner may read it; SQLite gives the files beside it
/// the same rights. A file that is there stays as it is.
fn make_private_file(database: &str) -> Result<(), StartError> {
    use std::os::unix::fs::OpenOptionsExt as _;
    if Backend::of(database) == Backend::Postgres {
        return Ok(());
    }
    let path = PathBuf::from(database);
    match std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(StartError::Io(path, error)),
    }
}

/// Whether a database of this kind keeps a lock file beside itself.
fn lock_file(backend: Backend, database: &str) -> Option<PathBuf> {
    matches!(backend, Backend::Sqlite).then(|| PathBuf::from(format!("{database}.lock")))
}

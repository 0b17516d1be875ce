//! The thread that signs.

use super::{Condition, Proofs};
use crate::authn::key_file::SigningSecret;
use parking_lot::{Condvar, Mutex};
use std::error::Error;
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tegata_record::proof::{Signer, SignerError, SignerFinding};

/// From one round to the next.
const ROUND: Duration = Duration::from_secs(1);
/// How long the end waits until the last records are signed.
const END_WAIT: Duration = Duration::from_secs(10);
/// How soon a round is tried again that could not do everything.
const AGAIN: Duration = Duration::from_millis(20);

/// Signing at work.
#[derive(Debug)]
pub struct Signing {
    stop: Arc<Stop>,
    thread: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Stop {
    wanted: Mutex<bool>,
    told: Condvar,
}

impl Stop {
    /// Waits, and says whether the end is wanted.
    fn wait(&self, time: Duration) -> bool {
        let mut wanted = self.wanted.lock();
        if !*wanted {
            self.told.wait_for(&mut wanted, time);
        }
        *wanted
    }
}

impl Signing {
    /// Begins to sign.
    pub fn begin(proofs: &Arc<Proofs>, secret: SigningSecret) -> io::Result<Self> {
        let stop = Arc::<Stop>::default();
        let (its, proofs) = (Arc::clone(&stop), Arc::clone(proofs));
        let key = secret.key().map_err(io::Error::other)?;
        *proofs.key.write() = Some(key.verifying_key().clone());
        proofs.state.lock().condition = Condition::Starting;
        let thread =
            std::thread::Builder::new().name("record-proof".to_owned()).spawn(move || run(&proofs, &secret, &its))?;
        Ok(Self { stop, thread })
    }

    /// Signs what there is, and ends. To be called after the last record.
    pub async fn end(self) {
        *self.stop.wanted.lock() = true;
        self.stop.told.notify_all();
        // A thread that reads a long day again is not waited for: the next start begins anew.
        let ended = tokio::time::timeout(2 * END_WAIT, tokio::task::spawn_blocking(move || self.thread.join())).await;
        match ended {
            Ok(Ok(Ok(()))) => {}
            Ok(_) => tracing::error!("the thread that signs the access log ended in a panic"),
            Err(_) => tracing::warn!("the access log was not signed to its end; the next start makes up for it"),
        }
    }
}

fn run(proofs: &Proofs, secret: &SigningSecret, stop: &Stop) {
    let mut told = Told::default();
    loop {
        let is_behind = round(proofs, secret, &mut told);
        if stop.wait(if is_behind { Duration::ZERO } else { ROUND }) {
            break;
        }
    }
    // What was recorded since, up to the last answer.
    if let Err(error) = proofs.log.flush() {
        tracing::error!(%error, "the access log could not be flushed before it is signed");
    }
    let until = Instant::now() + END_WAIT;
    while !proofs.has_signed_all() && Instant::now() < until {
        if !round(proofs, secret, &mut told) && !proofs.has_signed_all() {
            std::thread::sleep(AGAIN);
        }
    }
    *proofs.signer.lock() = None;
    proofs.state.lock().condition = Condition::Off;
}

/// One round. Tells whether there is more to do at once.
fn round(proofs: &Proofs, secret: &SigningSecret, told: &mut Told) -> bool {
    match sign(proofs, secret) {
        Ok(is_behind) => {
            told.error = None;
            is_behind
        }
        Err(error) => {
            proofs.state.lock().condition = Condition::Failing;
            told.failed(&error);
            false
        }
    }
}

fn sign(proofs: &Proofs, secret: &SigningSecret) -> Result<bool, SignerError> {
    let now_us = || proofs.clock.now().as_micros();
    let mut held = proofs.signer.lock();
    let signer = if let Some(signer) = held.as_mut() {
        signer
    } else {
        // Reading the day again takes its time, and whoever wants to forget need not wait for it.
        drop(held);
        let directory = proofs.directory.clone();
        let key = secret.key().map_err(|_| SignerError::OtherKey { file: directory.clone() })?;
        let (signer, findings) = Signer::open(&directory, key, &*proofs.log, now_us(), None)?;
        found(proofs, &findings);
        held = proofs.signer.lock();
        held.insert(signer)
    };
    let ticked = signer.tick(&*proofs.log, now_us());
    let (through, open_days) = (signer.stats().through, signer.open_days());
    drop(held);
    let ticked = ticked?;
    // What is in a tree that is still open would be missing from it.
    proofs.log.drop_only(through, open_days);
    let mut state = proofs.state.lock();
    (state.condition, state.signed_through) = (Condition::Signing, through);
    drop(state);
    found(proofs, &ticked.findings);
    Ok(ticked.is_behind)
}

fn found(proofs: &Proofs, findings: &[SignerFinding]) {
    proofs.state.lock().findings += findings.len() as u64;
    for finding in findings {
        tracing::error!(%finding, "the access log is not as it was signed, or not whole");
    }
}

/// What was told, so that a failure that lasts is told once.
#[derive(Default)]
struct Told {
    error: Option<String>,
}

impl Told {
    fn failed(&mut self, error: &SignerError) {
        let cause = error.source().map(ToString::to_string).unwrap_or_default();
        let text = format!("{error}: {cause}");
        if self.error.as_ref() != Some(&text) {
            tracing::error!(%error, %cause, "the access log cannot be signed; it is tried again every second");
            self.error = Some(text);
        }
    }
}

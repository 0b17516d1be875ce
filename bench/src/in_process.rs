//! The check in process: the decision from memory, and the whole check with its record, at several sizes of memory.

use crate::fill::{Call, Numbers, fill};
use crate::report::{Figure, short};
use crate::world::{self, World, config};
use crate::{Fallible, Scale, machine};
use secrecy::SecretString;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use tegata::authn::Presented;
use tegata::serve::{Running, start};
use tegata::verify::entry::VerifierEntry;
use tegata_core::decide::Decision;

/// A server with tokens in memory.
struct Filled {
    running: Running,
    verifier: Arc<VerifierEntry>,
    tokens: u64,
    /// Memory that each token took, in bytes.
    bytes: f64,
    /// Nanoseconds of a decision, of each round.
    decision: Vec<f64>,
    /// Nanoseconds of a check with its record, of each round.
    recorded: Vec<f64>,
}

/// Measures all sizes in one process, rounds interleaved.
pub fn run(scale: Scale) -> Fallible<Vec<Figure>> {
    let (sizes, rounds, calls): (&[u64], _, _) =
        if scale.quick { (&[1_000, 100_000], 3, 20_000) } else { (&[1_000, 1_000_000, 10_000_000], 9, 200_000) };
    let directory = tempfile::tempdir()?;
    let prepared = directory.path().join("prepared");
    let world = world::prepare(&prepared)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        let mut all = Vec::new();
        for tokens in sizes {
            let place = world::copy(&prepared, &directory.path().join(short(*tokens)))?;
            all.push(Filled::start(&place, &world, *tokens).await?);
        }
        eprintln!("in process: {rounds} rounds of {calls} calls; load average {}", machine::load_average());
        let mut numbers = Numbers::new(1);
        for round in 0..=rounds {
            for filled in &mut all {
                // The first round only warms up.
                let calls = if round == 0 { calls / 10 } else { calls };
                let decision = filled.decide(&Call::sample(&mut numbers, filled.tokens, calls))?;
                let recorded = filled.check(&Call::sample(&mut numbers, filled.tokens, calls)).await?;
                if round > 0 {
                    filled.decision.push(decision);
                    filled.recorded.push(recorded);
                }
            }
        }
        let mut figures = Vec::new();
        for filled in all {
            let size = short(filled.tokens);
            figures.push(Figure::new(format!("in_process.decision.{size}"), "ns", filled.decision).target("<= 1000"));
            figures.push(Figure::new(format!("in_process.check.{size}"), "ns", filled.recorded).target("<= 1000"));
            // Below that, what a server has anyway hides what its tokens take.
            if filled.tokens >= 100_000 {
                figures.push(Figure::new(format!("in_process.memory.{size}"), "bytes/token", vec![filled.bytes]));
            }
            filled.running.stop().await;
        }
        Ok(figures)
    })
}

impl Filled {
    async fn start(place: &Path, world: &World, tokens: u64) -> Fallible<Self> {
        let running = start(&config(place, tokens)?).await?;
        let shown = Presented::Bearer(SecretString::from(world.verifier.as_str()));
        let verifier = running.app.verify.verifier(&shown).await.map_err(|problem| problem.detail)?;
        let before = machine::resident_bytes()?;
        fill(&running.app, world, tokens).await?;
        let bytes = (machine::resident_bytes()? - before) / as_f64(tokens);
        Ok(Self { running, verifier, tokens, bytes, decision: Vec::new(), recorded: Vec::new() })
    }

    /// Nanoseconds of one decision.
    fn decide(&self, calls: &[Call]) -> Fallible<f64> {
        let (verify, now) = (&self.running.app.verify, self.running.app.clock.now());
        let mut allowed = 0_usize;
        let began = Instant::now();
        for call in calls {
            let decision = verify.decide_from_memory(&self.verifier, &call.question(), now);
            allowed += usize::from(decision.is_some_and(Decision::is_allowed));
        }
        per_call(began, calls, allowed)
    }

    /// Nanoseconds of one check, with its record.
    async fn check(&self, calls: &[Call]) -> Fallible<f64> {
        let mut allowed = 0_usize;
        let mut out = Vec::with_capacity(1_024);
        let began = Instant::now();
        for call in calls {
            out.clear();
            let checked = self.running.app.verify.check(&self.verifier, &call.question(), &mut out).await;
            allowed += usize::from(checked.allowed);
        }
        per_call(began, calls, allowed)
    }
}

fn per_call(began: Instant, calls: &[Call], allowed: usize) -> Fallible<f64> {
    let nanoseconds = began.elapsed().as_secs_f64() * 1e9;
    if allowed != calls.len() {
        return Err(
            format!("{allowed} of {} calls were allowed: this is not the check that was meant", calls.len()).into()
        );
    }
    Ok(nanoseconds / as_f64(calls.len() as u64))
}

#[expect(clippy::cast_precision_loss, reason = "counts here are far below 2^52")]
pub(crate) const fn as_f64(count: u64) -> f64 {
    count as f64
}

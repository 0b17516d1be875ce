//! Floods, in process: tokens without form, unknown ones that are remembered, unknown ones that are new, and those that are
//! held back, beside known tokens in the same rounds.

use crate::fill::{Call, Numbers, fill, secret};
use crate::in_process::as_f64;
use crate::report::Figure;
use crate::world::{self, config};
use crate::{Fallible, Scale, machine};
use secrecy::SecretString;
use std::num::NonZeroU32;
use std::time::Instant;
use tegata::authn::Presented;
use tegata::serve::{Running, start};
use tegata::verify::check::Question;
use tegata::verify::entry::VerifierEntry;
use tegata_core::decide::Reason;

/// Tokens in memory.
const KNOWN: u64 = 100_000;
/// Unknown tokens that are shown again and again.
const REMEMBERED: u64 = 1_000;
/// What has no form.
const JUNK: &str = "Bearer of no good 0123456789abcdefghijklmnopqrstuv";

/// What a round measures: a name, the reason of every answer, how many checks, and how many at least it takes.
struct Kind {
    name: &'static str,
    reason: Reason,
    /// One in so many calls of the round.
    share: usize,
    rounds: Vec<f64>,
}

/// Measures all of it in one process, rounds interleaved.
pub fn run(scale: Scale) -> Fallible<Vec<Figure>> {
    let (rounds, calls): (usize, usize) = if scale.quick { (3, 20_000) } else { (9, 200_000) };
    let directory = tempfile::tempdir()?;
    let prepared = directory.path().join("prepared");
    let world = world::prepare(&prepared)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        // Two servers: one that holds nobody back, and one that soon does.
        let mut open = config(&world::copy(&prepared, &directory.path().join("open"))?, KNOWN)?;
        open.unknown.lookups_per_second = NonZeroU32::new(1_000_000).unwrap_or(NonZeroU32::MIN);
        let mut strict = config(&world::copy(&prepared, &directory.path().join("strict"))?, 0)?;
        strict.unknown.lookups_per_second = NonZeroU32::MIN;
        let open = Server::start(&open, &world.verifier).await?;
        let strict = Server::start(&strict, &world.verifier).await?;
        fill(&open.running.app, &world, KNOWN).await?;
        eprintln!("junk: {rounds} rounds of {calls} calls; load average {}", machine::load_average());
        let kind = |name, reason, share| Kind { name, reason, share, rounds: Vec::new() };
        let mut kinds = [
            kind("known", Reason::Granted, 1),
            kind("malformed", Reason::Malformed, 1),
            kind("remembered", Reason::Unknown, 1),
            kind("new", Reason::Unknown, 20),
            kind("held_back", Reason::RateLimited, 1),
        ];
        let mut numbers = Numbers::new(1);
        // Beyond the numbers of known tokens.
        let mut fresh = KNOWN * 2;
        for round in 0..=rounds {
            for kind in &mut kinds {
                let count = if round == 0 { calls / 10 } else { calls } / kind.share;
                let asked = match kind.name {
                    "known" => Call::sample(&mut numbers, KNOWN, count),
                    "malformed" => (0..count).map(|_| Call { token: JUNK.to_owned(), ..Call::of(0) }).collect(),
                    "remembered" => (0..count as u64).map(|number| Call::of(KNOWN + number % REMEMBERED)).collect(),
                    _ => {
                        let first = fresh;
                        fresh += count as u64;
                        (first..fresh)
                            .map(|number| Call { token: secret(number), ..Call::of(number) })
                            .collect::<Vec<_>>()
                    }
                };
                let server = if kind.name == "held_back" { &strict } else { &open };
                // The first round fills what is to be remembered, and takes what is free before anybody is held back.
                let warm = round == 0;
                let nanoseconds = server.check(&asked, (!warm).then_some(kind.reason)).await?;
                if !warm {
                    kind.rounds.push(nanoseconds);
                }
            }
        }
        open.running.stop().await;
        strict.running.stop().await;
        Ok(figures(&kinds))
    })
}

/// Checks a second of known tokens, and of the others how many times as many.
fn figures(kinds: &[Kind]) -> Vec<Figure> {
    let known = kinds.first().map(|kind| kind.rounds.clone()).unwrap_or_default();
    let figure = |kind: &Kind| {
        if kind.reason == Reason::Granted {
            let rounds = kind.rounds.iter().map(|nanoseconds| 1e9 / nanoseconds).collect();
            return Figure::new("junk.known", "checks/s", rounds);
        }
        let ratios = known.iter().zip(&kind.rounds).map(|(known, own)| known / own).collect();
        Figure::new(format!("junk.{}", kind.name), "of known", ratios).reference("known tokens, same round")
    };
    kinds.iter().map(figure).collect()
}

/// A server and a verifier of it.
struct Server {
    running: Running,
    verifier: std::sync::Arc<VerifierEntry>,
}

impl Server {
    async fn start(config: &tegata::serve::Config, verifier: &str) -> Fallible<Self> {
        let running = start(config).await?;
        let shown = Presented::Bearer(SecretString::from(verifier));
        let verifier = running.app.verify.verifier(&shown).await.map_err(|problem| problem.detail)?;
        Ok(Self { running, verifier })
    }

    /// Nanoseconds of one check, all of which end for this reason.
    async fn check(&self, calls: &[Call], reason: Option<Reason>) -> Fallible<f64> {
        let mut right = 0_usize;
        let mut out = Vec::with_capacity(1_024);
        let began = Instant::now();
        for call in calls {
            out.clear();
            // The organization is in the path; the address is the same for all, as a flood's may be.
            let question: Question<'_> = call.question();
            let checked = self.running.app.verify.check(&self.verifier, &question, &mut out).await;
            right += usize::from(reason.is_none_or(|reason| checked.reason == reason));
        }
        let nanoseconds = began.elapsed().as_secs_f64() * 1e9;
        // While somebody is held back, one or two a second are not.
        if right + 100 < calls.len() {
            return Err(
                format!("{right} of {} answers were {reason:?}: not the flood that was meant", calls.len()).into()
            );
        }
        Ok(nanoseconds / as_f64(calls.len() as u64))
    }
}

//! Decisions on one token, for callgrind to count: what it counts is what happens inside [`counted_decisions`].

use crate::Fallible;
use crate::fill::{Call, fill};
use crate::world::{World, config};
use secrecy::SecretString;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;
use tegata::authn::Presented;
use tegata::verify::Verify;
use tegata::verify::check::Question;
use tegata::verify::entry::VerifierEntry;
use tegata_core::time::Timestamp;

/// Decisions that are counted; `bench/run` divides by it.
const DECISIONS: u32 = 100;
/// Tokens in memory.
const TOKENS: u64 = 1_000;

/// Decides on one token over a prepared directory.
pub fn run(directory: &Path) -> Fallible<()> {
    let world = World::read(directory)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let opened = tegata::serve::open(&config(directory, TOKENS)?).await?;
        fill(&opened.app, &world, TOKENS).await?;
        let verify = &opened.app.verify;
        let shown = Presented::Bearer(SecretString::from(world.verifier.as_str()));
        let verifier = verify.verifier(&shown).await.map_err(|problem| problem.detail)?;
        let call = Call::of(123);
        let now = opened.app.clock.now();
        // Nobody else has this directory; what renews the lease of a server is not running here.
        verify.lease().renew(Instant::now());
        let Some(decision) = verify.decide_from_memory(&verifier, &call.question(), now) else {
            return Err("the token is not in memory".into());
        };
        if !decision.is_allowed() {
            return Err("the call is not allowed: this is not the check that was meant".into());
        }
        counted_decisions(verify, &verifier, &call.question(), now);
        println!("{DECISIONS}");
        opened.close().await;
        Ok(())
    })
}

/// The function that callgrind is told to count, by its name.
#[inline(never)]
fn counted_decisions(verify: &Verify, verifier: &VerifierEntry, question: &Question<'_>, now: Timestamp) {
    for _ in 0..DECISIONS {
        black_box(verify.decide_from_memory(verifier, black_box(question), now));
    }
}

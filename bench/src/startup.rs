//! Starting with many tokens in the database: until the first check can be answered, and until all tokens are in
//! memory. The rows are written past the API, in large transactions: one call each would take hours.

use crate::fill::{Call, Numbers, secret};
use crate::in_process::as_f64;
use crate::machine::load_average;
use crate::report::{Figure, short};
use crate::world::{self, PERMISSION, World, config};
use crate::{Fallible, Scale};
use secrecy::SecretString;
use std::path::Path;
use std::time::{Duration, Instant};
use tegata::app::App;
use tegata::authn::Presented;
use tegata::db::{self, DbError, WriteTx};
use tegata::serve::{Config, start};
use tegata_core::credential::{Coverage, CredentialKind, CredentialState, GrantState};
use tegata_core::ids::{GrantId, TokenId};
use tegata_core::owner::Owner;
use tegata_core::time::Timestamp;

/// Tokens that are written in one transaction.
const STEP: u64 = 50_000;
/// How often it is looked whether all tokens are in memory.
const LOOK: Duration = Duration::from_millis(1);

/// What was measured of one size.
#[derive(Debug, Default)]
struct Starts {
    /// Seconds until a check of a token that is not in memory was answered.
    answering: Vec<f64>,
    /// Seconds until all were in memory.
    filled: Vec<f64>,
}

/// Measures all sizes, each in a process of its own database.
pub fn run(scale: Scale) -> Fallible<Vec<Figure>> {
    let (sizes, rounds): (&[u64], _) =
        if scale.quick { (&[1_000, 100_000], 3) } else { (&[1_000, 1_000_000, 10_000_000], 3) };
    let directory = tempfile::tempdir()?;
    let prepared = directory.path().join("prepared");
    let world = world::prepare(&prepared)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        let mut figures = Vec::new();
        for tokens in sizes {
            let name = short(*tokens);
            let place = world::copy(&prepared, &directory.path().join(&name))?;
            store(&config(&place, *tokens)?, &world, *tokens).await?;
            eprintln!("starting with {name} tokens: {rounds} rounds; load average {}", load_average());
            let mut starts = Starts::default();
            for _ in 0..rounds {
                starts.measure(&place, &world, *tokens).await?;
            }
            figures.push(Figure::new(format!("start.answering.{name}"), "s", starts.answering));
            figures.push(Figure::new(format!("start.filled.{name}"), "s", starts.filled.clone()));
            let rates = starts.filled.iter().map(|seconds| as_f64(*tokens) / seconds).collect();
            figures.push(Figure::new(format!("start.rate.{name}"), "tokens/s", rates));
            std::fs::remove_dir_all(&place)?;
        }
        Ok(figures)
    })
}

impl Starts {
    async fn measure(&mut self, place: &Path, world: &World, tokens: u64) -> Fallible<()> {
        let wanted = usize::try_from(tokens)?;
        let config = Config { preload: wanted, ..config(place, tokens)? };
        let began = Instant::now();
        let running = start(&config).await?;
        let verify = &running.app.verify;
        let shown = Presented::Bearer(SecretString::from(world.verifier.as_str()));
        let verifier = verify.verifier(&shown).await.map_err(|problem| problem.detail)?;
        // The oldest is the last to come into memory by itself.
        let call = Call::of(0);
        let checked = verify.check(&verifier, &call.question(), &mut Vec::new()).await;
        if !checked.allowed {
            return Err(format!("the first check was answered with {}", checked.reason.as_str()).into());
        }
        self.answering.push(began.elapsed().as_secs_f64());
        while verify.tokens_in_memory() < wanted {
            tokio::time::sleep(LOOK).await;
        }
        self.filled.push(began.elapsed().as_secs_f64());
        running.stop().await;
        Ok(())
    }
}

/// Writes tokens into the database of a prepared directory.
async fn store(config: &Config, world: &World, count: u64) -> Fallible<()> {
    let running = start(config).await?;
    let mut numbers = Numbers::new(count);
    let mut done = 0;
    while done < count {
        let end = count.min(done + STEP);
        let mut tx = running.app.db.write().await?;
        for number in done..end {
            insert(&mut tx, &running.app, world, number, &mut numbers).await?;
        }
        tx.commit().await?;
        done = end;
        eprintln!("storing: {done} of {count} tokens");
    }
    running.stop().await;
    Ok(())
}

async fn insert(tx: &mut WriteTx, app: &App, world: &World, number: u64, numbers: &mut Numbers) -> Result<(), DbError> {
    let now = app.clock.now();
    let mut entropy = || {
        let mut bytes = [0; 10];
        bytes[..8].copy_from_slice(&numbers.next().to_be_bytes());
        bytes
    };
    let place = usize::try_from(number).unwrap_or(0);
    let token = db::tokens::Token {
        id: TokenId::new(now.as_millis(), entropy()),
        owner: Owner::User(world.users[place % world.users.len()]),
        kind: CredentialKind::PersonalToken,
        coverage: Coverage::Listed,
        name: format!("token {number}"),
        state: CredentialState::Active,
        reason: "benchmark".to_owned(),
        addresses: Vec::new(),
        created_by: world.users[place % world.users.len()],
        created_at: now,
        expires_at: Timestamp::from_micros(now.as_micros() + 30 * 86_400_000_000),
        revoked_at: None,
    };
    let grant = db::grants::StoredGrant {
        id: GrantId::new(now.as_millis(), entropy()),
        org: world.org,
        token: token.id,
        api: world.api,
        context: Some(world.contexts[place % world.contexts.len()]),
        permissions: vec![PERMISSION.to_owned()],
        state: GrantState::Granted,
        self_granted: false,
        line: None,
        asked: None,
        until: None,
        access_policy: None,
        decided: None,
        created_at: now,
    };
    db::tokens::insert(tx, &token).await?;
    db::tokens::insert_part(tx, world.org, token.id, now).await?;
    db::grants::insert(tx, &grant).await?;
    let digest = app.hasher.digest(&secret(number));
    db::secrets::insert(tx, digest, app.hasher.key_id(), &token.id.to_string(), now).await
}

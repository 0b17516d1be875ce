//! Tokens that exist in memory only. Their secrets follow from their numbers, so that ten million of them can be
//! shown without being kept.

use crate::Fallible;
use crate::world::{API, PERMISSION, World, repository};
use std::time::{Duration, Instant};
use tegata::app::App;
use tegata::verify::check::{Question, What};
use tegata::verify::entry::{Noted, PartEntry, TokenEntry};
use tegata_core::bits::PermissionSet;
use tegata_core::credential::{Coverage, CredentialKind, CredentialState, GrantState, PartState};
use tegata_core::decide::Grant;
use tegata_core::ids::TokenId;
use tegata_core::owner::Owner;
use tegata_core::secret::{Product, SecretKind, compose};
use tegata_core::time::Timestamp;

/// Tokens that are put into memory at a time.
const STEP: u64 = 10_000;
/// How often the progress is told.
const TOLD_EVERY: Duration = Duration::from_secs(2);

/// Numbers that look random and are the same every time (Steele, Lea and Flood's `SplitMix64`).
#[derive(Debug, Clone)]
pub struct Numbers(u64);

impl Numbers {
    /// A sequence of its own for each seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next one.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// The next one below a bound; the small bias does not matter here.
    pub const fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// The secret of a token.
pub fn secret(number: u64) -> String {
    // Seeds lie far apart, so that no two tokens share a stretch of numbers.
    let mut numbers = Numbers::new(number.wrapping_mul(0xd134_2543_de82_ef95).rotate_left(17));
    compose(&Product::default(), SecretKind::PersonalToken, &mut |buffer| {
        for chunk in buffer.chunks_mut(8) {
            chunk.copy_from_slice(&numbers.next().to_le_bytes()[..chunk.len()]);
        }
    })
}

/// A call with a token that is allowed.
#[derive(Debug, Clone)]
pub struct Call {
    /// The token's secret.
    pub token: String,
    /// The path.
    pub path: String,
}

impl Call {
    /// The call of one token.
    pub fn of(number: u64) -> Self {
        Self { token: secret(number), path: format!("/repos/{}/issues", repository(number)) }
    }

    /// Calls of random tokens.
    pub fn sample(numbers: &mut Numbers, tokens: u64, count: usize) -> Vec<Self> {
        (0..count).map(|_| Self::of(numbers.below(tokens))).collect()
    }

    /// What a gateway asks about it.
    pub fn question(&self) -> Question<'_> {
        Question {
            token: &self.token,
            api: API,
            what: What::Endpoint { method: "GET", path: &self.path },
            organization: None,
            address: Some(std::net::Ipv4Addr::new(203, 0, 113, 9).into()),
            user_agent: Some("octokit-rest.js/21.0.2"),
            request_id: Some("0f6c7a52b4d14a7f"),
        }
    }
}

/// Puts this many tokens into memory.
pub async fn fill(app: &App, world: &World, count: u64) -> Fallible<()> {
    let permissions = {
        let mut tx = app.db.read().await?;
        let loaded = app.catalogues.of(&mut tx, API).await?.ok_or("the catalogue is missing")?;
        let number = loaded.catalogue.number(PERMISSION).ok_or("the permission is missing")?;
        loaded.catalogue.with_implied(&[number].into_iter().collect())
    };
    let now = app.clock.now();
    let mut told = Instant::now();
    let mut done = 0;
    while done < count {
        let end = count.min(done + STEP);
        let tokens: Vec<_> = (done..end)
            .map(|number| (app.hasher.digest(&secret(number)), entry(world, number, &permissions, now)))
            .collect();
        app.verify.install(tokens).await?;
        done = end;
        if told.elapsed() >= TOLD_EVERY {
            told = Instant::now();
            eprintln!("filling: {done} of {count} tokens");
        }
    }
    Ok(())
}

fn entry(world: &World, number: u64, permissions: &PermissionSet, now: Timestamp) -> TokenEntry {
    let place = usize::try_from(number).unwrap_or(0);
    let mut entropy = [0; 10];
    entropy[..8].copy_from_slice(&number.to_be_bytes());
    let context = Some(world.contexts[place % world.contexts.len()]);
    let grant = Grant::new(world.api, context, permissions.clone(), GrantState::Granted);
    TokenEntry {
        id: TokenId::new(now.as_millis(), entropy),
        kind: CredentialKind::PersonalToken,
        name: format!("token {number}").into(),
        coverage: Coverage::Listed,
        owner: Owner::User(world.users[place % world.users.len()]),
        state: CredentialState::Active,
        expires_at: Timestamp::from_micros(now.as_micros() + 30 * 86_400_000_000),
        addresses: Box::default(),
        parts: [PartEntry {
            org: world.org,
            state: PartState::Active,
            grants: [grant].into(),
            noted: Noted::default(),
        }]
        .into(),
        used: true.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tegata_core::secret::classify;

    #[test]
    fn secrets_are_well_formed_and_differ() {
        let mut secrets: Vec<_> = (0..1_000).map(secret).collect();
        assert!(secrets.iter().all(|text| classify(&Product::default(), text) == Some(SecretKind::PersonalToken)));
        assert_eq!(secret(7), secrets[7], "the same every time");
        secrets.sort();
        secrets.dedup();
        assert_eq!(secrets.len(), 1_000);
    }
}

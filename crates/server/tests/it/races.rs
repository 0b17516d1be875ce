//! Refills against stops. The memory of the server is made so small that entries come and go all the time, while
//! tokens are shown without pause and their owners, roles and states change under them. A check that begins after a
//! stop was answered says no, for the right reason; one that begins after it was let go on says yes.

use crate::support::{Client, Server};
use crate::town::{Town, doors_check, doors_token, text};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use tegata::serve::start;
use tegata::verify::bytes::OF_A_SLOT;
use tokio::task::JoinSet;

/// Most tokens in memory: far fewer than are shown.
const TOKENS_IN_MEMORY: usize = 4;
/// How many tasks show tokens.
const CHECKERS: usize = 6;
/// How often what can be undone is done and undone.
const FLIPS: usize = 12;

/// A way to stop tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stop {
    Revoke,
    RevokeHere,
    Block,
    DeactivateMember,
    DeactivateAccount,
    TakeRole,
    TakeFromTeam,
}

impl Stop {
    const ALL: [Self; 7] = [
        Self::Revoke,
        Self::RevokeHere,
        Self::Block,
        Self::DeactivateMember,
        Self::DeactivateAccount,
        Self::TakeRole,
        Self::TakeFromTeam,
    ];

    /// What a check says when it was done.
    const fn reason(self) -> &'static str {
        match self {
            Self::Revoke | Self::RevokeHere | Self::DeactivateMember => "revoked",
            Self::Block => "blocked",
            Self::DeactivateAccount => "owner_inactive",
            Self::TakeRole | Self::TakeFromTeam => "owner_lacks_permission",
        }
    }

    const fn is_final(self) -> bool {
        matches!(self, Self::Revoke | Self::RevokeHere | Self::DeactivateMember)
    }
}

/// A token, and how it is about to be stopped.
struct Subject {
    stop: Stop,
    token: String,
    secret: String,
    user: String,
    /// Who owns it.
    owner: Client,
    /// The assignment that is taken, and given again under another id.
    assignment: String,
    /// Odd while a change is under way; halved and even: it goes on, halved and odd: it is stopped.
    phase: AtomicU64,
}

/// Where everything is.
struct Arena {
    root: Client,
    admin: Client,
    gateway: Client,
    role: String,
    house: String,
    team: String,
    subjects: Vec<Subject>,
}

impl Arena {
    async fn build(server: &Server, each: usize) -> Self {
        let town = Town::found(server).await;
        let role = town.doors_role().await;
        let team = town.make("teams", json!({"key": "crew", "name": "Crew"})).await;
        let body = json!({"role": role, "principal": {"type": "team", "id": team}, "context": town.house});
        town.make("assignments", body).await;
        let mut subjects = Vec::new();
        for stop in Stop::ALL {
            for number in 0..each {
                let name = format!("{stop:?}-{number}").to_lowercase();
                let owner = town.member(server, &name, "member").await;
                let mut assignment = String::new();
                if stop == Stop::TakeFromTeam {
                    let path = format!("/v1/orgs/octo/teams/{team}/members/{}", owner.id);
                    town.admin.client.put(&path, json!({})).await.status(200);
                } else {
                    assignment = town.give(&role, &owner.id).await;
                }
                let (token, secret) = doors_token(&owner.client, &server.in_days(10)).await;
                let (user, owner) = (owner.id, owner.client);
                subjects.push(Subject { stop, token, secret, user, owner, assignment, phase: AtomicU64::new(0) });
            }
        }
        let gateway = server.verifier(&town.root, "town").await;
        let (root, admin, house) = (town.root, town.admin.client, town.house);
        Self { root, admin, gateway, role, house, team, subjects }
    }

    /// The same at another address.
    fn moved(mut self, base: &str) -> Self {
        let moved = |client: &Client| Client::new(base, client.token.as_deref());
        for client in [&mut self.root, &mut self.admin, &mut self.gateway] {
            *client = moved(client);
        }
        for subject in &mut self.subjects {
            subject.owner = moved(&subject.owner);
        }
        self
    }

    async fn stop(&self, subject: &Subject, assignment: &str) {
        let Subject { token, user, .. } = subject;
        let reply = match subject.stop {
            Stop::Revoke => subject.owner.post(&format!("/v1/me/tokens/{token}/revoke"), json!({})).await,
            Stop::RevokeHere => self.admin.post(&format!("/v1/orgs/octo/tokens/{token}/revoke"), json!({})).await,
            Stop::Block => self.admin.post(&format!("/v1/orgs/octo/tokens/{token}/block"), json!({})).await,
            Stop::DeactivateMember => {
                self.admin.post(&format!("/v1/orgs/octo/members/{user}/deactivate"), json!({})).await
            }
            Stop::DeactivateAccount => self.root.post(&format!("/v1/users/{user}/deactivate"), json!({})).await,
            Stop::TakeRole => self.admin.delete(&format!("/v1/orgs/octo/assignments/{assignment}")).await,
            Stop::TakeFromTeam => self.admin.delete(&format!("/v1/orgs/octo/teams/{}/members/{user}", self.team)).await,
        };
        assert_eq!(reply.status(200)["verifiers"][0]["applied"], true, "{:?}: {}", subject.stop, reply.body);
    }

    /// Lets it go on; returns the assignment that it is to be taken by next.
    async fn undo(&self, subject: &Subject) -> String {
        let Subject { token, user, .. } = subject;
        match subject.stop {
            Stop::Block => {
                self.admin.post(&format!("/v1/orgs/octo/tokens/{token}/unblock"), json!({})).await.status(200);
            }
            Stop::DeactivateAccount => {
                self.root.post(&format!("/v1/users/{user}/activate"), json!({})).await.status(200);
            }
            Stop::TakeRole => {
                let principal = json!({"type": "user", "id": user});
                let body = json!({"role": self.role, "principal": principal, "context": self.house});
                let reply = self.admin.post("/v1/orgs/octo/assignments", body).await;
                return text(reply.status(201), "id");
            }
            Stop::TakeFromTeam => {
                let path = format!("/v1/orgs/octo/teams/{}/members/{user}", self.team);
                self.admin.put(&path, json!({})).await.status(200);
            }
            Stop::Revoke | Stop::RevokeHere | Stop::DeactivateMember => panic!("this is final"),
        }
        String::new()
    }

    /// Stops everything of one kind, one after the other, and lets go on what can.
    async fn change(self: Arc<Self>, stop: Stop) {
        let mine = || self.subjects.iter().filter(move |subject| subject.stop == stop);
        let mut assignments: BTreeMap<&str, String> =
            mine().map(|subject| (subject.token.as_str(), subject.assignment.clone())).collect();
        for _ in 0..if stop.is_final() { 1 } else { FLIPS } {
            for subject in mine() {
                subject.phase.fetch_add(1, Ordering::SeqCst);
                self.stop(subject, &assignments[subject.token.as_str()]).await;
                subject.phase.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(if stop.is_final() { 60 } else { 3 })).await;
            }
            if stop.is_final() {
                return;
            }
            for subject in mine() {
                subject.phase.fetch_add(1, Ordering::SeqCst);
                let assignment = self.undo(subject).await;
                subject.phase.fetch_add(1, Ordering::SeqCst);
                assignments.insert(subject.token.as_str(), assignment);
            }
        }
    }

    /// Shows one token after the other; tells what was not as it has to be.
    async fn show(self: Arc<Self>, seed: usize, end: Arc<AtomicBool>, counted: Arc<AtomicUsize>) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut next = seed.wrapping_mul(7919);
        while !end.load(Ordering::SeqCst) {
            // A generator is enough to keep the tasks from showing the same tokens in the same order.
            next = next.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let subject = &self.subjects[(next >> 33) % self.subjects.len()];
            let before = subject.phase.load(Ordering::SeqCst);
            let answer = self.gateway.verify(doors_check(&subject.secret)).await;
            let after = subject.phase.load(Ordering::SeqCst);
            if before != after || before % 2 == 1 {
                continue;
            }
            counted.fetch_add(1, Ordering::Relaxed);
            let stopped = (before / 2) % 2 == 1;
            let expected = if stopped { subject.stop.reason() } else { "granted" };
            if answer["reason"] != expected || answer["allowed"] == stopped {
                wrong
                    .push(format!("{:?} in phase {before}: {} rather than {expected}", subject.stop, answer["reason"]));
            }
        }
        wrong
    }
}

both_databases! {
    async fn a_refill_never_brings_back_what_was_stopped(server: Server) {
        let arena = Arena::build(&server, 3).await;
        let Server { running, mut config, directory, .. } = server;
        running.stop().await;
        config.cache_bytes = TOKENS_IN_MEMORY * OF_A_SLOT;
        let running = start(&config).await.unwrap();
        let arena = Arc::new(arena.moved(&format!("http://{}", running.address)));

        let (end, counted) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let mut checkers = JoinSet::new();
        for seed in 1..=CHECKERS {
            checkers.spawn(Arc::clone(&arena).show(seed, Arc::clone(&end), Arc::clone(&counted)));
        }
        let mut changes = JoinSet::new();
        for stop in Stop::ALL {
            changes.spawn(Arc::clone(&arena).change(stop));
        }
        changes.join_all().await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert!(running.app.verify.tokens_in_memory() <= TOKENS_IN_MEMORY, "the memory is as small as it was made");
        end.store(true, Ordering::SeqCst);
        let wrong: Vec<String> = checkers.join_all().await.into_iter().flatten().collect();
        let counted = counted.load(Ordering::Relaxed);
        assert!(wrong.is_empty(), "{} of {counted}: {:#?}", wrong.len(), &wrong[..wrong.len().min(12)]);
        assert!(counted > 300, "only {counted} checks had one right answer");

        // What was final is final in a fresh memory too.
        running.stop().await;
        let running = start(&config).await.unwrap();
        let gateway = Client::new(&format!("http://{}", running.address), arena.gateway.token.as_deref());
        for subject in &arena.subjects {
            let expected = if subject.stop.is_final() { subject.stop.reason() } else { "granted" };
            let answer = gateway.verify(doors_check(&subject.secret)).await;
            assert_eq!(answer["reason"], expected, "{:?}", subject.stop);
        }
        drop(directory);
    }

    async fn a_verifier_that_was_stopped_asks_nothing_more(server: Server) {
        let town = Town::found(&server).await;
        for _ in 0..4 {
            let reply = town.root.post("/v1/verifiers", json!({"name": "Gate", "apis": ["town"]})).await;
            let (id, gateway) = (text(reply.status(201), "id"), town.root.with(&text(&reply.body, "token")));
            let stopped = Arc::new(AtomicBool::new(false));
            let mut askers = JoinSet::new();
            for _ in 0..3 {
                let (gateway, stopped) = (gateway.clone(), Arc::clone(&stopped));
                askers.spawn(async move {
                    loop {
                        let begins_after = stopped.load(Ordering::SeqCst);
                        let reply = gateway.post("/v1/verify", doors_check("junk")).await;
                        if begins_after {
                            reply.problem("unauthenticated");
                            return;
                        }
                    }
                });
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            town.root.post(&format!("/v1/verifiers/{id}/revoke"), json!({})).await.status(200);
            stopped.store(true, Ordering::SeqCst);
            askers.join_all().await;
        }
    }
}

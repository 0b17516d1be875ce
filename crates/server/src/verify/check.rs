//! One check: from a question to an answer that is recorded. What is in memory is answered without a database and
//! without a lock; a cold credential costs one bounded reading.

mod binding;
mod draft;
mod evaluate;
mod judge;
mod suppose;
mod target;

pub use evaluate::{Asked, Cold, Found, Known, Sought};
pub use suppose::{Past, Takes};
pub use target::Wanted;

use super::Verify;
use super::entry::VerifierEntry;
use super::index::View;
use super::recording::RecordFailure;
use super::tokens::Room;
use crate::authn::descriptor::{self, Descriptor};
use crate::authn::{Digest, Presented};
use draft::{Drafts, Fate};
use evaluate::SOUGHT_AHEAD;
use secrecy::ExposeSecret as _;
use std::cell::Cell;
use std::net::IpAddr;
use std::sync::Arc;
use tegata_core::decide::{Decision, Reason};
use tegata_core::ids::ApiId;
use tegata_core::problem::{Code, Problem};
use tegata_core::secret::{SecretKind, classify};
use tegata_core::time::Timestamp;

/// What a verifier asks.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// What was shown to the verifier: a token, or a [pair](super::clients) of client id and secret.
    pub token: &'a str,
    /// The API, by its key.
    pub api: &'a str,
    /// What the call wants.
    pub what: What<'a>,
    /// The organization, where the verifier knows it.
    pub organization: Option<&'a str>,
    /// The address of the caller, as the verifier saw it.
    pub address: Option<IpAddr>,
    /// The program of the caller.
    pub user_agent: Option<&'a str>,
    /// The id of the caller's request.
    pub request_id: Option<&'a str>,
}

/// What a call wants.
#[derive(Debug, Clone, Copy)]
pub enum What<'a> {
    /// An endpoint of the API.
    Endpoint {
        /// The method.
        method: &'a str,
        /// The path as it came in, still encoded; a query is not looked at.
        path: &'a str,
    },
    /// A permission, in a place: `project:key:MY-APP`; none for the whole organization.
    Permission {
        /// The permission's name.
        permission: &'a str,
        /// The place.
        context: Option<&'a str>,
    },
}

/// What was decided from memory; its answer was written, and its record handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "the answer may not leave before its record is safe"]
pub struct Pending {
    checked: Checked,
    /// The record that has to be on disk first.
    through: Option<u64>,
    /// Where the answer begins.
    start: usize,
}

impl Pending {
    /// What was decided, where the answer may leave at once; otherwise it is for [`Verify::confirm`].
    pub const fn done(&self) -> Option<Checked> {
        match self.through {
            None => Some(self.checked),
            Some(_) => None,
        }
    }
}

/// What was decided about a question; its answer was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checked {
    /// Whether the call may go on.
    pub allowed: bool,
    /// Why.
    pub reason: Reason,
}

impl Checked {
    /// Where nothing could be decided.
    const NOTHING: Self = Self { allowed: false, reason: Reason::RecordUnavailable };
}

thread_local! {
    /// The drafts of this thread, taken out while they are in use: their memory is used again.
    static DRAFTS: Cell<Drafts> = Cell::default();
}

impl Verify {
    /// Who asks: the verifier whose credential was shown.
    pub async fn verifier(&self, presented: &Presented) -> Result<Arc<VerifierEntry>, Problem> {
        self.identify(presented).await.map(|(_, verifier)| verifier)
    }

    /// The same, with the digest under which it was found.
    pub(super) async fn identify(&self, presented: &Presented) -> Result<(Digest, Arc<VerifierEntry>), Problem> {
        let refused = |why| Err(Problem::new(Code::Unauthenticated, why));
        let Presented::Bearer(secret) = presented else {
            return refused("send the verifier's credential as `Authorization: Bearer …`");
        };
        let text = secret.expose_secret();
        if classify(&self.product, text) != Some(SecretKind::Verifier) {
            return refused("checks are asked with a verifier's credential, and this is none");
        }
        let now = self.clock.now();
        for digest in [Some(self.hasher.digest(text)), self.hasher.previous_digest(text)].into_iter().flatten() {
            let mut found = self.index.verifiers.pin().get(&digest).cloned();
            if found.is_none() {
                match self.refill_verifier(digest).await.map_err(crate::ops::act::internal)? {
                    Some(true) => found = self.index.verifiers.pin().get(&digest).cloned(),
                    Some(false) => {}
                    None => {
                        return Err(Problem::new(
                            Code::Unavailable,
                            "too many unknown credentials are shown; try again",
                        ));
                    }
                }
            }
            if let Some(verifier) = found {
                if !verifier.may_ask(now) {
                    return refused("this verifier's credential was stopped");
                }
                return Ok((digest, verifier));
            }
        }
        refused("nobody knows this verifier")
    }

    /// The key of the only API that a verifier asks about; none where there are several.
    pub fn only_api(&self, verifier: &VerifierEntry) -> Option<String> {
        let [only] = verifier.apis.as_ref() else { return None };
        self.index.apis.load().values().find(|loaded| loaded.id == *only).map(|loaded| loaded.key.clone())
    }

    /// Decides one call from memory alone, without a record: what the rule says of what is known here. None where the
    /// credential is not in memory. For measurements; whoever asks in earnest is answered by [`Verify::check`].
    pub fn decide_from_memory(
        &self,
        verifier: &VerifierEntry,
        question: &Question<'_>,
        now: Timestamp,
    ) -> Option<Decision> {
        let view = self.index.view();
        let sought = self.seek(&view, std::iter::once(question.token)).pop()?;
        let loaded = view.api(question.api).filter(|loaded| verifier.apis.contains(&loaded.id))?;
        let wanted = Wanted::find(loaded, &question.what);
        let mut room = Room::Empty;
        let shown = self.shown(&view, sought, question.token, Cold::NotAsked, &mut room);
        let mut found = Found::denied(Reason::Unknown);
        let asked = Asked { view: &view, loaded, wanted: &wanted, question, now, cold: Cold::NotAsked };
        let known = asked.evaluate(shown, &mut found);
        (known == Known::All).then_some(found.decision)
    }

    /// Decides and records one call, and writes the answer behind what is in `out`.
    pub async fn check(&self, verifier: &VerifierEntry, question: &Question<'_>, out: &mut Vec<u8>) -> Checked {
        if let Some(pending) = self.check_from_memory(verifier, question, out) {
            return self.confirm(pending, out).await;
        }
        let start = out.len();
        let mut drafts = DRAFTS.take();
        let through = self.answer(verifier, std::slice::from_ref(question), &mut drafts, out).await;
        let checked = drafts.take().next().unwrap_or(Checked::NOTHING);
        DRAFTS.set(drafts);
        self.confirm(Pending { checked, through, start }, out).await
    }

    /// Waits until the record of an answer is safe, which it is at once unless records are always flushed. Where that
    /// fails, the answer becomes a no, unless the operator chose otherwise.
    pub async fn confirm(&self, pending: Pending, out: &mut Vec<u8>) -> Checked {
        let mut checked = [pending.checked];
        self.confirm_all(&mut checked, pending.through, pending.start, out).await;
        let [checked] = checked;
        checked
    }

    async fn confirm_all(&self, checked: &mut [Checked], through: Option<u64>, start: usize, out: &mut Vec<u8>) {
        let Some(through) = through else { return };
        if let Err(error) = self.journal.on_disk(through).await {
            self.recording.failed(checked.len() as u64, &error);
            if self.recording.on_failure() == RecordFailure::Deny {
                draft::refuse(checked, start, out);
            }
        }
    }

    /// The same, where memory is enough; otherwise nothing is recorded or written.
    pub fn check_from_memory(
        &self,
        verifier: &VerifierEntry,
        question: &Question<'_>,
        out: &mut Vec<u8>,
    ) -> Option<Pending> {
        let mut drafts = DRAFTS.take();
        let start = out.len();
        let left = self.answer_warm(verifier, std::slice::from_ref(question), &mut drafts, start, out);
        let through = if left.is_empty() { self.record(&mut drafts, start, out) } else { None };
        let checked = drafts.take().next();
        DRAFTS.set(drafts);
        checked.map(|checked| Pending { checked, through, start })
    }

    /// Decides and records many calls, and writes the answers behind what is in `out`, separated by commas. The records
    /// are written at once: all of them, or none, and then all answers are no, unless the operator chose otherwise.
    pub async fn check_batch(
        &self,
        verifier: &VerifierEntry,
        questions: &[Question<'_>],
        out: &mut Vec<u8>,
    ) -> Vec<Checked> {
        let start = out.len();
        let mut drafts = Drafts::default();
        let through = self.answer(verifier, questions, &mut drafts, out).await;
        let mut checked: Vec<_> = drafts.take().collect();
        self.confirm_all(&mut checked, through, start, out).await;
        checked
    }

    async fn answer(
        &self,
        verifier: &VerifierEntry,
        questions: &[Question<'_>],
        drafts: &mut Drafts,
        out: &mut Vec<u8>,
    ) -> Option<u64> {
        let start = out.len();
        let mut left = questions;
        loop {
            left = self.answer_warm(verifier, left, drafts, start, out);
            let Some((question, rest)) = left.split_first() else { break };
            // What was read is handed on, since memory may have let it go again before it is looked at.
            let read = self.look_up(verifier, question).await;
            separate(start, out);
            let view = self.index.view();
            let now = self.clock.now();
            let sought = self.seek(&view, std::iter::once(question.token));
            match &read {
                Ok(read) => {
                    let cold = read.cold();
                    for sought in sought {
                        self.answer_one(&view, verifier, question, sought, now, cold, drafts, out);
                    }
                }
                Err(error) => {
                    // The truth cannot be read, so nothing is known about what was revoked.
                    tracing::error!(%error, "a credential could not be read");
                    drafts.push(question, None, &Found::denied(Reason::LeaseLost), now, self.fate(), out);
                }
            }
            left = rest;
        }
        self.record(drafts, start, out)
    }

    /// What becomes of records, but for those that are counted.
    const fn fate(&self) -> Fate<'static> {
        if self.without_records { Fate::Left } else { Fate::Written }
    }

    /// Records what was answered; where that fails, every answer becomes a no, or loses the id of its record if the
    /// operator chose that. Returns the sequence that has to be on disk before the answers leave, where one has to.
    fn record(&self, drafts: &mut Drafts, start: usize, out: &mut Vec<u8>) -> Option<u64> {
        self.summed_up(drafts.summed_up());
        drafts.commit(&self.journal, self.recording.on_failure(), start, out).unwrap_or_else(|error| {
            self.recording.failed(drafts.answers(), &error);
            None
        })
    }

    /// Answers questions as long as memory is enough. Returns those that are left: the first of them is cold.
    fn answer_warm<'q, 'a>(
        &self,
        verifier: &VerifierEntry,
        questions: &'q [Question<'a>],
        drafts: &mut Drafts,
        start: usize,
        out: &mut Vec<u8>,
    ) -> &'q [Question<'a>] {
        let view = self.index.view();
        let now = self.clock.now();
        let mut left = questions;
        for some in questions.chunks(SOUGHT_AHEAD) {
            let sought = self.seek(&view, some.iter().map(|question| question.token));
            for (question, sought) in some.iter().zip(sought) {
                let before = out.len();
                separate(start, out);
                let cold = Cold::NotAsked;
                if self.answer_one(&view, verifier, question, sought, now, cold, drafts, out) == Known::Cold {
                    out.truncate(before);
                    return left;
                }
                left = left.get(1..).unwrap_or_default();
            }
        }
        left
    }

    /// Answers a question, unless it has to be read first.
    #[expect(clippy::too_many_arguments, reason = "two things are written, and what they say comes from six")]
    fn answer_one(
        &self,
        view: &View<'_>,
        verifier: &VerifierEntry,
        question: &Question<'_>,
        sought: Sought,
        now: Timestamp,
        cold: Cold<'_>,
        drafts: &mut Drafts,
        out: &mut Vec<u8>,
    ) -> Known {
        let loaded = view.api(question.api).filter(|loaded| verifier.apis.contains(&loaded.id));
        let Some(loaded) = loaded else {
            drafts.push(question, None, &Found::denied(Reason::VerifierNotAllowed), now, self.fate(), out);
            return Known::All;
        };
        let wanted = Wanted::find(loaded, &question.what);
        let mut room = Room::Empty;
        let shown = self.shown(view, sought, question.token, cold, &mut room);
        let mut found = Found::denied(Reason::Unknown);
        let asked = Asked { view, loaded, wanted: &wanted, question, now, cold };
        let known = asked.evaluate(shown, &mut found);
        if known == Known::All {
            if let (Cold::Throttled(after), Reason::RateLimited) = (cold, found.decision.reason()) {
                found.retry_after = Some(after);
            }
            self.hold_back(&asked, &mut found);
            if found.askable {
                found.request =
                    lacking(&found, loaded.id, now).and_then(|found| found.write(&self.hasher)).map(Box::from);
            }
            if let (true, Some(token), Some(org)) = (found.decision.is_allowed(), found.token, found.org) {
                self.used(token, sought.digest(), org, now);
            }
            let fate = self.sums_up(verifier, &found, now).map_or(self.fate(), Fate::Counted);
            drafts.push(question, Some(&asked), &found, now, fate, out);
        }
        known
    }
}

/// What was lacking, so that it can be asked for.
fn lacking(found: &Found<'_>, api: ApiId, now: Timestamp) -> Option<Descriptor> {
    let need = |number: &usize| {
        let need = found.needs.needs.get(*number)?;
        Some((need.permission, found.needs.place(need)?.chain.first().copied()))
    };
    let needs = found.missing.iter().map(need).collect::<Option<_>>()?;
    Some(Descriptor { token: found.token?.id, org: found.org?, api, needs, expires_at: now.plus(descriptor::LIFETIME) })
}

/// Puts a comma behind an answer, if there is one.
fn separate(start: usize, out: &mut Vec<u8>) {
    if out.len() > start {
        out.push(b',');
    }
}

//! One check: from a question to an answer that is recorded. What is in memory is answered without a database and
//! without a lock; a cold credential costs one bounded reading.

mod evaluate;
mod target;

pub use evaluate::{Cold, Evaluated, Found};
pub use target::Wanted;

use super::Verify;
use super::answer::{Answer, CredentialSeen, PrincipalSeen, recorded};
use super::entry::{VerifierEntry, Warm};
use crate::authn::Presented;
use crate::catalogues::Loaded;
use crate::db::DbError;
use secrecy::ExposeSecret as _;
use std::net::IpAddr;
use std::sync::Arc;
use target::{FoundNeed, named};
use tegata_core::decide::{Decision, RULE_VERSION, Reason};
use tegata_core::problem::{Code, Problem};
use tegata_core::secret::{SecretKind, classify};
use tegata_core::time::Timestamp;
use tegata_record::NewRecord;

/// What a verifier asks.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// What was shown to the verifier.
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

/// A decision with what its answer and its record say; everything but the record's id.
struct Draft {
    answer: Answer,
    decision: Decision,
    organization: Option<String>,
    context_id: Option<String>,
    level: Option<&'static str>,
    endpoint: Option<String>,
    address: Option<String>,
    catalogue_version: u64,
    now: Timestamp,
}

impl Verify {
    /// Who asks: the verifier whose credential was shown.
    pub async fn verifier(&self, presented: &Presented) -> Result<Arc<VerifierEntry>, Problem> {
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
            if found.is_none() && self.refill_verifier(digest).await.map_err(crate::ops::act::internal)? {
                found = self.index.verifiers.pin().get(&digest).cloned();
            }
            if let Some(verifier) = found {
                if verifier.revoked || verifier.valid_until.is_some_and(|until| now >= until) {
                    return refused("this verifier's credential was stopped");
                }
                return Ok(verifier);
            }
        }
        refused("nobody knows this verifier")
    }

    /// Decides one call from memory alone, without a record: what the rule says of what is known here. None where the
    /// credential is not in memory. For measurements; whoever asks in earnest is answered by [`Verify::check`].
    pub fn decide_from_memory(
        &self,
        verifier: &VerifierEntry,
        question: &Question<'_>,
        now: Timestamp,
    ) -> Option<Decision> {
        let loaded = self.api_of(verifier, question)?;
        let wanted = Wanted::find(&loaded, &question.what);
        match self.evaluate(&loaded, &wanted, question, now, Cold::NotAsked) {
            Evaluated::Done(found) => Some(found.decision),
            Evaluated::Cold(_) => None,
        }
    }

    /// Decides and records one call.
    pub async fn check(&self, verifier: &VerifierEntry, question: &Question<'_>) -> Answer {
        let draft = self.draft(verifier, question).await;
        let appended = self.journal.append(&new_record(question, &draft));
        finish(draft, appended.map_err(|error| tracing::error!(%error, "a check could not be recorded")).ok())
    }

    /// Decides and records many calls; the records are written at once.
    pub async fn check_batch(&self, verifier: &VerifierEntry, questions: &[Question<'_>]) -> Vec<Answer> {
        let mut drafts = Vec::with_capacity(questions.len());
        for question in questions {
            drafts.push(self.draft(verifier, question).await);
        }
        let records: Vec<_> =
            questions.iter().zip(&drafts).map(|(question, draft)| new_record(question, draft)).collect();
        let appended = self.journal.append_batch(&records);
        drop(records);
        match appended {
            Ok(ids) => drafts.into_iter().zip(ids).map(|(draft, id)| finish(draft, Some(id))).collect(),
            Err(error) => {
                tracing::error!(%error, "a batch of checks could not be recorded");
                drafts.into_iter().map(|draft| finish(draft, None)).collect()
            }
        }
    }

    /// Decides one call, reading the credential first where it is not in memory.
    async fn draft(&self, verifier: &VerifierEntry, question: &Question<'_>) -> Draft {
        let now = self.clock.now();
        let Some(loaded) = self.api_of(verifier, question) else {
            return self.describe(question, None, &Found::denied(Reason::VerifierNotAllowed), now);
        };
        let wanted = Wanted::find(&loaded, &question.what);
        let found = match self.evaluate(&loaded, &wanted, question, now, Cold::NotAsked) {
            Evaluated::Done(found) => found,
            // What was read is handed on, since memory may have let it go again before it is looked at.
            Evaluated::Cold(_) => match self.refill_shown(question.token).await {
                Ok(warm) => {
                    let cold = warm.as_ref().map_or(Cold::Absent, Cold::Read);
                    let (Evaluated::Done(found) | Evaluated::Cold(found)) =
                        self.evaluate(&loaded, &wanted, question, now, cold);
                    found
                }
                Err(error) => {
                    // The truth cannot be read, so nothing is known about what was revoked.
                    tracing::error!(%error, "a credential could not be read");
                    Found::denied(Reason::LeaseLost)
                }
            },
        };
        self.describe(question, Some((&loaded, &wanted)), &found, now)
    }

    async fn refill_shown(&self, token: &str) -> Result<Option<Warm>, DbError> {
        let found = self.refill_token(self.hasher.digest(token)).await?;
        match self.hasher.previous_digest(token) {
            Some(previous) if found.is_none() => self.refill_token(previous).await,
            _ => Ok(found),
        }
    }

    fn describe(
        &self,
        question: &Question<'_>,
        asked: Option<(&Loaded, &Wanted<'_>)>,
        found: &Found<'_>,
        now: Timestamp,
    ) -> Draft {
        let org = found.org.and_then(|org| self.index.orgs.pin().get(&org).cloned());
        let name_of = |need: &FoundNeed<'_>| {
            asked.and_then(|(loaded, _)| Some(loaded.catalogue.permission(need.permission)?.name.clone()))
        };
        let first = found.needs.needs.get(found.deciding.start).filter(|_| !found.deciding.is_empty());
        let missing = found.missing.iter().filter_map(|place| {
            let need = found.needs.needs.get(*place)?;
            Some(format!("{}:{}", named(&need.place), name_of(need)?))
        });
        let answer = Answer {
            allowed: found.decision.is_allowed(),
            reason: found.decision.reason().as_str().to_owned(),
            permission: first
                .and_then(name_of)
                .or_else(|| asked.and_then(|(loaded, wanted)| wanted.permission(loaded))),
            context: first.map(|need| named(&need.place).to_string()),
            organization: org.map(|org| org.key.to_string()),
            missing: missing.collect(),
            credential: found.token.as_deref().map(CredentialSeen::of),
            principal: found.token.as_ref().map(|token| PrincipalSeen {
                kind: "user".to_owned(),
                id: token.owner.to_string(),
                name: found.owner.as_ref().map(|owner| owner.name.to_string()).unwrap_or_default(),
            }),
            on_behalf_of: None,
            record: None,
        };
        Draft {
            answer,
            decision: found.decision,
            organization: found.org.map(|org| org.to_string()),
            context_id: first.and_then(|need| need.chain.first()).map(ToString::to_string),
            level: first.map(|need| need.level.as_str()),
            endpoint: asked.and_then(|(_, wanted)| wanted.template()).map(str::to_owned),
            address: question.address.map(|address| address.to_string()),
            catalogue_version: asked.map_or(0, |(loaded, _)| loaded.version),
            now,
        }
    }
}

fn new_record<'a>(question: &Question<'a>, draft: &'a Draft) -> NewRecord<'a> {
    let (method, path) = match question.what {
        What::Endpoint { method, path } => (Some(method), Some(path)),
        What::Permission { .. } => (None, None),
    };
    let principal = draft.answer.principal.as_ref().map(|principal| principal.id.as_str());
    NewRecord {
        api: Some(question.api),
        organization: draft.organization.as_deref(),
        alternative: draft.decision.alternative(),
        permission: draft.answer.permission.as_deref(),
        context_id: draft.context_id.as_deref(),
        level: draft.level,
        credential: draft.answer.credential.as_ref().map(|credential| credential.id.as_str()),
        kind: draft.answer.credential.as_ref().map(|credential| credential.kind.as_str()),
        principal,
        acted_for: principal,
        method,
        endpoint: draft.endpoint.as_deref(),
        path,
        address: draft.address.as_deref(),
        user_agent: question.user_agent,
        request_id: question.request_id,
        rule_version: RULE_VERSION,
        catalogue_version: draft.catalogue_version,
        ..NewRecord::new(draft.now.as_micros(), recorded(draft.decision), draft.decision.reason().as_str())
    }
}

/// Without a record there is no yes: the log fails closed.
fn finish(draft: Draft, record: Option<tegata_record::RecordId>) -> Answer {
    let mut answer = draft.answer;
    if let Some(id) = record {
        answer.record = Some(id.to_string());
    } else {
        answer.allowed = false;
        Reason::RecordUnavailable.as_str().clone_into(&mut answer.reason);
        answer.missing.clear();
    }
    answer
}

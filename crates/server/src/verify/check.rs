//! One check: from a question to an answer that is recorded. What is in memory is answered without a database and
//! without a lock; a cold credential costs one bounded reading.

mod evaluate;
mod target;

pub use evaluate::{Cold, Evaluated};

use super::Verify;
use super::answer::{Answer, CredentialSeen, PrincipalSeen, recorded};
use super::entry::{VerifierEntry, Warm};
use crate::authn::Presented;
use crate::db::DbError;
use secrecy::ExposeSecret as _;
use std::net::IpAddr;
use std::sync::Arc;
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
        let mut evaluated = self.evaluate(verifier, question, now, Cold::NotAsked);
        if let Evaluated::Cold(_) = &evaluated {
            // What was read is handed on, since memory may have let it go again before it is looked at.
            evaluated = match self.refill_shown(question.token).await {
                Ok(Some(warm)) => self.evaluate(verifier, question, now, Cold::Read(&warm)),
                Ok(None) => self.evaluate(verifier, question, now, Cold::Absent),
                Err(error) => {
                    tracing::error!(%error, "a credential could not be read");
                    Evaluated::unreadable()
                }
            };
        }
        self.describe(question, evaluated, now)
    }

    async fn refill_shown(&self, token: &str) -> Result<Option<Warm>, DbError> {
        let found = self.refill_token(self.hasher.digest(token)).await?;
        match self.hasher.previous_digest(token) {
            Some(previous) if found.is_none() => self.refill_token(previous).await,
            _ => Ok(found),
        }
    }

    fn describe(&self, question: &Question<'_>, evaluated: Evaluated, now: Timestamp) -> Draft {
        let (Evaluated::Done(found) | Evaluated::Cold(found)) = evaluated;
        let found = *found;
        let org = found.org.and_then(|org| self.index.orgs.pin().get(&org).cloned());
        let user = found.token.as_ref().map(|token| PrincipalSeen {
            kind: "user".to_owned(),
            id: token.owner.to_string(),
            name: found.owner.as_ref().map(|owner| owner.name.to_string()).unwrap_or_default(),
        });
        let answer = Answer {
            allowed: found.decision.is_allowed(),
            reason: found.decision.reason().as_str().to_owned(),
            permission: found.permission,
            context: found.place,
            organization: org.map(|org| org.key.to_string()),
            missing: found.missing,
            credential: found.token.as_deref().map(CredentialSeen::of),
            principal: user,
            on_behalf_of: None,
            record: None,
        };
        Draft {
            answer,
            decision: found.decision,
            organization: found.org.map(|org| org.to_string()),
            context_id: found.context.map(|context| context.to_string()),
            level: found.level,
            endpoint: found.endpoint,
            address: question.address.map(|address| address.to_string()),
            catalogue_version: found.catalogue_version,
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

//! Prove that an access record of an organization is as it was written. The right to it is asked for first; the proof,
//! for which the records of a day are read, is then made without a transaction being open.

use super::filters::unreadable;
use crate::app::App;
use crate::db::Tx;
use crate::ops::{Act, Caller, Query, frame};
use crate::proofs::ProofsError;
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::sync::Arc;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};
use tegata_record::proof::ProveError;
use tegata_record::{RecordId, Scope};
use utoipa::ToSchema;

/// A proof that whoever has the public key can check without the server.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RecordProof)]
pub struct ProofView {
    /// The id of the record.
    pub record: String,
    /// The proof: a text in the form of C2SP `tlog-proof`, with the record itself in it.
    pub proof: String,
    /// The public key, as the line of a signed note. Keep the one you have: whoever could forge a proof could send another.
    pub public_key: String,
}

/// The right to a proof.
struct AuthorizeProof<'a> {
    org: &'a str,
    record: RecordId,
}

/// Of whom a record may be proven.
#[derive(Serialize, Deserialize)]
struct Authorized {
    organization: String,
}

impl Query for AuthorizeProof<'_> {
    const OPERATION: &'static Operation = operations::RECORD_PROOF;
    type Output = Authorized;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Authorized, Problem> {
        let organization = act.require(Self::OPERATION, self.org).await?.org.id.to_string();
        let (journal, id, of) = (Arc::clone(act.app.verify.journal()), self.record, organization.clone());
        let read = tokio::task::spawn_blocking(move || journal.get(&id, Scope::Organization(&of))).await;
        let found = read.map_err(|_| Problem::internal())?.map_err(|error| unreadable(&error))?;
        found.map(|_| Authorized { organization }).ok_or_else(|| Problem::not_found("record"))
    }
}

/// Makes the proof of a record.
pub async fn prove(app: &App, caller: &Caller, org: &str, record: RecordId) -> Result<ProofView, Problem> {
    let reply = frame::query(app, caller, &AuthorizeProof { org, record }).await?;
    let Authorized { organization } = serde_json::from_value(reply.body).map_err(|_| Problem::internal())?;
    let (proof, public_key) = app.proofs.prove(record, organization).await.map_err(|error| told(&error))?;
    Ok(ProofView { record: record.to_string(), proof, public_key })
}

/// Why there is no proof, for the caller; what nobody expected goes to the log.
pub fn told(error: &ProofsError) -> Problem {
    let again = |code, text: &str, seconds| Problem { retry_after_seconds: Some(seconds), ..Problem::new(code, text) };
    match error {
        ProofsError::Prove(ProveError::NotFound(_)) => Problem::not_found("record"),
        ProofsError::Prove(ProveError::NotSigned(_)) => {
            again(Code::Conflict, "the record is not signed yet, which happens once a second: ask again", 1)
        }
        ProofsError::Prove(error @ ProveError::Changed(_)) => {
            tracing::error!(%error, "a record cannot be proven");
            Problem::new(Code::Conflict, "records of that day are not as they were signed: nothing of it can be proven")
        }
        ProofsError::Off => Problem::new(Code::Unavailable, "this server does not sign its access log"),
        ProofsError::Busy => again(Code::Unavailable, "too many proofs are being made: ask again", 5),
        ProofsError::Interrupted | ProofsError::Prove(_) | ProofsError::Verify(_) | ProofsError::Store(_) => {
            let cause = error.source().map(ToString::to_string).unwrap_or_default();
            tracing::error!(%error, %cause, "the proofs of the access log could not be read");
            Problem::internal()
        }
    }
}

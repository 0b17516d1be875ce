//! The calls of a span out of the access log, alike ones together.

use crate::app::App;
use crate::db::{self, DbError, Tx};
use crate::ops::records::filters::unreadable;
use crate::ops::records::span::Span;
use crate::ops::records::turns::Turn;
use crate::verify::check::What;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tegata_core::credential::CredentialKind;
use tegata_core::ids::{ContextId, OrgId, TokenId};
use tegata_core::permissions::OWN_API;
use tegata_core::problem::{Code, Problem};
use tegata_record::{Calls, CallsWanted, SqlError, SqlLimits};

/// Most different calls that are judged.
const DIFFERENT_MAX: usize = 100_000;
/// What looking for them may take.
const LIMITS: SqlLimits =
    SqlLimits { rows: DIFFERENT_MAX, bytes: 64 << 20, memory_bytes: 512 << 20, time: Duration::from_mins(1) };

/// Which calls.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Of credentials of these kinds.
    pub kinds: Vec<CredentialKind>,
    /// Of these alone; of all, where it is empty.
    pub credentials: Vec<TokenId>,
    /// Whether calls from different addresses are told apart.
    pub addresses: bool,
    /// When.
    pub span: Span,
}

/// Calls, the most frequent first.
pub struct Found {
    /// The calls.
    pub calls: Vec<Calls>,
    /// Whether there were more different ones than were read.
    pub partial: bool,
    /// Few of these questions run at once: to be kept until the calls were judged, which costs as much.
    pub turn: Turn,
}

/// Reads the calls of an organization.
pub async fn read(app: &App, org: OrgId, wanted: Wanted) -> Result<Found, Problem> {
    let turn = app.turns.take(&org.to_string()).await?;
    let (log, organization) = (Arc::clone(app.verify.journal()), org.to_string());
    let found = tokio::task::spawn_blocking(move || {
        let kinds: Vec<&str> = wanted.kinds.iter().map(|kind| kind.as_str()).collect();
        let ids: Vec<String> = wanted.credentials.iter().map(ToString::to_string).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let (from, to) = (wanted.span.from.to_string(), wanted.span.to.to_string());
        let addresses = wanted.addresses;
        let wanted = CallsWanted { kinds: &kinds, credentials: &ids, addresses, from: &from, to: &to, but: OWN_API };
        // Whoever stops waiting does not end the question, so its turn goes with it.
        (log.calls(&organization, &wanted, &LIMITS), turn)
    });
    let (found, turn) = found.await.map_err(|_| Problem::internal())?;
    let (calls, partial) = found.map_err(|error| match error {
        SqlError::Read(error) => unreadable(&error),
        SqlError::TookTooLong(_) | SqlError::NeedsTooMuch => {
            Problem::new(Code::Invalid, "there are too many calls in this span: take a shorter one")
                .with("from", "take a shorter span")
        }
        SqlError::Refused(_) | SqlError::Failed(_) => {
            tracing::error!(%error, "the calls of a span could not be read");
            Problem::internal()
        }
    })?;
    Ok(Found { calls, partial, turn })
}

/// The places of calls as checks write them, each looked up once.
#[derive(Default)]
pub struct Places(HashMap<String, Option<String>>);

impl Places {
    /// What a call wanted, with its place as checks write it now; none where that cannot be told any more.
    pub async fn what<'a>(&'a mut self, tx: &mut Tx, org: OrgId, call: &'a Calls) -> Result<Option<What<'a>>, DbError> {
        if let (Some(method), Some(path)) = (&call.method, &call.path) {
            return Ok(Some(What::Endpoint { method, path }));
        }
        let (None, Some(permission)) = (&call.method, &call.permission) else { return Ok(None) };
        let Some(context) = call.context.as_deref() else {
            return Ok(Some(What::Permission { permission, context: None }));
        };
        if !self.0.contains_key(context) {
            let place = place(tx, org, context).await?;
            self.0.insert(context.to_owned(), place);
        }
        let place = self.0.get(context).and_then(Option::as_deref);
        Ok(place.map(|place| What::Permission { permission, context: Some(place) }))
    }
}

/// A context as checks write it; none where it is no longer there.
async fn place(tx: &mut Tx, org: OrgId, context: &str) -> Result<Option<String>, DbError> {
    let Ok(id) = context.parse::<ContextId>() else { return Ok(None) };
    let found = db::contexts::get(tx, org, id).await?;
    Ok(found.map(|context| format!("{}:id:{}", context.kind, context.id)))
}

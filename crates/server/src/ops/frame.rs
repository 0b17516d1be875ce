//! The frame around every use case: identify, begin, run, record activity and feed in the same transaction, commit,
//! wait until the memory of live credentials knows, record the access, answer.

use super::act::{Act, Change, Counted, Decided, internal};
use super::{Mutation, Query, receipt};
use crate::app::App;
use crate::authn::identify::Refused;
use crate::authn::{Actor, Door, Presented, identify};
use crate::db::activity::Activity;
use crate::db::idempotency::Answer;
use crate::db::{self, DbError, Tx, WriteTx};
use crate::notices;
use crate::verify::own::OwnAccess;
use serde_json::Value;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tegata_core::decide::{Decision, Reason};
use tegata_core::ids::{ActivityId, OrgId};
use tegata_core::operations::{Guard, Operation};
use tegata_core::owner::Owner;
use tegata_core::problem::{Code, Problem};
use tegata_core::time::Timestamp;

/// How often crossed transactions are tried again.
const TRIES: u32 = 6;

/// Where a call came from.
#[derive(Debug, Clone, Default)]
pub struct Meta {
    /// The address of the caller.
    pub address: Option<IpAddr>,
    /// The program of the caller.
    pub user_agent: Option<String>,
    /// The languages that the program accepts (`Accept-Language`).
    pub accept_language: Option<String>,
    /// The id of the request.
    pub request_id: String,
    /// The path without its query.
    pub path: String,
}

/// A call: what was shown, from where, and how a repetition is recognized.
#[derive(Debug, Clone)]
pub struct Caller {
    /// What was shown.
    pub presented: Presented,
    /// From where.
    pub meta: Meta,
    /// The `Idempotency-Key` with a digest of the request.
    pub idempotency: Option<IdempotencyKey>,
}

/// How a repetition is recognized.
#[derive(Debug, Clone)]
pub struct IdempotencyKey {
    /// What the caller sent.
    pub key: String,
    /// A digest of method, path and body.
    pub request_hash: String,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Value,
    /// Whether it was given before, under the same idempotency key.
    pub replayed: bool,
    /// Headers that tell of limits on calls.
    pub limit_headers: LimitHeaders,
}

/// Headers that tell of limits on calls, where any covers a call.
pub type LimitHeaders = Vec<(&'static str, String)>;

/// Fields of answers that are shown once and kept nowhere.
pub const SECRET_FIELDS: &[&str] = &["token", "secret", "client_secret"];

/// Runs a use case that changes something. `status` is that of success.
pub async fn mutate<M: Mutation>(app: &App, caller: &Caller, status: u16, work: &M) -> Result<Reply, Problem> {
    let (mut tries, mut counted) = (0, Counted::NotYet);
    loop {
        tries += 1;
        let mut decided = None;
        let outcome = once(app, caller, status, work, &mut decided, &mut counted).await;
        match outcome {
            Err(Trouble::Busy) if tries < TRIES => {
                tokio::time::sleep(Duration::from_millis(5 << tries)).await;
            }
            Err(Trouble::Busy) => {
                return Err(Problem {
                    retry_after_seconds: Some(1),
                    ..Problem::new(Code::Unavailable, "the database is busy")
                });
            }
            Err(Trouble::Told(problem, actor)) => {
                record(app, caller, M::OPERATION, actor.as_deref(), decided.as_ref(), Some(&problem))?;
                app.stops.settle_after(M::OPERATION).await?;
                return Err(Problem { headers: limit_headers(&counted), ..problem });
            }
            Ok((reply, actor)) => {
                record(app, caller, M::OPERATION, actor.as_deref(), decided.as_ref(), None)?;
                app.stops.settle_after(M::OPERATION).await?;
                return Ok(Reply { limit_headers: limit_headers(&counted), ..reply });
            }
        }
    }
}

/// Runs a use case that only looks.
pub async fn query<Q: Query>(app: &App, caller: &Caller, work: &Q) -> Result<Reply, Problem> {
    let mut tx = app.db.read().await.map_err(internal)?;
    let now = app.clock.now();
    let actor = Arc::new(who(app, &mut tx, caller, Q::OPERATION, now).await.map_err(Trouble::into_problem)?);
    let counted = Counted::NotYet;
    let mut act = Act { app, tx, actor: Arc::clone(&actor), now, meta: &caller.meta, decided: None, counted };
    let answer = work.answer(&mut act).await;
    // What is in no organization is counted when it is done.
    let answer = answer.and_then(|output| act.count(Q::OPERATION, None).map(|()| output));
    let Act { decided, counted, .. } = act;
    let limit_headers = limit_headers(&counted);
    match answer {
        Ok(output) => {
            record(app, caller, Q::OPERATION, Some(&actor), decided.as_ref(), None)?;
            Ok(Reply { status: 200, body: to_json(&output)?, replayed: false, limit_headers })
        }
        Err(problem) => {
            record(app, caller, Q::OPERATION, Some(&actor), decided.as_ref(), Some(&problem))?;
            Err(Problem { headers: limit_headers, ..problem })
        }
    }
}

/// Whether a query would still be answered: asked again and again while a long answer is under way. Leaves no access
/// record; the query itself left one.
pub async fn still<Q: Query>(app: &App, caller: &Caller, work: &Q) -> Result<(), Problem> {
    answer_quietly(app, caller, work).await.map(drop)
}

/// The answer of a query that was answered before, and is asked again while its caller waits. Leaves no access record
/// either.
pub async fn look<Q: Query>(app: &App, caller: &Caller, work: &Q) -> Result<Value, Problem> {
    to_json(&answer_quietly(app, caller, work).await?)
}

/// Answers a query without an access record and without being counted: for work that comes before a change, which is
/// recorded.
pub async fn answer_quietly<Q: Query>(app: &App, caller: &Caller, work: &Q) -> Result<Q::Output, Problem> {
    let mut tx = app.db.read().await.map_err(internal)?;
    let now = app.clock.now();
    let actor = Arc::new(who(app, &mut tx, caller, Q::OPERATION, now).await.map_err(Trouble::into_problem)?);
    let counted = Counted::Nothing;
    let mut act = Act { app, tx, actor, now, meta: &caller.meta, decided: None, counted };
    work.answer(&mut act).await
}

/// The answer that was given before under the same idempotency key, if any: asked before work outside of the
/// transaction, which a repetition must not do again.
pub async fn replayed(app: &App, caller: &Caller, operation: &Operation) -> Result<Option<Reply>, Problem> {
    let Some(key) = caller.idempotency.as_ref().filter(|_| !matches!(operation.guard, Guard::Public)) else {
        return Ok(None);
    };
    let mut tx = app.db.read().await.map_err(internal)?;
    let actor = who(app, &mut tx, caller, operation, app.clock.now()).await.map_err(Trouble::into_problem)?;
    let answer = db::idempotency::find(&mut tx, &actor.repeats_as(), &key.key).await.map_err(internal)?;
    answer.map(|answer| replay(key, &answer)).transpose()
}

/// Finds out who calls, before work that has to be done outside of the transaction. The frame asks again within it.
pub async fn identify_caller(app: &App, caller: &Caller) -> Result<Actor, Problem> {
    let mut tx = app.db.read().await.map_err(internal)?;
    let known = (&app.hasher, &app.product);
    let address = caller.meta.address;
    let found = identify(&mut tx, Door::People, known, &caller.presented, address, app.clock.now());
    found.await.map_err(|refused| match refused {
        Refused::Told(problem) => problem,
        Refused::Db(error) => internal(error),
    })
}

/// Why an attempt came to nothing.
enum Trouble {
    /// Transactions crossed; another try may do.
    Busy,
    /// The caller is told.
    Told(Problem, Option<Arc<Actor>>),
}

impl Trouble {
    fn into_problem(self) -> Problem {
        match self {
            Self::Busy => Problem::new(Code::Unavailable, "the database is busy"),
            Self::Told(problem, _) => problem,
        }
    }
}

impl From<DbError> for Trouble {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Busy(_) => Self::Busy,
            other => Self::Told(internal(other), None),
        }
    }
}

async fn once<M: Mutation>(
    app: &App,
    caller: &Caller,
    status: u16,
    work: &M,
    decided: &mut Option<Decided>,
    counted: &mut Counted,
) -> Result<(Reply, Option<Arc<Actor>>), Trouble> {
    let mut tx = app.db.write().await?;
    let now = app.clock.now();
    let public = matches!(M::OPERATION.guard, Guard::Public);
    let actor = Arc::new(who(app, &mut tx, caller, M::OPERATION, now).await?);
    let key = if public { None } else { caller.idempotency.as_ref() };
    if let Some(key) = key
        && let Some(answer) = db::idempotency::find(&mut tx, &actor.repeats_as(), &key.key).await?
    {
        let told = |problem| Trouble::Told(problem, Some(Arc::clone(&actor)));
        let mut reply = replay(key, &answer).map_err(told)?;
        // Whoever repeats a stop is told of it as the first time: when no check here can miss it.
        let seen = tx.number() - 1;
        drop(tx);
        app.verify.applied(seen).await.map_err(told)?;
        receipt::complete(&mut reply.body, app.verify.node(), seen, app.clock.now());
        return Ok((reply, Some(actor)));
    }
    let before = std::mem::take(counted);
    let mut act = Act { app, tx, actor: Arc::clone(&actor), now, meta: &caller.meta, decided: None, counted: before };
    let outcome = work.apply(&mut act).await;
    // What is in no organization is counted when it is done, and before it is true.
    let outcome = outcome.and_then(|done| act.count(M::OPERATION, None).map(|()| done));
    (*decided, *counted) = (act.decided, act.counted);
    let mut tx = act.tx;
    let (output, changes) = outcome.map_err(|problem| Trouble::Told(problem, Some(Arc::clone(&actor))))?;
    let told = |problem| Trouble::Told(problem, Some(Arc::clone(&actor)));
    for change in &changes.list {
        write_change(app, &mut tx, caller, M::OPERATION, &actor, now, change).await?;
    }
    let mut body = to_json(&output).map_err(told)?;
    if let Some(key) = key {
        let kept = Answer { request_hash: key.request_hash.clone(), status, body: without_secrets(&body).to_string() };
        db::idempotency::insert(&mut tx, &actor.repeats_as(), &key.key, &kept, now).await?;
    }
    app.stops.note(M::OPERATION.id, tx.number(), now, &changes.list);
    let sequence = tx.commit().await?;
    // From here on the change is true; it is told only when no check here can miss it.
    app.verify.applied(sequence).await.map_err(told)?;
    receipt::complete(&mut body, app.verify.node(), sequence, app.clock.now());
    Ok((Reply { status, body, replayed: false, limit_headers: LimitHeaders::new() }, Some(actor)))
}

fn limit_headers(counted: &Counted) -> LimitHeaders {
    match counted {
        Counted::Said(said) => said.headers.pairs().map(|(name, value)| (name, value.to_owned())).collect(),
        Counted::NotYet | Counted::Nothing => LimitHeaders::new(),
    }
}

/// Who acts; for public operations nobody in particular.
async fn who(app: &App, tx: &mut Tx, caller: &Caller, operation: &Operation, now: Timestamp) -> Result<Actor, Trouble> {
    if matches!(operation.guard, Guard::Public) {
        return Ok(Actor::nobody());
    }
    let door = match operation.guard {
        Guard::Provisioning(_) => Door::Provisioning,
        Guard::Application => Door::Applications,
        Guard::Holder => Door::Holders,
        _ => Door::People,
    };
    let known = (&app.hasher, &app.product);
    let found = identify(tx, door, known, &caller.presented, caller.meta.address, now).await;
    found.map_err(|refused| match refused {
        Refused::Told(problem) => Trouble::Told(problem, None),
        Refused::Db(error) => error.into(),
    })
}

fn replay(key: &super::frame::IdempotencyKey, answer: &Answer) -> Result<Reply, Problem> {
    if answer.request_hash != key.request_hash {
        return Err(Problem::new(
            Code::IdempotencyMismatch,
            "this Idempotency-Key was used for another request; use a fresh one for each",
        ));
    }
    let body = serde_json::from_str(&answer.body).map_err(|_| Problem::internal())?;
    Ok(Reply { status: answer.status, body, replayed: true, limit_headers: LimitHeaders::new() })
}

fn without_secrets(body: &Value) -> Value {
    let mut copy = body.clone();
    if let Some(object) = copy.as_object_mut() {
        for field in SECRET_FIELDS {
            object.remove(*field);
        }
    }
    copy
}

fn to_json<T: serde::Serialize>(output: &T) -> Result<Value, Problem> {
    serde_json::to_value(output).map_err(|error| {
        tracing::error!(%error, "an answer could not be written");
        Problem::internal()
    })
}

async fn write_change(
    app: &App,
    tx: &mut WriteTx,
    caller: &Caller,
    operation: &Operation,
    actor: &Actor,
    now: Timestamp,
    change: &Change,
) -> Result<(), DbError> {
    let by_nobody = actor.is_nobody() && change.by.is_none();
    let (actor_id, actor_name) = change.by.clone().unwrap_or_else(|| actor.named());
    let actor_kind = match (by_nobody, &actor.itself) {
        (true, _) => "system",
        (false, Some(itself)) if matches!(itself.owner, Owner::Organization(_)) => "organization_key",
        (false, _) => kind_of_actor(&actor_id),
    };
    let entry = Activity {
        id: ActivityId::new(now.as_millis(), app.entropy.bytes()),
        org: change.org,
        at: now,
        operation: change.operation.unwrap_or(operation.id).to_owned(),
        actor_kind: actor_kind.to_owned(),
        actor_id,
        actor_name,
        credential: actor.credential(),
        subject: change.subject.clone(),
        before: change.before.clone(),
        after: change.after.clone(),
        reason: change.reason.clone(),
        address: caller.meta.address.map(|address| address.to_string()),
        user_agent: caller.meta.user_agent.clone(),
        request_id: Some(caller.meta.request_id.clone()),
    };
    db::activity::insert(tx, &entry).await?;
    for notice in &change.notices {
        notices::store(tx, &app.entropy, now, notice).await?;
    }
    for (topic, org, subject) in &change.feed {
        tx.feed(*topic, *org, subject).await?;
    }
    Ok(())
}

/// What sort of principal an id is of.
fn kind_of_actor(id: &str) -> &'static str {
    id.parse::<Owner>().map_or("user", Owner::kind)
}

/// Leaves the access record of a call of Tegata's own API. Without it there is no answer: the log fails closed.
fn record(
    app: &App,
    caller: &Caller,
    operation: &'static Operation,
    actor: Option<&Actor>,
    decided: Option<&Decided>,
    problem: Option<&Problem>,
) -> Result<(), Problem> {
    let Some(actor) = actor.filter(|actor| !actor.is_nobody()) else {
        return Ok(());
    };
    let beyond = problem.is_some_and(|problem| matches!(problem.code, Code::Forbidden | Code::BeyondOwnRights));
    let decision = match (decided, problem) {
        // Held back where nothing else was decided: a call in no organization.
        (None, Some(problem)) if problem.code == Code::QuotaExceeded => {
            Decision::Deny { reason: Reason::RateLimited, alternative: None }
        }
        // Let in, and then refused for what the call was about.
        (Some(decided), _) if decided.decision.is_allowed() && beyond => {
            Decision::Deny { reason: Reason::OwnerLacksPermission, alternative: None }
        }
        (Some(decided), _) => decided.decision,
        (None, Some(problem)) if problem.code == Code::NotFound => {
            Decision::Deny { reason: Reason::OrganizationUnknown, alternative: None }
        }
        (None, Some(_)) if beyond => Decision::Deny { reason: Reason::OwnerLacksPermission, alternative: None },
        (None, _) => Decision::Allow { alternative: None },
    };
    let org: Option<OrgId> = decided.map(|decided| decided.org);
    app.verify.record_own(&OwnAccess {
        now: app.clock.now(),
        operation,
        actor,
        org,
        context: decided.and_then(|decided| decided.context),
        decision,
        meta: &caller.meta,
    })
}

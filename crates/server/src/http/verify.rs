//! The checks: answered before the router sees the request. A door like the others: parse, ask, render.

use super::authzen;
use super::body::{Answered, Early};
use super::problem::Told;
use super::routes::{presented, read_json, require_json};
use super::server::Shared;
use super::text::Text;
use crate::verify::answer::Answer;
use crate::verify::check::{Question, What};
use crate::verify::clients;
use crate::verify::entry::VerifierEntry;
use crate::verify::remembered::Remembered;
use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, Method, Response, header};
use axum::response::IntoResponse as _;
use serde::Deserialize;
use std::borrow::Cow;
use std::future::{Future, poll_fn};
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use tegata_core::problem::{Code, Problem};
use tokio::runtime::Handle;
use utoipa::ToSchema;

/// Most checks in one batch.
pub const BATCH_MAX: usize = 1_000;
/// Largest body of one check.
pub(super) const ONE_MAX_BYTES: usize = 32 * 1024;
/// Largest body of a batch.
pub(super) const BATCH_MAX_BYTES: usize = 4 * 1024 * 1024;
/// Room for an answer as most are.
pub(super) const ANSWER_BYTES: usize = 512;

/// A check: of an endpoint by `method` and `path`, or of a `permission` in a `context`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'a"))]
pub struct CheckBody<'a> {
    /// What was shown to the verifier, unless that was a client id and a secret.
    #[schema(value_type = Option<String>)]
    pub token: Option<Text<'a>>,
    /// The client id of an access key that was shown.
    #[schema(value_type = Option<String>)]
    pub client_id: Option<Text<'a>>,
    /// The secret that was shown with it.
    #[schema(value_type = Option<String>)]
    pub client_secret: Option<Text<'a>>,
    /// The API, by its key.
    #[schema(value_type = String)]
    pub api: Text<'a>,
    /// The method of the call.
    #[schema(value_type = Option<String>)]
    pub method: Option<Text<'a>>,
    /// The path of the call as it came in; a query is not looked at and never stored.
    #[schema(value_type = Option<String>)]
    pub path: Option<Text<'a>>,
    /// The permission that the call needs, where the verifier knows it better than the catalogue.
    #[schema(value_type = Option<String>)]
    pub permission: Option<Text<'a>>,
    /// The place of the permission, such as `project:key:MY-APP`.
    #[schema(value_type = Option<String>)]
    pub context: Option<Text<'a>>,
    /// The organization, by key or id, where the path does not say it.
    #[schema(value_type = Option<String>)]
    pub organization: Option<Text<'a>>,
    /// The address of the caller, as the verifier saw it.
    #[schema(value_type = Option<String>)]
    pub ip: Option<Text<'a>>,
    /// The program of the caller.
    #[schema(value_type = Option<String>)]
    pub user_agent: Option<Text<'a>>,
    /// The id of the caller's request.
    #[schema(value_type = Option<String>)]
    pub request_id: Option<Text<'a>>,
}

/// Up to 1,000 checks.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'a"))]
pub struct BatchBody<'a> {
    /// The checks.
    #[schema(max_items = 1000)]
    pub checks: Vec<CheckBody<'a>>,
}

/// The answers to a batch, in the order of its checks.
#[derive(Debug, ToSchema)]
pub struct BatchAnswer<'a> {
    /// The answers.
    pub results: Vec<Answer<'a>>,
}

/// Which check a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// Of one call.
    One,
    /// Of many calls.
    Batch,
    /// Of one call, as AuthZEN asks it.
    Evaluation,
    /// Of many, as AuthZEN asks them.
    Evaluations,
}

impl Check {
    /// The check at a path.
    pub fn at(path: &str) -> Option<Self> {
        match path {
            "/v1/verify" => Some(Self::One),
            "/v1/verify/batch" => Some(Self::Batch),
            "/access/v1/evaluation" => Some(Self::Evaluation),
            "/access/v1/evaluations" => Some(Self::Evaluations),
            _ => None,
        }
    }
}

/// A check on its way: what is looked at of its request.
#[derive(Debug)]
pub struct Asked {
    /// Which one.
    pub check: Check,
    /// The method; there is one that is right.
    pub method: Method,
    /// Who asks, and in which form.
    pub headers: HeaderMap,
    /// What is asked.
    pub body: Early,
    /// Who asked before on the same connection.
    pub remembered: Arc<Remembered>,
}

/// Answers a check.
pub async fn answer(shared: &Shared, asked: &mut Asked) -> Response<Answered> {
    let outcome = if asked.method == Method::POST {
        match asked.check {
            Check::One => one(shared, asked).await,
            Check::Batch => batch(shared, asked).await,
            // In a box, so that they take no room in the future of a check.
            Check::Evaluation => Box::pin(authzen::evaluation(shared, asked)).await,
            Check::Evaluations => Box::pin(authzen::evaluations(shared, asked)).await,
        }
    } else {
        Err(Problem::new(Code::MethodNotAllowed, "checks are asked with POST"))
    };
    outcome.unwrap_or_else(|problem| {
        let allow = problem.code == Code::MethodNotAllowed;
        let mut response = Told(problem).into_response();
        if allow {
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
        }
        response.map(|body| Answered::Streamed { body, under_way: None })
    })
}

async fn one(shared: &Shared, asked: &mut Asked) -> Result<Response<Answered>, Problem> {
    let verify = &shared.app.verify;
    let verifier = verifier(shared, asked).await?;
    let bytes = read(&asked.headers, &mut asked.body, ONE_MAX_BYTES).await?;
    let check: CheckBody<'_> = read_json(&bytes)?;
    let shown = shown(&check, None)?;
    let question = question(&check, &shown, None)?;
    let mut out = Vec::with_capacity(ANSWER_BYTES);
    let checked = match verify.check_from_memory(&verifier, &question, &mut out) {
        Some(pending) => match pending.done() {
            Some(checked) => checked,
            None => verify.confirm(pending, &mut out).await,
        },
        None => on(&shared.main, pin!(verify.check(&verifier, &question, &mut out))).await,
    };
    shared.tally.count(checked.reason);
    Ok(render(out))
}

async fn batch(shared: &Shared, asked: &mut Asked) -> Result<Response<Answered>, Problem> {
    let verify = &shared.app.verify;
    let verifier = verifier(shared, asked).await?;
    let bytes = read(&asked.headers, &mut asked.body, BATCH_MAX_BYTES).await?;
    let batch: BatchBody<'_> = read_json(&bytes)?;
    if batch.checks.len() > BATCH_MAX {
        return Err(Problem::field("checks", "a batch has at most 1,000 checks; send the rest in another"));
    }
    let checks = batch.checks.iter().enumerate();
    let shown = checks.clone().map(|(place, check)| shown(check, Some(place))).collect::<Result<Vec<_>, Problem>>()?;
    let questions = checks
        .zip(&shown)
        .map(|((place, check), shown)| question(check, shown, Some(place)))
        .collect::<Result<Vec<_>, _>>()?;
    let mut out = Vec::with_capacity(questions.len() * ANSWER_BYTES);
    out.extend_from_slice(br#"{"results":["#);
    for checked in on(&shared.main, pin!(verify.check_batch(&verifier, &questions, &mut out))).await {
        shared.tally.count(checked.reason);
    }
    out.extend_from_slice(b"]}");
    Ok(render(out))
}

/// Who asks: mostly whoever asked before on the same connection.
pub(super) async fn verifier(shared: &Shared, asked: &Asked) -> Result<Arc<VerifierEntry>, Problem> {
    let (verify, remembered) = (&shared.app.verify, &*asked.remembered);
    let mut headers = asked.headers.get_all(header::AUTHORIZATION).iter();
    let header = match (headers.next(), headers.next()) {
        (Some(only), None) => Some(only.as_bytes()),
        _ => None,
    };
    if let Some(verifier) = header.and_then(|header| verify.verifier_again(remembered, header)) {
        return Ok(verifier);
    }
    let presented = presented(&asked.headers)?;
    on(&shared.main, pin!(verify.verifier_remembered(remembered, header, &presented))).await
}

/// Does work of a check on this thread, and lets what it opens of the database belong to the main runtime, which ends after
/// the threads for requests have.
///
/// The work stays where it is: its future has room for reading a cold credential, and moving that costs every check.
pub(super) async fn on<F: Future>(main: &Handle, mut work: Pin<&mut F>) -> F::Output {
    poll_fn(|cx| {
        let _entered = main.enter();
        work.as_mut().poll(cx)
    })
    .await
}

async fn read(headers: &HeaderMap, body: &mut Early, limit: usize) -> Result<Bytes, Problem> {
    let bytes = body.read(limit).await?;
    if !bytes.is_empty() {
        require_json(headers)?;
    }
    Ok(bytes)
}

/// The name of a field; `place` is where its check stands in a batch.
fn field_of(place: Option<usize>, name: &str) -> String {
    place.map_or_else(|| name.to_owned(), |place| format!("checks[{place}].{name}"))
}

/// What was shown, as one text.
fn shown<'a>(check: &'a CheckBody<'_>, place: Option<usize>) -> Result<Cow<'a, str>, Problem> {
    match (&check.token, &check.client_id, &check.client_secret) {
        (Some(token), None, None) => Ok(Cow::Borrowed(token)),
        (None, Some(client_id), Some(secret)) => Ok(Cow::Owned(clients::pair(client_id, secret))),
        (None, Some(_), None) => Err(Problem::field(field_of(place, "client_secret"), "send it with `client_id`")),
        (None, None, Some(_)) => Err(Problem::field(field_of(place, "client_id"), "send it with `client_secret`")),
        _ => Err(Problem::field(
            field_of(place, "token"),
            "send either the `token` that was shown, or `client_id` and `client_secret`",
        )),
    }
}

/// The question of a check; `place` is where it stands in a batch.
fn question<'a>(check: &'a CheckBody<'_>, shown: &'a str, place: Option<usize>) -> Result<Question<'a>, Problem> {
    let field = |name: &str| field_of(place, name);
    let what = match (&check.method, &check.path, &check.permission) {
        (Some(method), Some(path), None) => {
            if check.context.is_some() {
                return Err(Problem::field(field("context"), "an endpoint's context follows from its path"));
            }
            What::Endpoint { method, path }
        }
        (None, None, Some(permission)) => What::Permission { permission, context: check.context.as_deref() },
        (Some(_), None, None) => return Err(Problem::field(field("path"), "send it together with `method`")),
        (None, Some(_), None) => return Err(Problem::field(field("method"), "send it together with `path`")),
        _ => {
            return Err(Problem::field(
                field("permission"),
                "send either `method` and `path`, or `permission` with an optional `context`",
            ));
        }
    };
    let address = check.ip.as_deref().map(|text| text.parse::<IpAddr>().map(|address| address.to_canonical()));
    let address =
        address.transpose().map_err(|_| Problem::field(field("ip"), "send an IPv4 or IPv6 address, without a port"))?;
    Ok(Question {
        token: shown,
        api: &check.api,
        what,
        organization: check.organization.as_deref(),
        address,
        user_agent: check.user_agent.as_deref(),
        request_id: check.request_id.as_deref(),
    })
}

pub(super) fn render(json: Vec<u8>) -> Response<Answered> {
    let mut response = Response::new(Answered::whole(json));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

//! The checks: answered before the router sees the request. A door like the others: parse, ask, render.

use super::problem::Told;
use super::routes::{presented, read_body, read_json};
use crate::app::App;
use crate::verify::answer::Answer;
use crate::verify::check::{Question, What};
use axum::body::Body;
use axum::http::{HeaderValue, Request, Response, header};
use axum::response::IntoResponse as _;
use serde::Deserialize;
use std::net::IpAddr;
use tegata_core::problem::{Code, Problem};
use utoipa::ToSchema;

/// Most checks in one batch.
pub const BATCH_MAX: usize = 1_000;
/// Largest body of one check.
const ONE_MAX_BYTES: usize = 32 * 1024;
/// Largest body of a batch.
const BATCH_MAX_BYTES: usize = 4 * 1024 * 1024;
/// What an answer mostly needs.
const ANSWER_BYTES: usize = 640;

/// A check: of an endpoint by `method` and `path`, or of a `permission` in a `context`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckBody {
    /// What was shown to the verifier.
    pub token: String,
    /// The API, by its key.
    pub api: String,
    /// The method of the call.
    pub method: Option<String>,
    /// The path of the call as it came in; a query is not looked at and never stored.
    pub path: Option<String>,
    /// The permission that the call needs, where the verifier knows it better than the catalogue.
    pub permission: Option<String>,
    /// The place of the permission, such as `project:key:MY-APP`.
    pub context: Option<String>,
    /// The organization, by key or id, where the path does not say it.
    pub organization: Option<String>,
    /// The address of the caller, as the verifier saw it.
    pub ip: Option<String>,
    /// The program of the caller.
    pub user_agent: Option<String>,
    /// The id of the caller's request.
    pub request_id: Option<String>,
}

/// Up to 1,000 checks.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchBody {
    /// The checks.
    #[schema(max_items = 1000)]
    pub checks: Vec<CheckBody>,
}

/// The answers to a batch, in the order of its checks.
#[derive(Debug, ToSchema)]
pub struct BatchAnswer<'a> {
    /// The answers.
    pub results: Vec<Answer<'a>>,
}

/// Whether a request is a check, judged by its path alone.
pub fn is_check(path: &str) -> bool {
    path == "/v1/verify" || path == "/v1/verify/batch"
}

/// Answers a check.
pub async fn answer(app: &App, request: Request<Body>) -> Response<Body> {
    let outcome = if request.method() != "POST" {
        Err(Problem::new(Code::MethodNotAllowed, "checks are asked with POST"))
    } else if request.uri().path() == "/v1/verify" {
        one(app, request).await
    } else {
        batch(app, request).await
    };
    outcome.unwrap_or_else(|problem| {
        let allow = problem.code == Code::MethodNotAllowed;
        let mut response = Told(problem).into_response();
        if allow {
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
        }
        response
    })
}

async fn one(app: &App, request: Request<Body>) -> Result<Response<Body>, Problem> {
    let (parts, body) = request.into_parts();
    let verifier = app.verify.verifier(&presented(&parts.headers)?).await?;
    let bytes = read_body(&parts.headers, body, ONE_MAX_BYTES).await?;
    let check: CheckBody = read_json(&bytes)?;
    let question = question(&check, "")?;
    let mut out = Vec::with_capacity(ANSWER_BYTES);
    let checked = app.verify.check(&verifier, &question, &mut out).await;
    crate::http::server::count_check(checked.reason.as_str());
    Ok(render(out))
}

async fn batch(app: &App, request: Request<Body>) -> Result<Response<Body>, Problem> {
    let (parts, body) = request.into_parts();
    let verifier = app.verify.verifier(&presented(&parts.headers)?).await?;
    let bytes = read_body(&parts.headers, body, BATCH_MAX_BYTES).await?;
    let batch: BatchBody = read_json(&bytes)?;
    if batch.checks.len() > BATCH_MAX {
        return Err(Problem::field("checks", "a batch has at most 1,000 checks; send the rest in another"));
    }
    let questions = batch
        .checks
        .iter()
        .enumerate()
        .map(|(place, check)| question(check, &format!("checks[{place}].")))
        .collect::<Result<Vec<_>, _>>()?;
    let mut out = Vec::with_capacity(questions.len() * ANSWER_BYTES);
    out.extend_from_slice(br#"{"results":["#);
    for checked in app.verify.check_batch(&verifier, &questions, &mut out).await {
        crate::http::server::count_check(checked.reason.as_str());
    }
    out.extend_from_slice(b"]}");
    Ok(render(out))
}

fn question<'a>(check: &'a CheckBody, at: &str) -> Result<Question<'a>, Problem> {
    let what = match (&check.method, &check.path, &check.permission) {
        (Some(method), Some(path), None) => {
            if check.context.is_some() {
                return Err(Problem::field(format!("{at}context"), "an endpoint's context follows from its path"));
            }
            What::Endpoint { method, path }
        }
        (None, None, Some(permission)) => What::Permission { permission, context: check.context.as_deref() },
        (Some(_), None, None) => return Err(Problem::field(format!("{at}path"), "send it together with `method`")),
        (None, Some(_), None) => return Err(Problem::field(format!("{at}method"), "send it together with `path`")),
        _ => {
            return Err(Problem::field(
                format!("{at}permission"),
                "send either `method` and `path`, or `permission` with an optional `context`",
            ));
        }
    };
    let address = check.ip.as_deref().map(|text| text.parse::<IpAddr>().map(|address| address.to_canonical()));
    let address = address
        .transpose()
        .map_err(|_| Problem::field(format!("{at}ip"), "send an IPv4 or IPv6 address, without a port"))?;
    Ok(Question {
        token: &check.token,
        api: &check.api,
        what,
        organization: check.organization.as_deref(),
        address,
        user_agent: check.user_agent.as_deref(),
        request_id: check.request_id.as_deref(),
    })
}

fn render(json: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(json));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

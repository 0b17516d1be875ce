//! AuthZEN's evaluation calls (OpenID Authorization API 1.0, §6 and §7): asked and answered as the standard says,
//! decided by the check. What the standard answers with 400, these answer with 400.

use super::body::Answered;
use super::routes::{NoBody, Routes, read_json, require_json};
use super::server::Shared;
use super::verify::{ANSWER_BYTES, Asked, BATCH_MAX, BATCH_MAX_BYTES, ONE_MAX_BYTES, on, render, verifier};
use crate::app::App;
use crate::authzen::call::{Call, Wrong};
use crate::authzen::entities::{Action, Context, Resource, Subject, object, optional_object, read_object};
use crate::authzen::told::{Teller, malformed, refused};
use crate::authzen::{ACCESS_REQUEST_CAPABILITY, EVALUATION_PATH, EVALUATIONS_PATH, REQUESTS_PATH, url};
use crate::verify::entry::VerifierEntry;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{Response, header};
use axum::response::IntoResponse as _;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use std::pin::pin;
use std::sync::Arc;
use tegata_core::operations;
use tegata_core::problem::{Code, Problem};
use utoipa::ToSchema;

/// One evaluation.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = AuthzenEvaluation)]
pub struct EvaluationBody {
    /// Whoever wants something: a credential, as it was shown.
    #[serde(deserialize_with = "object")]
    pub subject: Subject,
    /// What is wanted.
    #[serde(deserialize_with = "object")]
    pub action: Action,
    /// What it is wanted of.
    #[serde(deserialize_with = "object")]
    pub resource: Resource,
    /// Under which circumstances.
    #[serde(default, deserialize_with = "optional_object")]
    pub context: Option<Context>,
}

/// Many evaluations. What stands beside them counts for each that does not say it itself, as a whole.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = AuthzenEvaluations)]
pub struct EvaluationsBody {
    /// The subject of each that says none.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub subject: Option<Box<RawValue>>,
    /// The action of each that says none.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub action: Option<Box<RawValue>>,
    /// The resource of each that says none.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub resource: Option<Box<RawValue>>,
    /// The circumstances of each that says none.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub context: Option<Box<RawValue>>,
    /// How far to go.
    #[serde(default, deserialize_with = "optional_object")]
    pub options: Option<Options>,
    /// The evaluations. One that cannot be read is denied, and says why; none at all, and what stands beside is the
    /// only one.
    #[serde(default)]
    #[schema(value_type = Option<Vec<Value>>, max_items = 1000)]
    pub evaluations: Option<Vec<Box<RawValue>>>,
}

/// How many evaluations are gone through.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = AuthzenOptions)]
pub struct Options {
    /// Whether the first no, or the first yes, is the last that is decided.
    #[serde(default)]
    pub evaluations_semantic: Option<Semantic>,
}

/// Where going through evaluations ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AuthzenSemantic)]
pub enum Semantic {
    /// All are decided.
    #[default]
    ExecuteAll,
    /// The first no is the last.
    DenyOnFirstDeny,
    /// The first yes is the last.
    PermitOnFirstPermit,
}

impl Semantic {
    /// The decision after which nothing is decided any more.
    const fn ends_with(self) -> Option<bool> {
        match self {
            Self::ExecuteAll => None,
            Self::DenyOnFirstDeny => Some(false),
            Self::PermitOnFirstPermit => Some(true),
        }
    }
}

/// A decision.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuthzenDecision)]
pub struct DecisionView {
    /// Whether the call may go on.
    pub decision: bool,
    /// Why: `reason` and everything else that a check answers, with the id of its access record as `evaluation_id`; and
    /// `access_request` where what was missing can be asked for.
    #[schema(value_type = Option<Object>)]
    pub context: Value,
}

/// Decisions, in the order of the evaluations; or one, where there were no evaluations.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuthzenDecisions)]
pub struct DecisionsView {
    /// The decisions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluations: Option<Vec<DecisionView>>,
    /// The only decision, where there were no evaluations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<bool>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub context: Option<Value>,
}

/// Which of AuthZEN's calls are here (Authorization API 1.0, §9).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuthzenConfiguration)]
pub struct Configuration {
    /// The URL of this server.
    pub policy_decision_point: String,
    /// Where a call is decided.
    pub access_evaluation_endpoint: String,
    /// Where many calls are decided.
    pub access_evaluations_endpoint: String,
    /// Where access is asked for.
    pub access_request_endpoint: String,
    /// What else is there.
    pub capabilities: Vec<&'static str>,
}

/// The route of the metadata; the calls themselves come in by the door of the checks.
pub fn routes() -> Routes {
    Routes::new().add::<NoBody, Configuration, _, _>(operations::AUTHZEN_CONFIGURATION, 200, configuration)
}

async fn configuration(State(app): State<Arc<App>>) -> axum::response::Response {
    let here = |path| url(&app.public_url, path);
    let configuration = Configuration {
        policy_decision_point: here(""),
        access_evaluation_endpoint: here(EVALUATION_PATH),
        access_evaluations_endpoint: here(EVALUATIONS_PATH),
        access_request_endpoint: here(REQUESTS_PATH),
        capabilities: vec![ACCESS_REQUEST_CAPABILITY],
    };
    ([(header::CACHE_CONTROL, "public, max-age=300")], Json(configuration)).into_response()
}

/// Decides a call.
pub async fn evaluation(shared: &Shared, asked: &mut Asked) -> Result<Response<Answered>, Problem> {
    let verifier = verifier(shared, asked).await?;
    let bytes = read(asked, ONE_MAX_BYTES).await?;
    let body: EvaluationBody = read_json(&bytes)?;
    let call = Call::of(&body.subject, &body.action, &body.resource, body.context.unwrap_or_default());
    let decision = alone(shared, &verifier, call).await?;
    Ok(render(decision.to_string().into_bytes()))
}

/// Decides many calls.
pub async fn evaluations(shared: &Shared, asked: &mut Asked) -> Result<Response<Answered>, Problem> {
    let verifier = verifier(shared, asked).await?;
    let bytes = read(asked, BATCH_MAX_BYTES).await?;
    let body: EvaluationsBody = read_json(&bytes)?;
    let beside = [
        ("subject", &body.subject),
        ("action", &body.action),
        ("resource", &body.resource),
        ("context", &body.context),
    ];
    for (name, value) in beside {
        if value.as_ref().is_some_and(|value| !value.get().starts_with('{')) {
            let rule = "send an object";
            return Err(Problem::new(Code::MalformedBody, format!("{name}: {rule}")).with(name, rule));
        }
    }
    let items = body.evaluations.as_deref().unwrap_or_default();
    if items.is_empty() {
        let read = Item::default().call(&body).map_err(|error| Problem::new(Code::MalformedBody, error))?;
        let decision = alone(shared, &verifier, read).await?;
        return Ok(render(decision.to_string().into_bytes()));
    }
    if items.len() > BATCH_MAX {
        let rule = "there are at most 1,000; send the rest in another call";
        return Err(Problem::new(Code::MalformedBody, format!("evaluations: {rule}")).with("evaluations", rule));
    }
    let read = |item: &RawValue| {
        if !item.get().starts_with('{') {
            return Err("send an object".to_owned());
        }
        let item: Item<'_> = serde_json::from_str(item.get()).map_err(|error| error.to_string())?;
        item.call(&body)?.map_err(|wrong| wrong.to_string())
    };
    let calls: Vec<Result<Call, String>> = items.iter().map(|item| read(item)).collect();
    let semantic = body.options.as_ref().and_then(|options| options.evaluations_semantic).unwrap_or_default();
    let decisions = match semantic.ends_with() {
        None => all(shared, &verifier, &calls).await,
        Some(last) => until(shared, &verifier, &calls, last).await,
    };
    Ok(render(json!({"evaluations": decisions}).to_string().into_bytes()))
}

/// One of many evaluations, as far as it says something itself.
#[derive(Default, Deserialize)]
struct Item<'a> {
    #[serde(borrow, default)]
    subject: Option<&'a RawValue>,
    #[serde(borrow, default)]
    action: Option<&'a RawValue>,
    #[serde(borrow, default)]
    resource: Option<&'a RawValue>,
    #[serde(borrow, default)]
    context: Option<&'a RawValue>,
}

impl Item<'_> {
    /// What it asks, with what stands beside it. An error where something is missing or of the wrong kind.
    fn call(&self, beside: &EvaluationsBody) -> Result<Result<Call, Wrong>, String> {
        let subject: Subject = part("subject", self.subject, beside.subject.as_deref())?;
        let action: Action = part("action", self.action, beside.action.as_deref())?;
        let resource: Resource = part("resource", self.resource, beside.resource.as_deref())?;
        let context = match self.context.or(beside.context.as_deref()) {
            Some(_) => part("context", self.context, beside.context.as_deref())?,
            None => Context::default(),
        };
        Ok(Call::of(&subject, &action, &resource, context))
    }
}

fn part<T: serde::de::DeserializeOwned>(
    name: &str,
    own: Option<&RawValue>,
    beside: Option<&RawValue>,
) -> Result<T, String> {
    let raw = own.or(beside).ok_or_else(|| format!("{name}: it is missing"))?;
    read_object(raw).map_err(|error| format!("{name}: {error}"))
}

/// The body, which has to be there and to say that it is JSON.
async fn read(asked: &mut Asked, limit: usize) -> Result<Bytes, Problem> {
    let bytes = asked.body.read(limit).await?;
    require_json(&asked.headers)
        .map_err(|_| Problem::new(Code::MalformedBody, "send a JSON object, and `Content-Type: application/json`"))?;
    Ok(bytes)
}

/// The decision about the only evaluation of a call; one that cannot be read is refused as a whole.
async fn alone(shared: &Shared, verifier: &VerifierEntry, call: Result<Call, Wrong>) -> Result<Value, Problem> {
    let told = |wrong: Wrong| {
        Problem::new(Code::MalformedBody, wrong.to_string()).with(wrong.field.to_owned(), wrong.rule.to_owned())
    };
    let call = call.map_err(told)?;
    let only = shared.app.verify.only_api(verifier);
    let question = call.question(only.as_deref()).map_err(told)?;
    let mut out = Vec::with_capacity(ANSWER_BYTES);
    let checked = on(&shared.main, pin!(shared.app.verify.check(verifier, &question, &mut out))).await;
    shared.tally.count(checked.reason);
    let endpoint = url(&shared.app.public_url, REQUESTS_PATH);
    Ok(teller(shared, &endpoint).decision(answer(&out), call.context.approval.as_deref()))
}

/// The decisions about all of them.
async fn all(shared: &Shared, verifier: &VerifierEntry, calls: &[Result<Call, String>]) -> Vec<Value> {
    let only = shared.app.verify.only_api(verifier);
    let asked: Vec<_> = calls
        .iter()
        .map(|call| match call {
            Ok(call) => {
                call.question(only.as_deref()).map(|question| (call, question)).map_err(|wrong| refused(&wrong))
            }
            Err(message) => Err(malformed(message)),
        })
        .collect();
    let questions: Vec<_> =
        asked.iter().filter_map(|asked| asked.as_ref().ok().map(|(_, question)| *question)).collect();
    let mut out = Vec::with_capacity(2 + questions.len() * ANSWER_BYTES);
    out.push(b'[');
    for checked in on(&shared.main, pin!(shared.app.verify.check_batch(verifier, &questions, &mut out))).await {
        shared.tally.count(checked.reason);
    }
    out.push(b']');
    let mut answers = serde_json::from_slice::<Vec<Map<String, Value>>>(&out).unwrap_or_default().into_iter();
    let endpoint = url(&shared.app.public_url, REQUESTS_PATH);
    let teller = teller(shared, &endpoint);
    asked
        .into_iter()
        .map(|asked| match asked {
            // An answer that is not there is a no.
            Ok((call, _)) => teller.decision(answers.next().unwrap_or_default(), call.context.approval.as_deref()),
            Err(refused) => refused,
        })
        .collect()
}

/// The decisions up to the first that is `last`.
async fn until(shared: &Shared, verifier: &VerifierEntry, calls: &[Result<Call, String>], last: bool) -> Vec<Value> {
    let mut decisions = Vec::new();
    for call in calls {
        let mut decided = all(shared, verifier, std::slice::from_ref(call)).await;
        let ends = decided.last().is_some_and(|decision| decision.get("decision") == Some(&Value::Bool(last)));
        decisions.append(&mut decided);
        if ends {
            break;
        }
    }
    decisions
}

fn teller<'a>(shared: &'a Shared, endpoint: &'a str) -> Teller<'a> {
    Teller { endpoint, hasher: &shared.app.hasher, now: shared.app.clock.now() }
}

/// The answer of a check; what cannot be read is a no.
fn answer(bytes: &[u8]) -> Map<String, Value> {
    serde_json::from_slice(bytes).unwrap_or_default()
}

//! Ask for what a denial said was missing, in AuthZEN's words. It has to belong to the denial that it shows.

use super::submitted::{Item, Submitted};
use super::view::TaskAnswer;
use crate::authn::descriptor::{Descriptor, DescriptorError};
use crate::authzen::call::Wish;
use crate::authzen::entities::{Action, Resource, Subject, object, optional_object, optional_objects, read_object};
use crate::db::access_tasks::AccessTask;
use crate::db::grants::StoredGrant;
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::requests::ask;
use crate::ops::tokens::revoke::told_reason;
use crate::ops::{Act, Changes, Mutation};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use serde_json::value::RawValue;
use tegata_core::credential::GrantState;
use tegata_core::ids::{AccessTaskId, ApprovalId, RequestId, TokenId};
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};
use tegata_core::time::{Timestamp, days};
use utoipa::ToSchema;

/// Most items of one request.
const ITEMS_MAX: usize = 20;
/// Largest resource or action that is kept, in bytes.
const ENTITY_MAX_BYTES: usize = 2_048;
/// Most tasks of one request.
const TASKS_MAX: usize = 20;
/// For how many days a task is shown after the last moment at which it can be decided.
const SHOWN_DAYS: u64 = 7;

/// What to ask for. Members that are not known here are left alone.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(as = AccessRequest)]
pub struct Body {
    /// The subject of the evaluation; or the credential by its id, as the decision tells it.
    #[serde(deserialize_with = "object")]
    pub subject: Subject,
    /// The resource of the evaluation, unless there are items.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub resource: Option<Box<RawValue>>,
    /// The action of the evaluation, unless there are items.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub action: Option<Box<RawValue>>,
    /// Several at once, of one credential, API and organization.
    #[serde(default, deserialize_with = "optional_objects")]
    #[schema(max_items = 20)]
    pub items: Option<Vec<ItemBody>>,
    /// What for.
    #[serde(default, deserialize_with = "optional_object")]
    pub context: Option<ContextBody>,
    /// For how long.
    #[serde(default, deserialize_with = "optional_object")]
    pub requested_access: Option<RequestedAccess>,
    /// The denial; each item may have its own.
    #[serde(default, deserialize_with = "optional_object")]
    pub denial: Option<Denial>,
}

/// One of several.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(as = AccessRequestItem)]
pub struct ItemBody {
    /// The resource of the evaluation.
    #[schema(value_type = Object)]
    pub resource: Box<RawValue>,
    /// The action of the evaluation.
    #[schema(value_type = Object)]
    pub action: Box<RawValue>,
    /// Its denial.
    #[serde(default, deserialize_with = "optional_object")]
    pub denial: Option<Denial>,
}

/// What for.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[schema(as = AccessRequestContext)]
pub struct ContextBody {
    /// What for; whoever answers for the place reads it.
    #[serde(default)]
    pub business_justification: Option<String>,
    /// The same, in a shorter word.
    #[serde(default)]
    pub reason: Option<String>,
}

/// For how long.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[schema(as = AccessRequestWish)]
pub struct RequestedAccess {
    /// Until when it is needed. Whoever decides reads it, and says until when it is granted.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub requested_until: Option<Timestamp>,
}

/// What a denial said.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(as = AccessRequestDenial)]
pub struct Denial {
    /// `context.access_request.binding_token`, unchanged.
    #[serde(default)]
    pub binding_token: Option<String>,
    /// `context.evaluation_id`; it is kept with the request.
    #[serde(default)]
    pub evaluation_id: Option<String>,
    /// `context.access_request.expires_at`.
    #[schema(value_type = String)]
    pub expires_at: Timestamp,
}

/// Ask for access.
#[derive(Debug, Clone)]
pub struct FileAccessRequest {
    /// What.
    pub body: Body,
}

/// One wish with what its denial said was missing.
struct Asked<'b> {
    resource: &'b RawValue,
    action: &'b RawValue,
    descriptor: Descriptor,
}

fn wrong(field: impl Into<String>, rule: &str) -> Problem {
    let field = field.into();
    Problem::new(Code::MalformedBody, format!("{field}: {rule}")).with(field, rule)
}

fn mismatch(detail: &str) -> Problem {
    Problem::new(Code::DenialMismatch, detail)
}

impl Mutation for FileAccessRequest {
    const OPERATION: &'static Operation = operations::AUTHZEN_REQUEST_FILE;
    type Output = TaskAnswer;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(TaskAnswer, Changes), Problem> {
        let reason = self.body.reason();
        told_reason(Some(&reason))?;
        let asked = self.body.asked(act)?;
        if act.actor.itself.is_some() {
            crate::ops::applications::own::own(act, Self::OPERATION).await?;
        }
        let all = together(&asked)?;
        let who = ask::bearer(act, &all).await?;
        let requester = who.1;
        if !is_subject(act, &self.body.subject, all.token).await? {
            return Err(mismatch("the subject is not the credential that was denied"));
        }
        self.belongs(act, &asked)?;
        let (filed, changes) = ask::file(act, &all, who, Some(&reason)).await.map_err(not_requestable)?;
        let request = filed.request.as_ref().and_then(|request| request.id.parse().ok());
        let submitted = Submitted { bundle: self.body.items.is_some(), items: items(act, &asked, request).await? };
        let task = if let Some(task) = same(act, &all, request, &submitted).await? {
            task
        } else {
            let task = AccessTask {
                id: act.id(AccessTaskId::new),
                org: all.org,
                token: all.token,
                requester,
                request,
                approval: act.id(ApprovalId::new),
                submitted: serde_json::to_string(&submitted).map_err(|_| Problem::internal())?,
                created_at: act.now,
                expires_at: shown_until(act, &all, request).await?,
            };
            db::access_tasks::insert(&mut act.tx, &task).await.map_err(internal)?;
            task
        };
        let evaluations = self.body.evaluations();
        let told = |mut change: crate::ops::Change| {
            if let Some(after) = change.after.as_mut() {
                after["task"] = json!(task.id);
                after["evaluations"] = json!(evaluations);
            }
            change.told_as(operations::REQUEST_FILE.id)
        };
        let list = changes.list.into_iter().map(told).collect();
        Ok((TaskAnswer::of(act, &task).await?, Changes { list }))
    }
}

impl Body {
    /// What whoever decides reads.
    fn reason(&self) -> String {
        let context = self.context.clone().unwrap_or_default();
        let reason = context.business_justification.or(context.reason).unwrap_or_default();
        match self.requested_access.as_ref().and_then(|access| access.requested_until) {
            Some(until) if reason.is_empty() => format!("until {until}"),
            Some(until) => format!("{reason} (until {until})"),
            None => reason,
        }
    }

    /// The ids of the evaluations, as far as they were sent.
    fn evaluations(&self) -> Vec<String> {
        let items = self.items.iter().flatten().filter_map(|item| item.denial.as_ref());
        let ids = self.denial.iter().chain(items).filter_map(|denial| denial.evaluation_id.as_deref());
        ids.map(|id| id.chars().take(64).collect()).collect()
    }

    /// The wishes, each with its denial, which is one of this server's and good still.
    fn asked(&self, act: &Act<'_, WriteTx>) -> Result<Vec<Asked<'_>>, Problem> {
        let Some(items) = &self.items else {
            let resource = self.resource.as_deref().ok_or_else(|| wrong("resource", "it is missing"))?;
            let action = self.action.as_deref().ok_or_else(|| wrong("action", "it is missing"))?;
            return Ok(vec![Asked { resource, action, descriptor: read(act, self.denial.as_ref())? }]);
        };
        if self.resource.is_some() || self.action.is_some() {
            return Err(wrong("items", "leave `resource` and `action` out, or the items"));
        }
        if items.is_empty() || items.len() > ITEMS_MAX {
            return Err(wrong("items", "there are 1 to 20"));
        }
        let asked = |item: &'_ ItemBody| read(act, item.denial.as_ref().or(self.denial.as_ref()));
        items
            .iter()
            .map(|item| Ok(Asked { resource: &item.resource, action: &item.action, descriptor: asked(item)? }))
            .collect()
    }
}

impl FileAccessRequest {
    /// Whether each wish is what its denial was about.
    fn belongs(&self, act: &Act<'_, WriteTx>, asked: &[Asked<'_>]) -> Result<(), Problem> {
        for (place, one) in asked.iter().enumerate() {
            let at = |name: &str| {
                if self.body.items.is_some() { format!("items[{place}].{name}") } else { name.to_owned() }
            };
            let resource: Resource = entity(one.resource).map_err(|rule| wrong(at("resource"), &rule))?;
            let action: Action = entity(one.action).map_err(|rule| wrong(at("action"), &rule))?;
            let wish = Wish::of(&action, &resource).map_err(|error| wrong(at(error.field), error.rule))?;
            let (api, organization) = (wish.api.as_deref(), wish.organization.as_deref());
            if !act.app.verify.belongs(&one.descriptor, api, organization, &wish.what()) {
                return Err(mismatch("this is not the resource and action that were denied"));
            }
        }
        Ok(())
    }
}

fn entity<T: DeserializeOwned>(raw: &RawValue) -> Result<T, String> {
    if raw.get().len() > ENTITY_MAX_BYTES {
        return Err(format!("it has at most {ENTITY_MAX_BYTES} bytes"));
    }
    read_object(raw)
}

fn read(act: &Act<'_, WriteTx>, denial: Option<&Denial>) -> Result<Descriptor, Problem> {
    let denial = denial.ok_or_else(|| mismatch("send the denial that says what was missing"))?;
    let token = denial.binding_token.as_deref();
    let token = token.ok_or_else(|| mismatch("send `binding_token` of the denial, unchanged"))?;
    let too_old =
        || Problem::new(Code::DenialExpired, "this denial is too old: make the call again, and ask with the new one");
    let read = Descriptor::read(&act.app.hasher, token, act.now).map_err(|error| match error {
        DescriptorError::Unknown => mismatch("this `binding_token` is none of this server, or was changed"),
        DescriptorError::Expired => too_old(),
    })?;
    if act.now >= denial.expires_at { Err(too_old()) } else { Ok(read) }
}

/// Everything that is missing, as one.
fn together(asked: &[Asked<'_>]) -> Result<Descriptor, Problem> {
    let (first, rest) = asked.split_first().ok_or_else(|| mismatch("nothing is asked for"))?;
    let mut all = first.descriptor.clone();
    for Asked { descriptor: other, .. } in rest {
        if (other.token, other.org, other.api) != (all.token, all.org, all.api) {
            return Err(mismatch("items are of one credential, one organization and one API; ask for others apart"));
        }
        all.needs.extend(other.needs.iter().copied());
        all.expires_at = all.expires_at.min(other.expires_at);
    }
    let mut seen = Vec::with_capacity(all.needs.len());
    all.needs.retain(|need| {
        !seen.contains(need) && {
            seen.push(*need);
            true
        }
    });
    Ok(all)
}

/// Whether the subject of a request is this credential: by its secret, or by its id.
async fn is_subject(act: &mut Act<'_, WriteTx>, subject: &Subject, token: TokenId) -> Result<bool, Problem> {
    if !matches!(subject.kind.as_str(), "token" | "credential") {
        return Ok(false);
    }
    if let Ok(id) = subject.id.parse::<TokenId>() {
        return Ok(id == token);
    }
    let hasher = &act.app.hasher;
    for digest in [Some(hasher.digest(&subject.id)), hasher.previous_digest(&subject.id)].into_iter().flatten() {
        let holder = db::secrets::find(act.tx(), digest).await.map_err(internal)?;
        if holder.is_some_and(|holder| holder.subject == token.to_string()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What cannot be asked for, in the profile's words. Whose it is, and what is wrong with the request itself, stays as it is.
fn not_requestable(problem: Problem) -> Problem {
    match problem.code {
        Code::BeyondOwnRights | Code::Conflict | Code::Forbidden | Code::Invalid => {
            Problem { code: Code::DenialNotRequestable, ..problem }
        }
        _ => problem,
    }
}

/// The items as they are kept, each with the lines that it waits for.
async fn items(
    act: &mut Act<'_, WriteTx>,
    asked: &[Asked<'_>],
    request: Option<RequestId>,
) -> Result<Vec<Item>, Problem> {
    let mut items = Vec::with_capacity(asked.len());
    for one in asked {
        let Descriptor { org, api, .. } = one.descriptor;
        let lines = match request {
            Some(request) => db::grants::of_request(act.tx(), org, request).await.map_err(internal)?,
            None => Vec::new(),
        };
        let app = act.app;
        let loaded = app.catalogues.of(act.tx(), &api.to_string()).await.map_err(internal)?;
        let loaded = loaded.ok_or_else(Problem::internal)?;
        let number = |(permission, context): &(_, Option<_>)| {
            let name = loaded.catalogue.permission(*permission)?.name.as_str();
            let is_it = |line: &&StoredGrant| {
                line.state == GrantState::Requested
                    && line.api == api
                    && line.context == *context
                    && line.permissions.first().is_some_and(|first| first == name)
            };
            lines.iter().find(is_it).and_then(|line| line.line).map(|(_, number)| number)
        };
        let lines = one.descriptor.needs.iter().filter_map(number).collect();
        items.push(Item { resource: one.resource.to_owned(), action: one.action.to_owned(), lines });
    }
    Ok(items)
}

/// The task under which the same credential asked for the same before, if it waits still.
async fn same(
    act: &mut Act<'_, WriteTx>,
    all: &Descriptor,
    request: Option<RequestId>,
    submitted: &Submitted,
) -> Result<Option<AccessTask>, Problem> {
    let Some(request) = request else { return Ok(None) };
    let tasks = db::access_tasks::of_request(act.tx(), all.org, request).await.map_err(internal)?;
    let is_same = |task: &&AccessTask| {
        let kept = serde_json::from_str::<Submitted>(&task.submitted);
        task.token == all.token && kept.is_ok_and(|kept| kept.is_same(submitted))
    };
    if let Some(task) = tasks.iter().find(is_same) {
        return Ok(Some(task.clone()));
    }
    if tasks.len() >= TASKS_MAX {
        let detail = format!("the request for this has {TASKS_MAX} tasks already; use one of them");
        return Err(Problem::new(Code::DenialNotRequestable, detail));
    }
    Ok(None)
}

async fn shown_until(
    act: &mut Act<'_, WriteTx>,
    all: &Descriptor,
    request: Option<RequestId>,
) -> Result<Timestamp, Problem> {
    let decidable = match request {
        Some(request) => db::requests::get(act.tx(), all.org, request).await.map_err(internal)?,
        None => None,
    };
    Ok(decidable.map_or(act.now, |request| request.expires_at).plus(days(SHOWN_DAYS)))
}

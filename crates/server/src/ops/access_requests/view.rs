//! Tasks as they are shown.

use super::submitted::{Status, Submitted};
use crate::authzen::{REQUESTS_PATH, url};
use crate::db::access_tasks::AccessTask;
use crate::db::grants::StoredGrant;
use crate::db::{self, DbError};
use crate::ops::Act;
use crate::ops::act::{Reading, internal};
use serde::Serialize;
use serde_json::value::RawValue;
use tegata_core::credential::GrantState;
use tegata_core::problem::Problem;
use tegata_core::time::{Timestamp, days};
use utoipa::ToSchema;

/// For how many days an approval that does not end by itself is said to hold.
const HOLDS_DAYS: u64 = 365;

/// A task, and what it came to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AccessTaskAnswer)]
pub struct TaskAnswer {
    /// The task.
    pub task: TaskView,
    /// What an approval came to; absent while nothing is approved, and where the task has items, which have their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<ResultView>,
}

/// An access request.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AccessTask)]
pub struct TaskView {
    /// Its id.
    pub id: String,
    /// `pending`, and then once and for all `approved`, `denied`, `expired`, `cancelled` or, of items, `partial`.
    pub status: String,
    /// Where to ask how it stands.
    pub status_endpoint: String,
    /// Until when it is shown.
    pub expires_at: String,
    /// How far deciding it has come, while it is pending.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<ProgressView>,
    /// What can be done with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub links: Option<LinksView>,
    /// What became of each resource and action, where it was asked for items.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<ItemView>>,
}

/// How far a task has come.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AccessTaskProgress)]
pub struct ProgressView {
    /// The line that is decided next, from 1.
    pub current_step: usize,
    /// How many lines there are to decide.
    pub total_steps: usize,
    /// `approval`.
    pub step_name: &'static str,
}

/// What can be done with a task.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AccessTaskLinks)]
pub struct LinksView {
    /// Where it is taken back.
    pub cancel: String,
}

/// What became of one resource and action.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AccessTaskItem)]
pub struct ItemView {
    /// The resource, as it was sent.
    #[schema(value_type = Object)]
    pub resource: Box<RawValue>,
    /// The action, as it was sent.
    #[schema(value_type = Object)]
    pub action: Box<RawValue>,
    /// What became of it.
    pub status: String,
    /// What an approval came to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<ResultView>,
}

/// What to do with an approval.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = AccessTaskResult)]
pub struct ResultView {
    /// `reevaluate`: make the call again, with the same credential.
    pub mode: &'static str,
    /// The approval; it explains, and opens nothing.
    pub approval: ApprovalView,
}

/// An approval.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = AccessTaskApproval)]
pub struct ApprovalView {
    /// Its id.
    pub id: String,
    /// When it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved_at: Option<String>,
    /// Until when it holds at the longest.
    pub approved_until: String,
}

impl TaskAnswer {
    /// A task as it stands.
    pub async fn of<T: Reading>(act: &mut Act<'_, T>, task: &AccessTask) -> Result<Self, Problem> {
        let submitted: Submitted = serde_json::from_str(&task.submitted)
            .map_err(|_| internal(DbError::Corrupt(format!("submitted of {}", task.id))))?;
        let lines = match task.request {
            Some(request) => db::grants::of_request(act.tx(), task.org, request).await.map_err(internal)?,
            None => Vec::new(),
        };
        let ends = db::tokens::get(act.tx(), task.token).await.map_err(internal)?.map(|token| token.expires_at);
        let approvals = Approvals { task, ends: ends.unwrap_or(task.created_at) };
        let mut items = Vec::with_capacity(submitted.items.len());
        for item in submitted.items {
            let own = || lines.iter().filter(|line| line.line.is_some_and(|(_, number)| item.lines.contains(&number)));
            let status = Status::of_lines(own().map(|line| line.state));
            let result = (status == Status::Approved).then(|| approvals.of(own()));
            items.push((
                status,
                ItemView { resource: item.resource, action: item.action, status: status.as_str().to_owned(), result },
            ));
        }
        let statuses: Vec<Status> = items.iter().map(|(status, _)| *status).collect();
        let status = Status::of_items(&statuses);
        let here = url(&act.app.public_url, &format!("{REQUESTS_PATH}/{}", task.id));
        let is_pending = status == Status::Pending;
        let settled = lines.iter().filter(|line| line.state != GrantState::Requested).count();
        let progress = ProgressView { current_step: settled + 1, total_steps: lines.len(), step_name: "approval" };
        let mut items: Vec<ItemView> = items.into_iter().map(|(_, item)| item).collect();
        let (items, result) =
            if submitted.bundle { (Some(items), None) } else { (None, items.pop().and_then(|one| one.result)) };
        Ok(Self {
            task: TaskView {
                id: task.id.to_string(),
                status: status.as_str().to_owned(),
                links: is_pending.then(|| LinksView { cancel: format!("{here}/cancel") }),
                status_endpoint: here,
                expires_at: task.expires_at.to_string(),
                progress: is_pending.then_some(progress),
                items,
            },
            result,
        })
    }
}

struct Approvals<'t> {
    task: &'t AccessTask,
    /// When the credential ends.
    ends: Timestamp,
}

impl Approvals<'_> {
    /// What was approved with these lines; what was granted at once has none.
    fn of<'l>(&self, lines: impl Iterator<Item = &'l StoredGrant>) -> ResultView {
        let mut at = Some(self.task.created_at);
        let mut until = self.ends;
        for line in lines {
            let decided = line.decided.as_ref().map(|decided| decided.at);
            if line.state == GrantState::Ungranted {
                // When it was granted is no longer known; it holds no longer.
                at = None;
                until = until.min(decided.unwrap_or(self.task.created_at));
            } else {
                at = at.map(|at| at.max(decided.unwrap_or(at)));
                until = until.min(line.until.unwrap_or(until));
            }
        }
        let until = until.min(at.unwrap_or(self.task.created_at).plus(days(HOLDS_DAYS)));
        let (id, approved_at) = (self.task.approval.to_string(), at.map(|at| at.to_string()));
        ResultView { mode: "reevaluate", approval: ApprovalView { id, approved_at, approved_until: until.to_string() } }
    }
}

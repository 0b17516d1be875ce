//! Show how an access request stands.

use super::own_task;
use super::view::TaskAnswer;
use crate::db::{self, Tx};
use crate::ops::act::internal;
use crate::ops::{Act, Query};
use tegata_core::ids::{AccessTaskId, TokenId};
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;

/// Show an access request.
#[derive(Debug, Clone)]
pub struct ShowAccessRequest {
    /// Which; none where the text was no id.
    pub task: Option<AccessTaskId>,
}

impl Query for ShowAccessRequest {
    const OPERATION: &'static Operation = operations::AUTHZEN_REQUEST_SHOW;
    type Output = TaskAnswer;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<TaskAnswer, Problem> {
        let task = own_task(act, self.task).await?;
        TaskAnswer::of(act, &task).await
    }
}

/// Whose changes a task waits for, for a caller to whom it was shown; none where nothing can change.
pub async fn awaited(app: &crate::app::App, task: Option<AccessTaskId>) -> Result<Option<TokenId>, Problem> {
    let Some(id) = task else { return Ok(None) };
    let mut tx = app.db.read().await.map_err(internal)?;
    let Some(task) = db::access_tasks::get(&mut tx, id).await.map_err(internal)? else { return Ok(None) };
    let Some(request) = task.request else { return Ok(None) };
    let request = db::requests::get(&mut tx, task.org, request).await.map_err(internal)?;
    Ok(request.map(|request| request.token))
}

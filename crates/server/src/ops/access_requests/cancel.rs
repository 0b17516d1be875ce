//! Take an access request back as far as it is not decided.

use super::own_task;
use super::view::TaskAnswer;
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::requests::mine::take_back;
use crate::ops::tokens::revoke::told_reason;
use crate::ops::{Act, Changes, Mutation};
use serde::Deserialize;
use tegata_core::ids::AccessTaskId;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};
use utoipa::ToSchema;

/// Why.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = AccessTaskCancel)]
pub struct Body {
    /// Why, as a word for programs.
    pub reason: Option<String>,
    /// Why; other people read it.
    pub comment: Option<String>,
}

/// Take an access request back.
#[derive(Debug, Clone)]
pub struct CancelAccessRequest {
    /// Which; none where the text was no id.
    pub task: Option<AccessTaskId>,
    /// Why.
    pub body: Body,
}

impl Mutation for CancelAccessRequest {
    const OPERATION: &'static Operation = operations::AUTHZEN_REQUEST_CANCEL;
    type Output = TaskAnswer;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(TaskAnswer, Changes), Problem> {
        let task = own_task(act, self.task).await?;
        let why = self.body.comment.as_deref().or(self.body.reason.as_deref());
        told_reason(why)?;
        let over = || Problem::new(Code::TaskOver, "nothing of this waits for a decision any more");
        let request = match task.request {
            Some(request) => db::requests::get(act.tx(), task.org, request).await.map_err(internal)?,
            None => None,
        };
        let taken = take_back(act, &request.ok_or_else(over)?, |_| true, why).await?.ok_or_else(over)?;
        let change = taken.told_as(operations::REQUEST_WITHDRAW.id);
        Ok((TaskAnswer::of(act, &task).await?, change.into()))
    }
}

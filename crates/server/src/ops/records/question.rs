//! Questions that read more of the log than a page. The right to one is asked for, and recorded, within a transaction;
//! the log is asked after it, so that no question holds up the database.

use super::filters::{Asked, Filters, ask};
use crate::app::App;
use crate::db::Tx;
use crate::ops::{Act, Caller, Query, frame};
use serde::Serialize;
use std::sync::Arc;
use tegata_core::operations::Operation;
use tegata_core::problem::Problem;
use tegata_record::AccessLog;

/// A question to the access log of an organization.
pub trait LogQuestion: Send + Sync + 'static {
    /// Its row in the table of operations.
    const OPERATION: &'static Operation;
    /// The answer.
    type Output: Serialize + Send + 'static;
    /// The question, made ready.
    type Ready: Send + 'static;

    /// The organization, as the caller named it.
    fn org(&self) -> &str;

    /// Which records it is about.
    fn filters(&self) -> Filters {
        Filters::default()
    }

    /// Reads what else was asked; for those only who may ask at all.
    fn read(&self) -> Result<Self::Ready, Problem>;

    /// Asks the log. May block.
    fn answer(log: &AccessLog, asked: &Asked, ready: Self::Ready) -> Result<Self::Output, Problem>;
}

/// The right to ask.
pub(super) struct Right<'a, Q>(pub &'a Q);

impl<Q: LogQuestion> Query for Right<'_, Q> {
    const OPERATION: &'static Operation = Q::OPERATION;
    type Output = Asked;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Asked, Problem> {
        let org = act.require(Self::OPERATION, self.0.org()).await?.org.id;
        self.0.read()?;
        ask(act, org, &self.0.filters()).await
    }
}

/// Answers a question.
pub async fn answer<Q: LogQuestion>(app: &App, caller: &Caller, question: &Q) -> Result<Q::Output, Problem> {
    let reply = frame::query(app, caller, &Right(question)).await?;
    let asked: Asked = serde_json::from_value(reply.body).map_err(|_| Problem::internal())?;
    let ready = question.read()?;
    let turn = app.turns.take(asked.organization()).await?;
    let log = Arc::clone(app.verify.journal());
    let answered = tokio::task::spawn_blocking(move || {
        let answer = Q::answer(&log, &asked, ready);
        drop(turn);
        answer
    });
    answered.await.map_err(|_| Problem::internal())?
}

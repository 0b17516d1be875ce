//! One's own requests, in whichever organization: list them, show one, and take back what is not decided yet.

use super::look::{ListParams, seen, token};
use super::sight::Sight;
use super::view::RequestView;
use crate::db::feed::Topic;
use crate::db::requests::Request;
use crate::db::{self, Tx, WriteTx};
use crate::ops::act::{Reading, internal};
use crate::ops::own_scope::require_own_scope;
use crate::ops::tokens::revoke::told_reason;
use crate::ops::{Act, Change, Changes, Mutation, Page, Query};
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeSet;
use tegata_core::credential::GrantState;
use tegata_core::ids::RequestId;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};
use tegata_core::request::RequestState;
use utoipa::ToSchema;

/// List one's own requests.
#[derive(Debug, Clone)]
pub struct ListOwnRequests {
    /// Which.
    pub params: ListParams,
}

impl Query for ListOwnRequests {
    const OPERATION: &'static Operation = operations::REQUEST_OWN_LIST;
    type Output = Page<RequestView>;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Page<RequestView>, Problem> {
        require_own_scope(act, Self::OPERATION).await?;
        let (page, state, owner) = (self.params.page(), self.params.state()?, act.actor.user.id);
        let rows = db::requests::list_of_requester(act.tx(), owner, state, &page.ask()?).await.map_err(internal)?;
        let rows = page.page(rows, |row| row.id.to_string(), |row| row)?;
        let mut items = Vec::with_capacity(rows.items.len());
        for request in &rows.items {
            items.extend(own(act, request, false).await?);
        }
        Ok(Page { items, next_cursor: rows.next_cursor })
    }
}

/// Show one of one's own requests.
#[derive(Debug, Clone)]
pub struct ShowOwnRequest {
    /// Which.
    pub request: RequestId,
}

impl Query for ShowOwnRequest {
    const OPERATION: &'static Operation = operations::REQUEST_OWN_SHOW;
    type Output = RequestView;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<RequestView, Problem> {
        require_own_scope(act, Self::OPERATION).await?;
        let request = find(act, self.request).await?;
        own(act, &request, true).await?.ok_or_else(|| Problem::not_found("request"))
    }
}

/// What to take back.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = RequestWithdraw)]
pub struct Body {
    /// The numbers of the lines; all that wait if none are named.
    pub lines: Vec<i64>,
    /// Why; other people read it.
    pub reason: Option<String>,
}

/// Take back what is not decided yet.
#[derive(Debug, Clone)]
pub struct WithdrawRequest {
    /// Which.
    pub request: RequestId,
    /// What of it.
    pub body: Body,
}

impl Mutation for WithdrawRequest {
    const OPERATION: &'static Operation = operations::REQUEST_WITHDRAW;
    type Output = RequestView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(RequestView, Changes), Problem> {
        require_own_scope(act, Self::OPERATION).await?;
        told_reason(self.body.reason.as_deref())?;
        let request = find(act, self.request).await?;
        let named: BTreeSet<i64> = self.body.lines.iter().copied().collect();
        let lines = db::grants::of_request(act.tx(), request.org, request.id).await.map_err(internal)?;
        let waits = |number: i64| {
            lines.iter().any(|line| line.line == Some((request.id, number)) && line.state == GrantState::Requested)
        };
        if let Some(number) = named.iter().find(|number| !waits(**number)) {
            let message = format!("line {number} does not wait for a decision");
            return Err(Problem::new(Code::Conflict, message.clone()).with("lines", message));
        }
        let only = |number: i64| named.is_empty() || named.contains(&number);
        let change = take_back(act, &request, only, self.body.reason.as_deref()).await?;
        let over = || Problem::new(Code::Conflict, "nothing of this request waits for a decision any more");
        let change = change.ok_or_else(over)?;
        let request = find(act, self.request).await?;
        let view = own(act, &request, true).await?.ok_or_else(|| Problem::not_found("request"))?;
        Ok((view, change.into()))
    }
}

/// Takes back these lines of a request, as far as they wait; none where nothing does. Whose request it is, the caller
/// knows.
pub async fn take_back(
    act: &mut Act<'_, WriteTx>,
    request: &Request,
    only: impl Fn(i64) -> bool,
    reason: Option<&str>,
) -> Result<Option<Change>, Problem> {
    let settled = super::close::settle(&mut act.tx, request, GrantState::withdraw, only, act.actor.person(), act.now);
    let settled = settled.await.map_err(internal)?;
    if settled.is_empty() {
        return Ok(None);
    }
    let request = db::requests::get(act.tx(), request.org, request.id).await.map_err(internal)?;
    let request = request.ok_or_else(Problem::internal)?;
    if request.state == RequestState::Closed {
        super::told::withdrawn(act, &request).await.map_err(internal)?;
    }
    let change = Change::new(request.org, request.id)
        .after(json!({"credential": request.token.to_string(), "withdrawn": settled, "state": request.state}))
        .because(reason)
        .feed(Topic::Token, None, request.token);
    Ok(Some(change))
}

/// One of the actor's own requests; anybody else's does not exist.
async fn find<T: Reading>(act: &mut Act<'_, T>, id: RequestId) -> Result<Request, Problem> {
    let owner = act.actor.user.id;
    let found = db::requests::of_requester(act.tx(), owner, id).await.map_err(internal)?;
    found.ok_or_else(|| Problem::not_found("request"))
}

async fn own<T: Reading>(act: &mut Act<'_, T>, request: &Request, whole: bool) -> Result<Option<RequestView>, Problem> {
    let mut sight = Sight::of(act, request.org).await?;
    if !sight.rights().owner_active {
        // Whoever left sees that they asked, and nothing of the organization's people.
        let lines = sight.lines(act, request).await.map_err(internal)?;
        let token = token(act, request).await.map_err(internal)?;
        return sight.view(act, request, &token, &lines, false).await.map(Some).map_err(internal);
    }
    seen(act, &mut sight, request, whole).await.map_err(internal)
}

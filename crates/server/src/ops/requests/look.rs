//! List requests, and show one: as far as one may see them.

use super::sight::Sight;
use super::view::RequestView;
use crate::db::requests::Request;
use crate::db::tokens::Token;
use crate::db::{self, DbError, PageAsk, Tx};
use crate::ops::act::{Reading, internal};
use crate::ops::{Act, Page, PageRequest, Query};
use serde::Deserialize;
use tegata_core::ids::RequestId;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};
use tegata_core::request::RequestState;
use utoipa::ToSchema;

/// How many requests are looked at for one page; a page may end earlier than the list does, with a cursor to go on.
const LOOKED_AT_MAX: i64 = 500;

/// Which requests.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = RequestListParams)]
pub struct ListParams {
    /// Only `open` ones, or only `closed` ones.
    pub state: Option<String>,
    /// Only those of which one can decide a line now: `true`.
    pub decidable: Option<bool>,
    /// How many at most: 1 to 200, 50 if not said.
    #[schema(minimum = 1, maximum = 200)]
    pub limit: Option<i64>,
    /// Where to go on: the `next_cursor` of the page before.
    pub cursor: Option<String>,
}

impl ListParams {
    /// The state, if one is asked for.
    pub(super) fn state(&self) -> Result<Option<RequestState>, Problem> {
        let state = self.state.as_deref().map(str::parse).transpose();
        state.map_err(|_| {
            Problem::new(Code::InvalidParameter, "state: write `open` or `closed`")
                .with("state", "write `open` or `closed`")
        })
    }

    /// The page.
    pub(super) fn page(&self) -> PageRequest {
        PageRequest { limit: self.limit, cursor: self.cursor.clone() }
    }
}

/// List the requests of an organization.
#[derive(Debug, Clone)]
pub struct ListRequests {
    /// The organization.
    pub org: String,
    /// Which.
    pub params: ListParams,
}

impl Query for ListRequests {
    const OPERATION: &'static Operation = operations::REQUEST_LIST;
    type Output = Page<RequestView>;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Page<RequestView>, Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org.id;
        let state = self.params.state()?;
        let (page, decidable) = (self.params.page(), self.params.decidable == Some(true));
        let wanted = usize::try_from(page.limit()?).unwrap_or(usize::MAX);
        let mut sight = Sight::of(act, org).await?;
        let (mut items, mut ask) = (Vec::new(), PageAsk { limit: LOOKED_AT_MAX + 1, ..page.ask()? });
        let mut rows = db::requests::list(act.tx(), org, state, &ask).await.map_err(internal)?;
        let more = rows.len() > usize::try_from(LOOKED_AT_MAX).unwrap_or(usize::MAX);
        rows.truncate(rows.len() - usize::from(more));
        let (mut looked_at, total) = (0, rows.len());
        for request in rows {
            if items.len() == wanted {
                break;
            }
            looked_at += 1;
            ask.after = Some(request.id.to_string());
            let view = seen(act, &mut sight, &request, false).await.map_err(internal)?;
            items.extend(view.filter(|view| !decidable || view.lines.iter().any(|line| line.can_decide)));
        }
        let next = ask.after.filter(|_| more || looked_at < total);
        Ok(Page { items, next_cursor: next.map(|after| PageRequest::cursor_after(&after)) })
    }
}

/// Show a request.
#[derive(Debug, Clone)]
pub struct ShowRequest {
    /// The organization.
    pub org: String,
    /// Which.
    pub request: RequestId,
}

impl Query for ShowRequest {
    const OPERATION: &'static Operation = operations::REQUEST_SHOW;
    type Output = RequestView;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<RequestView, Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org.id;
        let mut sight = Sight::of(act, org).await?;
        let found = db::requests::get(act.tx(), org, self.request).await.map_err(internal)?;
        let request = found.ok_or_else(|| Problem::not_found("request"))?;
        let view = seen(act, &mut sight, &request, true).await.map_err(internal)?;
        view.ok_or_else(|| Problem::not_found("request"))
    }
}

/// The credential of a request.
pub async fn token<T: Reading>(act: &mut Act<'_, T>, request: &Request) -> Result<Token, DbError> {
    db::tokens::get(act.tx(), request.token).await?.ok_or_else(|| DbError::Corrupt(request.token.to_string()))
}

/// A request as the actor sees it; none where they do not.
pub async fn seen<T: Reading>(
    act: &mut Act<'_, T>,
    sight: &mut Sight,
    request: &Request,
    whole: bool,
) -> Result<Option<RequestView>, DbError> {
    let lines = sight.lines(act, request).await?;
    if lines.is_empty() {
        return Ok(None);
    }
    let token = token(act, request).await?;
    sight.view(act, request, &token, &lines, whole).await.map(Some)
}

//! Lines that nobody will decide any more: taken back, run out of time, or asked for a credential that was stopped.

use crate::db::grants::Decided;
use crate::db::requests::Request;
use crate::db::{self, DbError, WriteTx};
use tegata_core::credential::{GrantState, TransitionError};
use tegata_core::ids::{OrgId, TokenId, UserId};
use tegata_core::request::RequestState;
use tegata_core::time::Timestamp;

/// Settles lines of a request that wait, without granting anything, and closes it when none is left that waits. Tells the
/// numbers of those that were settled.
pub async fn settle(
    tx: &mut WriteTx,
    request: &Request,
    step: fn(GrantState) -> Result<GrantState, TransitionError>,
    only: impl Fn(i64) -> bool,
    by: Option<UserId>,
    now: Timestamp,
) -> Result<Vec<i64>, DbError> {
    let mut settled = Vec::new();
    for mut line in db::grants::of_request(tx, request.org, request.id).await? {
        let Some((_, number)) = line.line.filter(|(_, number)| only(*number)) else { continue };
        let Ok(next) = step(line.state) else { continue };
        let from = line.state;
        line.state = next;
        line.decided = Some(Decided { by, at: now, comment: None });
        db::grants::settle(tx, from, &line).await?;
        settled.push(number);
    }
    close_if_settled(tx, request, now).await?;
    Ok(settled)
}

/// Closes a request of which nothing waits any more.
pub async fn close_if_settled(tx: &mut WriteTx, request: &Request, now: Timestamp) -> Result<(), DbError> {
    let lines = db::grants::of_request(tx, request.org, request.id).await?;
    let waits = lines.iter().any(|line| line.state == GrantState::Requested);
    if request.state == RequestState::Open && !waits {
        db::requests::close(tx, request.org, request.id, now).await?;
    }
    Ok(())
}

/// Takes back what is asked for a credential that was stopped for good: in one organization, or in all.
pub async fn with_token(
    tx: &mut WriteTx,
    org: Option<OrgId>,
    token: TokenId,
    by: Option<UserId>,
    now: Timestamp,
) -> Result<(), DbError> {
    for request in db::requests::open_of_token(tx, token).await? {
        if org.is_none_or(|org| org == request.org) {
            settle(tx, &request, GrantState::withdraw, |_| true, by, now).await?;
        }
    }
    Ok(())
}

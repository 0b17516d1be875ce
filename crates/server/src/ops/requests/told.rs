//! What people are told of requests: those who decide, that something waits or no longer does; whoever asked, what became
//! of it. Stored in the transaction of the change itself.

use super::{approvers, own};
use crate::app::App;
use crate::db::requests::Request;
use crate::db::tokens::Token;
use crate::db::{self, DbError, Tx, WriteTx};
use crate::notices::{self, Notice, NoticeKind};
use crate::ops::Act;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tegata_core::credential::GrantState;
use tegata_core::ids::UserId;
use tegata_core::permissions::OWN_API;
use tegata_core::time::Timestamp;

/// Tells those who decide that a request waits.
pub async fn filed(act: &mut Act<'_, WriteTx>, request: &Request, token: &Token, lines: i64) -> Result<(), DbError> {
    let requester = db::users::get(&mut act.tx, request.requester).await?;
    let data = json!({
        "request": request.id,
        "organization": organization(&mut act.tx, request).await?,
        "credential": token.name,
        "requester": requester.map(|user| user.name),
        "reason": request.reason,
        "lines": lines,
    });
    let to = deciders(act.app, &mut act.tx, request).await?;
    let notice = about(request, to, NoticeKind::RequestFiled, data);
    notices::store(&mut act.tx, &act.app.entropy, act.now, &notice).await
}

/// Tells whoever asked what was decided, unless they decided it themselves. `lines` is what activity shows of it.
pub async fn decided(
    act: &mut Act<'_, WriteTx>,
    request: &Request,
    token: &Token,
    lines: &[Value],
    comment: Option<&str>,
) -> Result<(), DbError> {
    if request.requester == act.actor.user.id {
        return Ok(());
    }
    let is = |line: &&Value, state: GrantState| line.get("state") == Some(&json!(state));
    let count = |state: GrantState| lines.iter().filter(|line| is(line, state)).count();
    let is_narrowed = |line: &&Value| is(line, GrantState::Granted) && line.get("asked").is_some_and(Value::is_string);
    let data = json!({
        "request": request.id,
        "organization": organization(&mut act.tx, request).await?,
        "credential": token.name,
        "granted": count(GrantState::Granted),
        "rejected": count(GrantState::Rejected),
        "narrowed": lines.iter().filter(is_narrowed).count(),
        "decider": act.actor.user.name,
        "comment": comment,
    });
    let notice = about(request, vec![request.requester], NoticeKind::RequestDecided, data);
    notices::store(&mut act.tx, &act.app.entropy, act.now, &notice).await
}

/// Tells whoever asked that so many lines were taken away again, unless they did it themselves.
pub async fn ungranted(
    act: &mut Act<'_, WriteTx>,
    request: &Request,
    lines: usize,
    reason: Option<&str>,
) -> Result<(), DbError> {
    if request.requester == act.actor.user.id {
        return Ok(());
    }
    let token = db::tokens::get(&mut act.tx, request.token).await?;
    let data = json!({
        "request": request.id,
        "organization": organization(&mut act.tx, request).await?,
        "credential": token.map(|token| token.name),
        "lines": lines,
        "by": act.actor.user.name,
        "reason": reason,
    });
    let notice = about(request, vec![request.requester], NoticeKind::RequestUngranted, data);
    notices::store(&mut act.tx, &act.app.entropy, act.now, &notice).await
}

/// Tells those who would have decided that nothing of a request is left.
pub async fn withdrawn(act: &mut Act<'_, WriteTx>, request: &Request) -> Result<(), DbError> {
    let token = db::tokens::get(&mut act.tx, request.token).await?;
    let data = json!({
        "request": request.id,
        "organization": organization(&mut act.tx, request).await?,
        "credential": token.map(|token| token.name),
        "requester": act.actor.named().1,
    });
    let to = deciders(act.app, &mut act.tx, request).await?;
    let notice = about(request, to, NoticeKind::RequestWithdrawn, data);
    notices::store(&mut act.tx, &act.app.entropy, act.now, &notice).await
}

/// Tells whoever asked that nobody decided in time.
pub async fn expired(app: &App, tx: &mut WriteTx, request: &Request, now: Timestamp) -> Result<(), DbError> {
    let token = db::tokens::get(tx, request.token).await?;
    let data = json!({
        "request": request.id,
        "organization": organization(tx, request).await?,
        "credential": token.map(|token| token.name),
    });
    let notice = about(request, vec![request.requester], NoticeKind::RequestExpired, data);
    notices::store(tx, &app.entropy, now, &notice).await
}

fn about(request: &Request, to: Vec<UserId>, kind: NoticeKind, data: Value) -> Notice {
    Notice { to, org: Some(request.org), kind, about: request.id.to_string(), data }
}

async fn organization(tx: &mut Tx, request: &Request) -> Result<Option<String>, DbError> {
    Ok(db::orgs::find(tx, &request.org.to_string()).await?.map(|org| org.name))
}

/// Those who decide any line of a request, but whoever asks.
async fn deciders(app: &App, tx: &mut Tx, request: &Request) -> Result<Vec<UserId>, DbError> {
    let own = app.catalogues.of(tx, OWN_API).await?;
    let Some(approving) = own.and_then(|own| Some((own.id, own.catalogue.number("tokens:approve")?))) else {
        return Ok(Vec::new());
    };
    let token = db::tokens::get(tx, request.token).await?.ok_or_else(|| DbError::Corrupt(request.token.to_string()))?;
    let theirs = own::people(tx, request, &token).await?;
    let lines = db::grants::of_request(tx, request.org, request.id).await?;
    let places: BTreeSet<_> = lines.iter().map(|line| line.context).collect();
    let mut people = BTreeSet::new();
    for place in places {
        let chain = match place {
            Some(context) => db::contexts::chain(tx, request.org, context).await?,
            None => Vec::new(),
        };
        let asked = approvers::of_place(app, tx, approving, request.org, &chain, &theirs).await?;
        people.extend(asked.people.into_iter().map(|person| person.user).filter(|user| *user != request.requester));
    }
    Ok(people.into_iter().collect())
}

//! Stopping what a leaked secret opens, everywhere and for good, and telling whoever has to know.

use crate::app::App;
use crate::authn::Digest;
use crate::db::activity::Activity;
use crate::db::feed::Topic;
use crate::db::tokens::Token;
use crate::db::{self, DbError, WriteTx};
use crate::maintenance::stops::{Kind, Stop};
use crate::notices::{self, Notice, NoticeKind};
use crate::ops::act::internal;
use crate::ops::frame::Meta;
use crate::ops::requests;
use crate::verify::leaked::Leaked;
use serde_json::{Value, json};
use tegata_core::credential::CredentialState;
use tegata_core::ids::{ActivityId, ApplicationId, OrgId, SessionId, TokenId, UserId, VerifierId};
use tegata_core::operations;
use tegata_core::owner::Owner;
use tegata_core::problem::{Code, Problem};
use tegata_core::time::Timestamp;

/// How often crossed transactions are tried again.
const TRIES: u32 = 6;

/// How a leak became known.
#[derive(Debug, Clone)]
pub struct Finding {
    /// `holder`, for whoever had it and showed it here; or the name of a scanner.
    pub by: &'static str,
    /// Where it was found.
    pub url: Option<String>,
}

/// One organization that is told.
struct Told {
    org: OrgId,
    before: Value,
    notice: Option<Notice>,
}

/// What is written down of a stop.
struct Entry<'s> {
    operation: &'static str,
    kind: Kind,
    topic: Topic,
    subject: &'s str,
    told: Vec<Told>,
}

/// Stops it. False where it was stopped before.
pub async fn stop(app: &App, meta: &Meta, leaked: Leaked, finding: &Finding) -> Result<bool, Problem> {
    let mut tries = 0;
    let done = loop {
        tries += 1;
        match once(app, meta, leaked, finding).await {
            Err(DbError::Busy(_)) if tries < TRIES => tokio::task::yield_now().await,
            other => break other.map_err(internal)?,
        }
    };
    let Some(sequence) = done else { return Ok(false) };
    app.verify.applied(sequence).await?;
    app.stops.settle().await.map_err(|error| {
        tracing::error!(%error, "a stop is in force and not in the stops file, which a restore needs");
        Problem::new(
            Code::Unavailable,
            "it is stopped, and that could not be written where a restore looks; send it again",
        )
    })?;
    Ok(true)
}

async fn once(app: &App, meta: &Meta, leaked: Leaked, finding: &Finding) -> Result<Option<u64>, DbError> {
    let (mut tx, now) = (app.db.write().await?, app.clock.now());
    let subject = match leaked {
        Leaked::Token(id) | Leaked::Secret(id, _) => id.to_string(),
        Leaked::Application(id) => id.to_string(),
        Leaked::Verifier(id) => id.to_string(),
        Leaked::Session(id) => id.to_string(),
    };
    let entry = match leaked {
        Leaked::Token(id) => token(&mut tx, id, now, finding).await?.map(|told| Entry {
            operation: operations::LEAK_REVOKE.id,
            kind: Kind::Token,
            topic: Topic::Token,
            subject: &subject,
            told,
        }),
        Leaked::Secret(id, digest) => secret(&mut tx, id, digest, now, finding).await?.map(|told| Entry {
            operation: operations::TOKEN_REGENERATE.id,
            kind: Kind::Secret,
            topic: Topic::Token,
            subject: &subject,
            told,
        }),
        Leaked::Application(id) => application(&mut tx, id, now, finding).await?.map(|told| Entry {
            operation: operations::APPLICATION_SECRET_REGENERATE.id,
            kind: Kind::Secret,
            topic: Topic::Application,
            subject: &subject,
            told,
        }),
        Leaked::Verifier(id) => verifier(&mut tx, id, now, finding).await?.map(|told| Entry {
            operation: operations::VERIFIER_REVOKE.id,
            kind: Kind::Verifier,
            topic: Topic::Verifier,
            subject: &subject,
            told,
        }),
        Leaked::Session(id) => session(&mut tx, id, now, finding).await?.map(|told| Entry {
            operation: operations::SESSION_END.id,
            kind: Kind::Session,
            topic: Topic::Session,
            subject: &subject,
            told,
        }),
    };
    let Some(entry) = entry else { return Ok(None) };
    write(app, &mut tx, meta, now, finding, entry).await?;
    tx.commit().await.map(Some)
}

async fn write(
    app: &App,
    tx: &mut WriteTx,
    meta: &Meta,
    now: Timestamp,
    finding: &Finding,
    entry: Entry<'_>,
) -> Result<(), DbError> {
    let sequence = tx.number();
    for told in entry.told {
        let activity = Activity {
            id: ActivityId::new(now.as_millis(), app.entropy.bytes()),
            org: told.org,
            at: now,
            operation: entry.operation.to_owned(),
            actor_kind: "system".to_owned(),
            actor_id: "anybody".to_owned(),
            actor_name: "whoever had it".to_owned(),
            credential: None,
            subject: entry.subject.to_owned(),
            before: Some(told.before),
            after: Some(match entry.kind {
                Kind::Secret => json!({"secret": "ended", "found_by": finding.by, "url": finding.url}),
                _ => json!({"state": "revoked", "found_by": finding.by, "url": finding.url}),
            }),
            reason: Some("leaked".to_owned()),
            address: meta.address.map(|address| address.to_string()),
            user_agent: meta.user_agent.clone(),
            request_id: Some(meta.request_id.clone()),
        };
        db::activity::insert(tx, &activity).await?;
        if let Some(notice) = &told.notice {
            notices::store(tx, &app.entropy, now, notice).await?;
        }
        app.stops.note_one(Stop {
            at: now,
            sequence,
            kind: entry.kind,
            operation: entry.operation.to_owned(),
            id: entry.subject.to_owned(),
            org: Some(told.org.to_string()),
            about: None,
        });
    }
    tx.feed(entry.topic, None, entry.subject).await
}

/// `name` is that of the credential.
fn notice(to: Vec<UserId>, org: OrgId, about: &str, name: &str, place: &str, finding: &Finding) -> Notice {
    let found = if finding.by == "holder" { None } else { Some(finding.by) };
    Notice {
        to,
        org: Some(org),
        kind: NoticeKind::CredentialLeaked,
        about: about.to_owned(),
        data: json!({"credential": name, "organization": place, "found_by": found, "url": finding.url}),
    }
}

/// The same, where the credential goes on without that secret.
fn of_secret(mut notice: Notice) -> Notice {
    notice.data["stopped"] = json!("secret");
    notice
}

async fn token(tx: &mut WriteTx, id: TokenId, now: Timestamp, finding: &Finding) -> Result<Option<Vec<Told>>, DbError> {
    let found = db::tokens::get(tx, id).await?.filter(|token| token.state == CredentialState::Active);
    let Some(token) = found else { return Ok(None) };
    db::tokens::revoke(tx, id, now).await?;
    requests::close::with_token(tx, None, id, None, now).await?;
    told_of(tx, &token, finding).await.map(Some)
}

/// Ends one secret of a token that ends by itself anyway.
async fn secret(
    tx: &mut WriteTx,
    id: TokenId,
    digest: Digest,
    now: Timestamp,
    finding: &Finding,
) -> Result<Option<Vec<Told>>, DbError> {
    let Some(token) = db::tokens::get(tx, id).await? else { return Ok(None) };
    match db::secrets::end_one(tx, digest, now).await {
        Ok(()) => {}
        Err(DbError::Changed) => return Ok(None),
        Err(error) => return Err(error),
    }
    let mut told = told_of(tx, &token, finding).await?;
    for one in &mut told {
        one.notice = one.notice.take().map(of_secret);
    }
    Ok(Some(told))
}

/// Ends the client secret of an application, and what it signed in with. Whoever answers for it gives it another one.
async fn application(
    tx: &mut WriteTx,
    id: ApplicationId,
    now: Timestamp,
    finding: &Finding,
) -> Result<Option<Vec<Told>>, DbError> {
    let Some(application) = db::applications::get(tx, id).await? else { return Ok(None) };
    let subject = id.to_string();
    db::secrets::end_at(tx, &subject, now).await?;
    let mut told = Vec::new();
    for install in db::applications::installs(tx, id).await? {
        let token = install.token.to_string();
        db::secrets::end_at(tx, &token, now).await?;
        tx.feed(Topic::Token, None, &token).await?;
        let org = db::orgs::find(tx, &install.org.to_string()).await?;
        let place = org.map(|org| org.name).unwrap_or_default();
        let notice = of_secret(notice(vec![install.owner], install.org, &subject, &application.name, &place, finding));
        let before = json!({"name": application.name, "kind": "application"});
        told.push(Told { org: install.org, before, notice: Some(notice) });
    }
    Ok(Some(told))
}

/// Who is told of a token: every organization where it counts, its owner once, and of what an organization owns whoever administers it.
async fn told_of(tx: &mut WriteTx, token: &Token, finding: &Finding) -> Result<Vec<Told>, DbError> {
    let (id, mut told) = (token.id, Vec::new());
    for part in db::tokens::parts(tx, id).await? {
        let org = db::orgs::find(tx, &part.org.to_string()).await?;
        let to = match token.owner {
            Owner::User(owner) if told.is_empty() => vec![owner],
            Owner::User(_) => Vec::new(),
            _ => db::assignments::administrators(tx, part.org).await?,
        };
        let place = org.map(|org| org.name).unwrap_or_default();
        let notice = Some(notice(to, part.org, &id.to_string(), &token.name, &place, finding));
        let before = json!({"name": token.name, "kind": token.kind, "state": part.state});
        told.push(Told { org: part.org, before, notice });
    }
    Ok(told)
}

async fn verifier(
    tx: &mut WriteTx,
    id: VerifierId,
    now: Timestamp,
    finding: &Finding,
) -> Result<Option<Vec<Told>>, DbError> {
    let found = db::verifiers::get(tx, id).await?.filter(|verifier| verifier.revoked_at.is_none());
    let (Some(verifier), Some(publisher)) = (found, db::orgs::publisher(tx).await?) else { return Ok(None) };
    db::verifiers::revoke(tx, id, now).await?;
    let to = db::assignments::administrators(tx, publisher.id).await?;
    let notice = notice(to, publisher.id, &id.to_string(), &verifier.name, &publisher.name, finding);
    let before = json!({"name": verifier.name, "kind": "verifier", "state": "active"});
    Ok(Some(vec![Told { org: publisher.id, before, notice: Some(notice) }]))
}

async fn session(
    tx: &mut WriteTx,
    id: SessionId,
    now: Timestamp,
    finding: &Finding,
) -> Result<Option<Vec<Told>>, DbError> {
    let found = db::sessions::get(tx, id).await?.filter(|session| now < session.expires_at);
    let (Some(session), Some(publisher)) = (found, db::orgs::publisher(tx).await?) else { return Ok(None) };
    match db::sessions::end(tx, id, now).await {
        Ok(()) => {}
        Err(DbError::Changed) => return Ok(None),
        Err(error) => return Err(error),
    }
    let about = id.to_string();
    let notice = notice(vec![session.user], publisher.id, &about, "session", &publisher.name, finding);
    let before = json!({"kind": "session", "state": "active"});
    Ok(Some(vec![Told { org: publisher.id, before, notice: Some(notice) }]))
}

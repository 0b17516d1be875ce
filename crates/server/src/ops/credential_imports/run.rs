//! An import from its beginning to its end: checked, staged, made true, and made into credentials.

use super::commit::CommitImport;
use super::finish;
use super::plan::{OPERATION, Plan, plan};
use super::view::{Body, Report};
use crate::app::App;
use crate::db::imports::{Import, ImportState, StagedRow};
use crate::db::{self, DbError, Tx};
use crate::ops::act::{Counted, internal};
use crate::ops::{Act, Caller, Query, Reply, frame};
use std::sync::Arc;
use std::time::Instant;
use tegata_core::ids::{ImportId, UserId};
use tegata_core::operations::Operation;
use tegata_core::problem::{Code, Problem};

/// Rows that are staged in one transaction, which everybody who changes something waits for.
const STAGED_AT_ONCE: usize = 250;
/// How often crossed transactions are tried again.
const TRIES: u32 = 6;

/// Check what an import would make, and make nothing.
pub struct CheckImport {
    /// The organization.
    pub org: String,
    /// What would be imported.
    pub body: Body,
}

impl Query for CheckImport {
    const OPERATION: &'static Operation = OPERATION;
    type Output = Report;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Self::Output, Problem> {
        let allowed = act.require(Self::OPERATION, &self.org).await?;
        Ok(plan(act, allowed, &self.body).await?.report)
    }
}

/// Imports. Of two at a time the second is asked to wait: what is unique is looked for in what is there.
pub async fn import(app: &Arc<App>, caller: &Caller, org: String, body: Body) -> Result<Reply, Problem> {
    if let Some(reply) = frame::replayed(app, caller, OPERATION).await? {
        return Ok(reply);
    }
    let one = Arc::clone(&app.importing).try_acquire_owned().map_err(|_| Problem {
        retry_after_seconds: Some(5),
        ..Problem::new(Code::Unavailable, "another import is under way on this server: try again when it is done")
    })?;
    let (plan, made_by) = planned(app, caller, &org, &body).await?;
    plan.require_sound(body.skip_wrong_rows)?;
    let now = app.clock.now();
    let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    let import = Import {
        id: ImportId::new(now.as_millis(), app.entropy.bytes()),
        org: plan.org.id,
        state: ImportState::Staged,
        credentials: count(plan.rows.len()),
        skipped: count(plan.report.wrong_rows),
        warnings: count(plan.report.warnings.len()),
        reason: body.reason.unwrap_or_default(),
        created_by: made_by,
        created_at: now,
        live_at: None,
    };
    drop(body.content);
    // Once begun, it goes on to its end, whether or not its caller still waits.
    let (app, caller) = (Arc::clone(app), caller.clone());
    let work = async move {
        let done = stage_and_commit(&app, &caller, org, import, plan).await;
        drop(one);
        done
    };
    tokio::spawn(work).await.map_err(|error| {
        tracing::error!(%error, "an import was interrupted");
        Problem::internal()
    })?
}

/// Checks everything, within one view of the database. Leaves no access record: the change that follows does.
async fn planned(app: &App, caller: &Caller, org: &str, body: &Body) -> Result<(Plan, UserId), Problem> {
    let actor = Arc::new(frame::identify_caller(app, caller).await?);
    let (tx, now) = (app.db.read().await.map_err(internal)?, app.clock.now());
    let made_by = actor.user.id;
    let mut act = Act { app, tx, actor, now, meta: &caller.meta, decided: None, counted: Counted::Nothing };
    let allowed = act.require(OPERATION, org).await?;
    Ok((plan(&mut act, allowed, body).await?, made_by))
}

async fn stage_and_commit(
    app: &App,
    caller: &Caller,
    org: String,
    import: Import,
    plan: Plan,
) -> Result<Reply, Problem> {
    let staged = stage(app, &import, &plan.rows).await;
    let commit = CommitImport {
        org,
        import: import.clone(),
        profiles: plan.profiles,
        accounts: plan.accounts,
        report: plan.report,
    };
    drop(plan.rows);
    let made = match staged {
        Ok(()) => frame::mutate(app, caller, 201, &commit).await,
        Err(error) => Err(internal(error)),
    };
    let reply = match made {
        // The same call came twice at the same time, and the other one was first.
        Ok(reply) if reply.replayed => {
            thrown_away(app, import.id).await;
            return Ok(reply);
        }
        Ok(reply) => reply,
        Err(problem) => {
            thrown_away(app, import.id).await;
            return Err(problem);
        }
    };
    let sequence = finish::finish(app, &import).await.map_err(|error| {
        tracing::error!(%error, import = %import.id, "an import is true and not finished; the next start goes on with it");
        internal(error)
    })?;
    app.verify.applied(sequence).await?;
    Ok(reply)
}

async fn stage(app: &App, import: &Import, rows: &[StagedRow]) -> Result<(), DbError> {
    let (mut at, mut tries) = (0, 0);
    loop {
        let (begun, end) = (Instant::now(), rows.len().min(at + STAGED_AT_ONCE));
        match stage_some(app, import, at == 0, rows.get(at..end).unwrap_or_default()).await {
            Ok(()) => (at, tries) = (end, 0),
            Err(DbError::Busy(_)) if tries < TRIES => tries += 1,
            Err(error) => return Err(error),
        }
        if at >= rows.len() {
            return Ok(());
        }
        finish::rest(begun).await;
    }
}

async fn stage_some(app: &App, import: &Import, first: bool, rows: &[StagedRow]) -> Result<(), DbError> {
    let mut tx = app.db.write().await?;
    if first {
        db::imports::insert(&mut tx, import).await?;
    }
    db::imports::stage(&mut tx, import.org, import.id, rows).await?;
    tx.commit().await.map(drop)
}

async fn thrown_away(app: &App, import: ImportId) {
    if let Err(error) = finish::discard(app, import).await {
        tracing::warn!(%error, %import, "rows of an import that came to nothing are thrown away at the next start");
    }
}

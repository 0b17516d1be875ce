//! Access requests as AuthZEN's callers make them (AuthZEN Access Request and Approval Profile, draft 1): another way to
//! file what `ops::requests` files, and the same people decide it. A task is how such a caller sees a request; it
//! decides nothing, and neither does the id of an approval.

pub mod cancel;
pub mod file;
pub mod show;
pub mod submitted;
pub mod view;

use crate::db::access_tasks::AccessTask;
use crate::db::{self};
use crate::ops::Act;
use crate::ops::act::{Reading, internal};
use tegata_core::ids::AccessTaskId;
use tegata_core::problem::{Code, Problem};

/// A task, for the credential that was denied or its owner in person; for anybody else there is none.
async fn own_task<T: Reading>(act: &mut Act<'_, T>, id: Option<AccessTaskId>) -> Result<AccessTask, Problem> {
    let hidden = || Problem::new(Code::TaskUnknown, "there is no such task here");
    let id = id.ok_or_else(hidden)?;
    let task = db::access_tasks::get(act.tx(), id).await.map_err(internal)?.ok_or_else(hidden)?;
    let theirs = match act.actor.token {
        Some(acting) => acting == task.token,
        None => act.actor.person() == Some(task.requester),
    };
    if !theirs {
        return Err(hidden());
    }
    if act.now >= task.expires_at {
        return Err(Problem::new(Code::TaskExpired, "this task is long over, and no longer shown"));
    }
    Ok(task)
}

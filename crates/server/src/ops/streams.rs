//! Record streams: where an organization's access records are sent on to. Who makes or moves one lets somebody else see
//! every call from then on, so it takes the right to read the records as well as that to send them.

pub mod create;
pub mod delete;
pub(in crate::ops) mod input;
pub mod look;
pub mod pause;
pub mod replay;
pub mod resume;
pub mod rotate;
pub mod test;
pub mod update;
pub mod view;

use crate::db::streams::Stream;
use crate::db::{self, WriteTx};
use crate::ops::act::{Reading, internal};
use crate::ops::{Act, Allowed};
use crate::streams::settings::Settings;
use tegata_core::ids::{OrgId, RecordStreamId};
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;

/// Most streams of an organization.
pub const STREAMS_MAX: u64 = 20;

/// The right to let records flow: nobody sends what they may not read.
async fn require_sending<T: Reading>(
    act: &mut Act<'_, T>,
    operation: &Operation,
    org: &str,
) -> Result<Allowed, Problem> {
    act.require(operations::RECORD_LIST, org).await?;
    act.require(operation, org).await
}

/// The stream with this id.
async fn find<T: Reading>(act: &mut Act<'_, T>, org: OrgId, id: RecordStreamId) -> Result<Stream, Problem> {
    let found = db::streams::get(act.tx(), org, id).await.map_err(internal)?;
    found.ok_or_else(|| Problem::not_found("record stream"))
}

/// What is stored of where and how.
fn settings(stream: &Stream) -> Result<Settings, Problem> {
    serde_json::from_str(&stream.settings).map_err(|error| {
        tracing::error!(stream = %stream.id, %error, "a record stream cannot be read");
        Problem::internal()
    })
}

/// Stores a stream that was read in this transaction, and lets it begin its next pass where `anew` says so.
async fn store(act: &mut Act<'_, WriteTx>, stream: &mut Stream, anew: bool) -> Result<(), Problem> {
    let before = stream.pass;
    if anew {
        stream.pass = db::streams::next_pass(before, act.now);
    }
    db::streams::change(&mut act.tx, before, stream).await.map_err(internal)?;
    let progress = &mut stream.progress;
    (progress.attempts, progress.failing, progress.next_attempt_at) = (0, None, None);
    Ok(())
}

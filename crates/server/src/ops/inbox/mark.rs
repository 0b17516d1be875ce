//! Mark one's own notices as read or unread. It leaves no activity: what somebody has read, and when, is theirs alone.

use super::own;
use super::view::UnreadView;
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::sessions::require_session;
use crate::ops::{Act, Changes, Mutation};
use tegata_core::ids::NoticeId;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;

/// Mark one as read.
#[derive(Debug, Clone)]
pub struct MarkRead(pub NoticeId);

/// Mark one as unread.
#[derive(Debug, Clone)]
pub struct MarkUnread(pub NoticeId);

/// Mark all as read.
#[derive(Debug, Clone)]
pub struct MarkAllRead;

impl Mutation for MarkRead {
    const OPERATION: &'static Operation = operations::INBOX_READ;
    type Output = UnreadView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(UnreadView, Changes), Problem> {
        mark(act, self.0, true).await
    }
}

impl Mutation for MarkUnread {
    const OPERATION: &'static Operation = operations::INBOX_UNREAD;
    type Output = UnreadView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(UnreadView, Changes), Problem> {
        mark(act, self.0, false).await
    }
}

impl Mutation for MarkAllRead {
    const OPERATION: &'static Operation = operations::INBOX_READ_ALL;
    type Output = UnreadView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(UnreadView, Changes), Problem> {
        require_session(&act.actor)?;
        let (user, now) = (act.actor.user.id, act.now);
        db::notices::set_all_read(&mut act.tx, user, now).await.map_err(internal)?;
        left(act).await
    }
}

async fn mark(act: &mut Act<'_, WriteTx>, id: NoticeId, read: bool) -> Result<(UnreadView, Changes), Problem> {
    require_session(&act.actor)?;
    let notice = own(act, id).await?;
    // The moment at which it was read first stays.
    if notice.read_at.is_some() != read {
        let read_at = read.then_some(act.now);
        db::notices::set_read(&mut act.tx, notice.user, id, read_at).await.map_err(internal)?;
    }
    left(act).await
}

async fn left(act: &mut Act<'_, WriteTx>) -> Result<(UnreadView, Changes), Problem> {
    let user = act.actor.user.id;
    let unread = db::notices::unread(act.tx(), user).await.map_err(internal)?;
    Ok((UnreadView { unread }, Changes { list: Vec::new() }))
}

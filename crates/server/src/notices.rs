//! Notices to people: what concerns them, in their inbox. See docs/notices.md.
//!
//! A notice is stored with the change that it is about, in the same transaction, as a kind and what it needs to be said
//! (never a secret). It is put into words when it is read, in the reader's language.

pub mod expiry;
pub mod kind;
pub mod language;
pub mod texts;

pub use kind::NoticeKind;
pub use language::Language;

use crate::app::Entropy;
use crate::db::{self, DbError, WriteTx};
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;
use tegata_core::ids::{NoticeId, OrgId, UserId};
use tegata_core::time::{Timestamp, days};

/// How long a notice is kept, read or not.
pub const KEPT: Duration = days(180);

/// A notice to be.
#[derive(Debug, Clone)]
pub struct Notice {
    /// To whom. Whoever is named twice gets it once; accounts that are not active get none.
    pub to: Vec<UserId>,
    /// The organization that it concerns.
    pub org: Option<OrgId>,
    /// What it is about.
    pub kind: NoticeKind,
    /// The id of what it is about.
    pub about: String,
    /// What the texts of its kind need; see [`NoticeKind`]. Never a secret.
    pub data: Value,
}

/// Stores a notice for each of its readers.
pub async fn store(tx: &mut WriteTx, entropy: &Entropy, now: Timestamp, notice: &Notice) -> Result<(), DbError> {
    for user in notice.to.iter().collect::<BTreeSet<_>>() {
        if !db::users::get(tx, *user).await?.is_some_and(|user| user.active) {
            continue;
        }
        let stored = db::notices::Stored {
            id: NoticeId::new(now.as_millis(), entropy.bytes()),
            user: *user,
            org: notice.org,
            kind: notice.kind,
            about: notice.about.clone(),
            data: notice.data.clone(),
            created_at: now,
            read_at: None,
        };
        db::notices::insert(tx, &stored).await?;
    }
    Ok(())
}

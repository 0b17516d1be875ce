//! List one's own sessions.

use crate::db::{self, Tx};
use crate::ops::act::internal;
use crate::ops::{Act, Page, PageRequest, Query};
use serde::Serialize;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;
use utoipa::ToSchema;

/// Lists one's own sessions that still count, newest first.
#[derive(Debug)]
pub struct ListSessions {
    /// Which page.
    pub page: PageRequest,
}

/// A session.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SessionView {
    /// Its id.
    pub id: String,
    /// Whether it is the one that asks.
    pub current: bool,
    /// When the person signed in.
    pub created_at: String,
    /// When it ends by itself.
    pub expires_at: String,
    /// From which address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// With which program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
}

impl Query for ListSessions {
    const OPERATION: &'static Operation = operations::SESSION_LIST;
    type Output = Page<SessionView>;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Page<SessionView>, Problem> {
        super::require_session(&act.actor)?;
        let ask = self.page.ask()?;
        let live = db::sessions::live_of_user(&mut act.tx, act.actor.user.id, act.now).await.map_err(internal)?;
        let mut rows: Vec<_> = live
            .into_iter()
            .filter(|session| ask.after.as_ref().is_none_or(|after| session.id.to_string() < *after))
            .collect();
        rows.truncate(usize::try_from(ask.limit).unwrap_or(usize::MAX));
        let current = act.actor.session;
        self.page.page(
            rows,
            |session| session.id.to_string(),
            |session| SessionView {
                id: session.id.to_string(),
                current: Some(session.id) == current,
                created_at: session.created_at.to_string(),
                expires_at: session.expires_at.to_string(),
                address: session.address,
                user_agent: session.user_agent,
            },
        )
    }
}

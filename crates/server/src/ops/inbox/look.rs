//! List one's own notices, or show one.

use super::view::{InboxView, NoticeView};
use super::{language, own};
use crate::db::{self, Tx};
use crate::ops::act::internal;
use crate::ops::sessions::require_session;
use crate::ops::{Act, Page, PageRequest, Query};
use serde::Deserialize;
use tegata_core::ids::NoticeId;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;
use utoipa::ToSchema;

/// Which notices.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct InboxQuery {
    /// How many at most: 1 to 200, 50 if not said.
    #[schema(minimum = 1, maximum = 200)]
    pub limit: Option<i64>,
    /// Where to go on: the `next_cursor` of the page before.
    pub cursor: Option<String>,
    /// Only what was not read.
    pub unread: bool,
    /// In which language: `en` or `ja`. Left out: as the person prefers, or as `Accept-Language` says.
    pub lang: Option<String>,
}

/// In which language.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct LanguageQuery {
    /// In which language: `en` or `ja`. Left out: as the person prefers, or as `Accept-Language` says.
    pub lang: Option<String>,
}

/// List one's own notices, newest first.
#[derive(Debug, Clone)]
pub struct ListInbox(pub InboxQuery);

impl Query for ListInbox {
    const OPERATION: &'static Operation = operations::INBOX_LIST;
    type Output = InboxView;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<InboxView, Problem> {
        require_session(&act.actor)?;
        let InboxQuery { limit, cursor, unread, lang } = self.0.clone();
        let page = PageRequest { limit, cursor };
        let ask = page.ask()?;
        let language = language(act, lang.as_deref()).await?;
        let user = act.actor.user.id;
        let rows = db::notices::list(act.tx(), user, unread, &ask).await.map_err(internal)?;
        let Page { items, next_cursor } =
            page.page(rows, |row| row.id.to_string(), |row| NoticeView::of(row, language))?;
        let unread = db::notices::unread(act.tx(), user).await.map_err(internal)?;
        Ok(InboxView { items, next_cursor, unread })
    }
}

/// Show one of one's own notices.
#[derive(Debug, Clone)]
pub struct ShowNotice {
    /// Which.
    pub notice: NoticeId,
    /// In which language.
    pub lang: Option<String>,
}

impl Query for ShowNotice {
    const OPERATION: &'static Operation = operations::INBOX_SHOW;
    type Output = NoticeView;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<NoticeView, Problem> {
        require_session(&act.actor)?;
        let language = language(act, self.lang.as_deref()).await?;
        Ok(NoticeView::of(own(act, self.notice).await?, language))
    }
}

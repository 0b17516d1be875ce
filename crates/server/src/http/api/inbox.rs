//! `/v1/me/inbox` and `/v1/me/preferences`: what concerns whoever is signed in, and how they like to be told.

use crate::http::routes::{NoBody, Routes};
use crate::ops::inbox::look::{InboxQuery, LanguageQuery, ListInbox, ShowNotice};
use crate::ops::inbox::mark::{MarkAllRead, MarkRead, MarkUnread};
use crate::ops::inbox::preferences::{self, ShowPreferences, UpdatePreferences};

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
        .query::<ListInbox, InboxQuery, _>(|_, query| Ok(ListInbox(query)))
        .query::<ShowNotice, LanguageQuery, _>(|path, query| {
            Ok(ShowNotice { notice: path.id("notice")?, lang: query.lang })
        })
        .mutation::<MarkRead, NoBody, _>(200, |path, _| Ok(MarkRead(path.id("notice")?)))
        .mutation::<MarkUnread, NoBody, _>(200, |path, _| Ok(MarkUnread(path.id("notice")?)))
        .mutation::<MarkAllRead, NoBody, _>(200, |_, _| Ok(MarkAllRead))
        .query::<ShowPreferences, NoBody, _>(|_, _| Ok(ShowPreferences))
        .mutation::<UpdatePreferences, preferences::Body, _>(200, |_, body| Ok(UpdatePreferences(body)))
}

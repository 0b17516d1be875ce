//! Notices as they are shown.

use crate::db::notices::Stored;
use crate::notices::Language;
use crate::notices::texts::words;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// A notice.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Notice)]
pub struct NoticeView {
    /// Its id.
    pub id: String,
    /// What it is about, in a word: `request_filed`, `credential_expiring` …
    pub kind: String,
    /// The id of the organization that it concerns.
    pub organization: Option<String>,
    /// The id of what it is about.
    pub about: String,
    /// One line for people.
    pub title: String,
    /// Plain text for people.
    pub body: String,
    /// The language of both.
    pub language: Language,
    /// The same for programs; what is in it depends on the kind.
    #[schema(value_type = Object)]
    pub data: Value,
    /// When it was made.
    pub created_at: String,
    /// When it was read; none if it was not.
    pub read_at: Option<String>,
}

/// A page of an inbox.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Inbox)]
pub struct InboxView {
    /// The notices, newest first.
    pub items: Vec<NoticeView>,
    /// The cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// How many notices are unread, on all pages.
    pub unread: u64,
}

/// How many notices are unread.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = InboxUnread)]
pub struct UnreadView {
    /// How many.
    pub unread: u64,
}

impl NoticeView {
    /// Shows a notice in a language.
    pub fn of(notice: Stored, language: Language) -> Self {
        let said = words(notice.kind, &notice.data, language);
        Self {
            id: notice.id.to_string(),
            kind: notice.kind.to_string(),
            organization: notice.org.map(|org| org.to_string()),
            about: notice.about,
            title: said.title,
            body: said.body,
            language,
            data: notice.data,
            created_at: notice.created_at.to_string(),
            read_at: notice.read_at.map(|at| at.to_string()),
        }
    }
}

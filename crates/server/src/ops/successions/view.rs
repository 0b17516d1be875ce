//! Successions as they are shown.

use super::subject::Subject;
use crate::db::successions::Succession;
use crate::db::{self, DbError, Tx};
use crate::ops::view::PersonView;
use serde::Serialize;
use tegata_core::ids::OrgId;
use utoipa::ToSchema;

/// Something that a leaver answered for.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Succession)]
pub struct SuccessionView {
    /// Its id.
    pub id: String,
    /// `waiting` for a successor, `handed_over`, or `lapsed`: nobody took it over in time, and its credentials were stopped.
    pub state: &'static str,
    /// Who left.
    pub leaver: Option<PersonView>,
    /// What they answered for.
    pub subject: SubjectView,
    /// Since when it waits.
    pub created_at: String,
    /// Until when somebody has to take it over; then its credentials stop.
    pub due_at: String,
    /// Who took it over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub successor: Option<PersonView>,
    /// When it was taken over, or lapsed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settled_at: Option<String>,
}

/// What somebody answers for.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = SuccessionSubject)]
pub struct SubjectView {
    /// What it is: `service_account` or `application`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Its id.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// `active` or `inactive`.
    pub state: &'static str,
}

impl SuccessionView {
    /// A succession as it is shown.
    pub async fn of(tx: &mut Tx, org: OrgId, succession: &Succession) -> Result<Self, DbError> {
        let subject = Subject::find(tx, org, succession.subject).await?;
        let leaver = db::users::get(tx, succession.leaver).await?;
        let successor = match succession.successor {
            Some(user) => db::users::get(tx, user).await?,
            None => None,
        };
        let active = subject.as_ref().is_some_and(|subject| subject.active);
        Ok(Self {
            id: succession.id.to_string(),
            state: succession.state.as_str(),
            leaver: leaver.as_ref().map(PersonView::from),
            subject: SubjectView {
                kind: succession.subject.kind(),
                id: succession.subject.to_string(),
                name: subject.map(|subject| subject.name).unwrap_or_default(),
                state: if active { "active" } else { "inactive" },
            },
            created_at: succession.created_at.to_string(),
            due_at: succession.due_at.to_string(),
            successor: successor.as_ref().map(PersonView::from),
            settled_at: succession.settled_at.map(|at| at.to_string()),
        })
    }
}

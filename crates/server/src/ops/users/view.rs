//! Accounts as the publisher sees them.

use crate::db::users::User;
use crate::ops::view::state_word;
use serde::Serialize;
use utoipa::ToSchema;

/// An account.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct UserView {
    /// Its id.
    pub id: String,
    /// Where mail reaches the person, and what they sign in with.
    pub email: String,
    /// What they are called.
    pub name: String,
    /// `active` or `inactive`.
    pub state: String,
    /// When it was made.
    pub created_at: String,
}

impl From<&User> for UserView {
    fn from(user: &User) -> Self {
        Self {
            id: user.id.to_string(),
            email: user.email.clone(),
            name: user.name.clone(),
            state: state_word(user.active),
            created_at: user.created_at.to_string(),
        }
    }
}

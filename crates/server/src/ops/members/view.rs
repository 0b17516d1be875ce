//! Members as callers see them.

use crate::db::members::Member;
use crate::ops::view::{HeldRoleView, state_word};
use serde::Serialize;
use utoipa::ToSchema;

/// A member of an organization.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MemberView {
    /// The id of the person's account.
    pub id: String,
    /// Where mail reaches them.
    pub email: String,
    /// What they are called.
    pub name: String,
    /// The membership: `active` or `inactive`.
    pub state: String,
    /// The account: `active` or `inactive`.
    pub account_state: String,
    /// Since when they are a member.
    pub created_at: String,
}

impl From<&Member> for MemberView {
    fn from(member: &Member) -> Self {
        Self {
            id: member.user.to_string(),
            email: member.email.clone(),
            name: member.name.clone(),
            state: state_word(member.active),
            account_state: state_word(member.account_active),
            created_at: member.created_at.to_string(),
        }
    }
}

/// A member with their roles and teams.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MemberDetailsView {
    /// The id of the person's account.
    pub id: String,
    /// Where mail reaches them.
    pub email: String,
    /// What they are called.
    pub name: String,
    /// The membership: `active` or `inactive`.
    pub state: String,
    /// The account: `active` or `inactive`.
    pub account_state: String,
    /// Since when they are a member.
    pub created_at: String,
    /// The roles they have, by themselves or through teams.
    pub roles: Vec<HeldRoleView>,
    /// The teams they are in.
    pub teams: Vec<MemberTeamView>,
}

/// A team that a member is in.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MemberTeamView {
    /// The team's id.
    pub id: String,
    /// Its key.
    pub key: String,
    /// Its name.
    pub name: String,
}

impl MemberDetailsView {
    /// Joins a member with what they have.
    pub fn new(member: MemberView, roles: Vec<HeldRoleView>, teams: Vec<MemberTeamView>) -> Self {
        let MemberView { id, email, name, state, account_state, created_at } = member;
        Self { id, email, name, state, account_state, created_at, roles, teams }
    }
}

//! Teams as callers see them.

use crate::db::assignments::Principal;
use crate::db::teams::Team;
use crate::db::{self, DbError, Tx};
use crate::ops::members::view::MemberView;
use crate::ops::view::{HeldRoleView, held_roles};
use serde::Serialize;
use tegata_core::ids::OrgId;
use utoipa::ToSchema;

/// A team.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TeamView {
    /// Its id.
    pub id: String,
    /// What stands in URLs.
    pub key: String,
    /// What people call it.
    pub name: String,
    /// When it was made.
    pub created_at: String,
}

impl From<&Team> for TeamView {
    fn from(team: &Team) -> Self {
        Self {
            id: team.id.to_string(),
            key: team.key.clone(),
            name: team.name.clone(),
            created_at: team.created_at.to_string(),
        }
    }
}

/// A team with its members and roles.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TeamDetailsView {
    /// Its id.
    pub id: String,
    /// What stands in URLs.
    pub key: String,
    /// What people call it.
    pub name: String,
    /// When it was made.
    pub created_at: String,
    /// Who is in it.
    pub members: Vec<MemberView>,
    /// The roles that everybody in it has.
    pub roles: Vec<HeldRoleView>,
}

impl TeamDetailsView {
    /// Reads what belongs to a team.
    pub async fn read(tx: &mut Tx, org: OrgId, team: &Team) -> Result<Self, DbError> {
        let members = db::members::of_team(tx, org, team.id).await?;
        let assignments = db::assignments::of_principal(tx, org, Principal::Team(team.id)).await?;
        let roles = held_roles(tx, org, &assignments).await?;
        let TeamView { id, key, name, created_at } = TeamView::from(team);
        Ok(Self { id, key, name, created_at, members: members.iter().map(MemberView::from).collect(), roles })
    }
}

//! Service accounts as they are shown.

use crate::db::assignments::Principal;
use crate::db::service_accounts::ServiceAccount;
use crate::db::{self, DbError, Tx};
use crate::ops::view::{HeldRoleView, PersonView, held_roles};
use serde::Serialize;
use tegata_core::ids::OrgId;
use utoipa::ToSchema;

/// A service account.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ServiceAccount)]
pub struct ServiceAccountView {
    /// Its id.
    pub id: String,
    /// What people call it; once in the organization.
    pub name: String,
    /// `active`, or `inactive`: then none of its keys counts.
    pub state: &'static str,
    /// The member who answers for it.
    pub owner: Option<PersonView>,
    /// When it was made.
    pub created_at: String,
    /// The id of whoever made it.
    pub created_by: String,
    /// The roles that it has.
    pub roles: Vec<HeldRoleView>,
}

impl ServiceAccountView {
    /// A service account as it is shown.
    pub async fn of(tx: &mut Tx, org: OrgId, account: &ServiceAccount) -> Result<Self, DbError> {
        let owner = db::users::get(tx, account.owner).await?;
        let held = db::assignments::of_principal(tx, org, Principal::ServiceAccount(account.id)).await?;
        Ok(Self {
            id: account.id.to_string(),
            name: account.name.clone(),
            state: if account.active { "active" } else { "inactive" },
            owner: owner.as_ref().map(PersonView::from),
            created_at: account.created_at.to_string(),
            created_by: account.created_by.clone(),
            roles: held_roles(tx, org, &held).await?,
        })
    }
}

//! Names for people: who an id is, what a role is called. Remembered for the length of one answer, since lists repeat
//! themselves.

use crate::app::App;
use crate::db::assignments::Principal;
use crate::db::contexts::Context;
use crate::db::roles::Role;
use crate::db::{self, DbError, Tx};
use std::collections::HashMap;
use tegata_core::ids::{ApiId, ContextId, OrgId, RoleId};

/// What was looked up in one organization.
#[derive(Debug)]
pub struct Names {
    org: OrgId,
    roles: HashMap<RoleId, Option<Role>>,
    principals: HashMap<String, String>,
    contexts: HashMap<ContextId, Option<Context>>,
    apis: HashMap<ApiId, String>,
}

impl Names {
    /// Nothing yet.
    pub fn new(org: OrgId) -> Self {
        Self { org, roles: HashMap::new(), principals: HashMap::new(), contexts: HashMap::new(), apis: HashMap::new() }
    }

    /// A role.
    pub async fn role(&mut self, tx: &mut Tx, id: RoleId) -> Result<Option<Role>, DbError> {
        if let Some(known) = self.roles.get(&id) {
            return Ok(known.clone());
        }
        let found = db::roles::find(tx, self.org, &id.to_string()).await?;
        self.roles.insert(id, found.clone());
        Ok(found)
    }

    /// The name of a user or team.
    pub async fn principal(&mut self, tx: &mut Tx, principal: Principal) -> Result<String, DbError> {
        let id = principal.id();
        if let Some(known) = self.principals.get(&id) {
            return Ok(known.clone());
        }
        let found = match principal {
            Principal::User(user) => db::members::get(tx, self.org, user).await?.map(|member| member.name),
            Principal::ServiceAccount(_) => {
                db::service_accounts::find(tx, self.org, &id).await?.map(|account| account.name)
            }
            Principal::Team(_) => db::teams::find(tx, self.org, &id).await?.map(|team| team.name),
        };
        let name = found.unwrap_or_default();
        self.principals.insert(id, name.clone());
        Ok(name)
    }

    /// A context.
    pub async fn context(&mut self, tx: &mut Tx, id: ContextId) -> Result<Option<Context>, DbError> {
        if let Some(known) = self.contexts.get(&id) {
            return Ok(known.clone());
        }
        let found = db::contexts::get(tx, self.org, id).await?;
        self.contexts.insert(id, found.clone());
        Ok(found)
    }

    /// The key of an API.
    pub async fn api(&mut self, app: &App, tx: &mut Tx, id: ApiId) -> Result<String, DbError> {
        if let Some(known) = self.apis.get(&id) {
            return Ok(known.clone());
        }
        let loaded = app.catalogues.of(tx, &id.to_string()).await?;
        let key = loaded.map_or_else(|| id.to_string(), |loaded| loaded.key.clone());
        self.apis.insert(id, key.clone());
        Ok(key)
    }
}

//! Define a role, out of permissions that one has oneself in the whole organization.

use super::listed::{self, ANY, GLOBAL};
use super::view::{ApiPermissions, RoleView};
use crate::db::feed::Topic;
use crate::db::roles::{Origin, Permissions, Role};
use crate::db::{self, DbError, WriteTx};
use crate::ops::act::internal;
use crate::ops::assignments::names::Names;
use crate::ops::contexts::kinds::kinds_of;
use crate::ops::{Act, Change, Changes, Mutation};
use serde::Deserialize;
use serde_json::json;
use tegata_core::ids::RoleId;
use tegata_core::name;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};
use utoipa::ToSchema;

/// The role.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RoleCreate)]
pub struct Body {
    /// What stands in URLs.
    pub key: String,
    /// What people call it.
    pub name: String,
    /// Where it may be given: `global` in the whole organization, `any` in any context, else in contexts of this type.
    pub context_type: String,
    /// What it lists, by API.
    pub permissions: Vec<ApiPermissions>,
}

/// Define a role.
#[derive(Debug, Clone)]
pub struct CreateRole {
    /// The organization.
    pub org: String,
    /// The role.
    pub body: Body,
}

impl Mutation for CreateRole {
    const OPERATION: &'static Operation = operations::ROLE_CREATE;
    type Output = RoleView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(RoleView, Changes), Problem> {
        let body = &self.body;
        let allowed = act.require(Self::OPERATION, &self.org).await?;
        let org = allowed.org.id;
        name::check_key(&body.key).map_err(|error| Problem::field("key", error))?;
        if body.key.parse::<RoleId>().is_ok() {
            return Err(Problem::field("key", "a key does not look like an id"));
        }
        name::check_title(&body.name).map_err(|error| Problem::field("name", error))?;
        let app = act.app;
        if body.context_type != GLOBAL && body.context_type != ANY {
            let kinds = kinds_of(app, act.tx(), org).await.map_err(internal)?;
            if !kinds.is_type(&body.context_type) {
                let message = "write `global`, `any`, or a context type that an API of this organization declares";
                return Err(Problem::field("context_type", message));
            }
        }
        let permissions = listed::read(act, &allowed.org, &body.context_type, &body.permissions).await?;
        listed::must_cover_added(act, &allowed, &Permissions::new(), &permissions).await?;

        let role = Role {
            id: act.id(RoleId::new),
            key: body.key.clone(),
            name: body.name.clone(),
            context_type: body.context_type.clone(),
            everything: false,
            origin: Origin::Own,
            api: None,
            created_at: act.now,
        };
        let id = role.id;
        let stored = db::roles::insert(&mut act.tx, org, &role, &permissions).await;
        stored.map_err(|error| match error {
            DbError::Duplicate => {
                let message = "a role of this organization has this key already";
                Problem::new(Code::Duplicate, message).with("key", message)
            }
            other => internal(other),
        })?;
        let view = RoleView::of(app, act.tx(), org, &mut Names::new(org), role).await.map_err(internal)?;
        let change = Change::new(org, id).after(json!(view)).feed(Topic::Role, Some(org), id);
        Ok((view, change.into()))
    }
}

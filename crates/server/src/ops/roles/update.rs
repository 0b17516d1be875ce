//! Change a role's name or permissions. Nobody changes the permissions of a role that they have themselves, and
//! nobody adds what they do not have in the whole organization, which covers every place where the role is given.

use super::listed;
use super::view::{ApiPermissions, RoleView};
use crate::db::feed::Topic;
use crate::db::roles::{Origin, Role};
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::assignments::names::Names;
use crate::ops::{Act, Allowed, Change, Changes, Mutation};
use serde::Deserialize;
use serde_json::json;
use tegata_core::name;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};
use utoipa::ToSchema;

/// What to change.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RoleUpdate)]
pub struct Body {
    /// The new name.
    pub name: Option<String>,
    /// Everything that the role lists from now on, by API.
    pub permissions: Option<Vec<ApiPermissions>>,
}

/// Change a role.
#[derive(Debug, Clone)]
pub struct UpdateRole {
    /// The organization.
    pub org: String,
    /// The role.
    pub role: String,
    /// What to change.
    pub body: Body,
}

impl Mutation for UpdateRole {
    const OPERATION: &'static Operation = operations::ROLE_UPDATE;
    type Output = RoleView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(RoleView, Changes), Problem> {
        let allowed = act.require(Self::OPERATION, &self.org).await?;
        let org = allowed.org.id;
        let role = db::roles::find(act.tx(), org, &self.role).await.map_err(internal)?;
        let mut role = role.ok_or_else(|| Problem::not_found("role"))?;
        must_be_own(&role)?;
        let app = act.app;
        let mut names = Names::new(org);
        let before = RoleView::of(app, act.tx(), org, &mut names, role.clone()).await.map_err(internal)?;
        if let Some(title) = &self.body.name {
            name::check_title(title).map_err(|error| Problem::field("name", error))?;
            db::roles::rename(&mut act.tx, org, role.id, title).await.map_err(internal)?;
            role.name.clone_from(title);
        }
        if let Some(wanted) = &self.body.permissions {
            set_permissions(act, &allowed, &role, wanted).await?;
        }
        let id = role.id;
        let view = RoleView::of(app, act.tx(), org, &mut names, role).await.map_err(internal)?;
        let change = Change::new(org, id).before(json!(before)).after(json!(view)).feed(Topic::Role, Some(org), id);
        Ok((view, change.into()))
    }
}

async fn set_permissions(
    act: &mut Act<'_, WriteTx>,
    allowed: &Allowed,
    role: &Role,
    wanted: &[ApiPermissions],
) -> Result<(), Problem> {
    let org = allowed.org.id;
    let user = act.actor.user.id;
    let held = db::assignments::reaching_user(act.tx(), org, user).await.map_err(internal)?;
    if held.iter().any(|assignment| assignment.role == role.id) {
        let message = "you have this role yourself, directly or through a team; somebody else has to change it";
        return Err(Problem::new(Code::BeyondOwnRights, message));
    }
    let before = db::roles::permissions(act.tx(), org, role.id).await.map_err(internal)?;
    let after = listed::read(act, &allowed.org, &role.context_type, wanted).await?;
    listed::must_cover_added(act, allowed, &before, &after).await?;
    db::roles::set_permissions(&mut act.tx, org, role.id, &after).await.map_err(internal)
}

/// Predefined roles mean the same everywhere, and those of a catalogue change with it.
pub(super) fn must_be_own(role: &Role) -> Result<(), Problem> {
    let origin = match role.origin {
        Origin::Own => return Ok(()),
        Origin::Predefined => "is predefined",
        Origin::Catalogue => "comes with an API's catalogue",
    };
    let message = format!("the role `{}` {origin} and cannot be changed; define one of your own", role.key);
    Err(Problem::new(Code::Conflict, message))
}

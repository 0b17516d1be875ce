//! Change an application: what people read of it, who answers for it here, and whether others may install it.

use super::create::{require_free, require_publisher};
use super::holder::{Held, managed, require_covered};
use super::view::ApplicationView;
use crate::db::feed::Topic;
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::service_accounts::create::member;
use crate::ops::successions::hand_over;
use crate::ops::tokens::broken::Broken;
use crate::ops::{Act, Change, Changes, Mutation};
use serde::Deserialize;
use serde_json::{Value, json};
use tegata_core::name;
use tegata_core::operations::{self, Operation};
use tegata_core::owner::Owner;
use tegata_core::problem::{Code, Problem};
use utoipa::ToSchema;

/// What changes; what is left out stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = ApplicationUpdate)]
pub struct Body {
    /// What people call it: where it is registered.
    pub name: Option<String>,
    /// What it does: where it is registered.
    pub description: Option<String>,
    /// Id or e-mail address of the member who answers for it here.
    pub owner: Option<String>,
    /// Whether every organization may install it: in the publisher's organization only.
    pub shared: Option<bool>,
}

/// Change an application.
#[derive(Debug, Clone)]
pub struct UpdateApplication {
    /// The organization.
    pub org: String,
    /// Its id, client id or name.
    pub application: String,
    /// What changes.
    pub body: Body,
}

impl Mutation for UpdateApplication {
    const OPERATION: &'static Operation = operations::APPLICATION_UPDATE;
    type Output = ApplicationView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Self::Output, Changes), Problem> {
        let mut held = managed(act, Self::OPERATION, &self.org, &self.application).await?;
        let (body, before) = (&self.body, shown(&held));
        let mut broken = Broken::default();
        let mut taken_over = None;
        let about_it = body.name.is_some() || body.description.is_some() || body.shared.is_some();
        if about_it && !held.at_home() {
            broken.note("name", "an application is changed where it is registered; here, only who answers for it");
        }
        if let Some(name) = &body.name {
            broken.take("name", name::check_title(name));
        }
        broken.take("description", name::check_reason(body.description.as_deref().unwrap_or_default()));
        require_publisher(body.shared == Some(true), &held.allowed.org, &mut broken);
        broken.told(Code::Invalid)?;
        if let Some(named) = &body.owner {
            let owner = member(&mut act.tx, held.allowed.org.id, named).await?;
            if owner != held.install.owner {
                // Whoever answers for it can have its secrets.
                require_covered(act, &held).await?;
                let id = held.application.id;
                let org = held.allowed.org.id;
                db::applications::set_owner(&mut act.tx, org, id, owner).await.map_err(internal)?;
                held.install.owner = owner;
            }
            taken_over =
                hand_over::by_hand(act, held.allowed.org.id, Owner::Application(held.application.id), owner).await?;
        }
        if about_it {
            if let Some(name) = &body.name {
                require_free(act, &held.allowed.org, name, Some(held.application.id)).await?;
                db::tokens::rename(&mut act.tx, held.allowed.org.id, held.install.token, name)
                    .await
                    .map_err(internal)?;
                held.application.name.clone_from(name);
            }
            if let Some(description) = &body.description {
                held.application.description.clone_from(description);
            }
            held.application.shared = body.shared.unwrap_or(held.application.shared);
            db::applications::update(&mut act.tx, &held.application).await.map_err(internal)?;
        }
        let view = ApplicationView::of(act, &held).await.map_err(internal)?;
        let change = Change::new(held.allowed.org.id, held.application.id).before(before).after(shown(&held));
        let change = change.feed(Topic::Application, None, held.application.id);
        let mut list = vec![change.feed(Topic::Token, None, held.install.token)];
        list.extend(taken_over);
        Ok((view, Changes { list }))
    }
}

fn shown(held: &Held) -> Value {
    json!({"name": held.application.name, "description": held.application.description,
        "owner": held.install.owner.to_string(), "shared": held.application.shared})
}

//! Show who is signed in, and in which organizations.

use crate::db::{self, PageAsk, Tx};
use crate::ops::act::internal;
use crate::ops::view::{HeldRoleView, PersonView, held_roles};
use crate::ops::{Act, Query};
use serde::Serialize;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;
use utoipa::ToSchema;

/// Most organizations that are shown here; `GET /v1/orgs` has them all.
const ORGANIZATIONS_MAX: i64 = 100;

/// Shows who acts.
#[derive(Debug)]
pub struct ShowMe;

/// Who acts.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MeView {
    /// The person.
    pub user: PersonView,
    /// What they showed.
    pub credential: MyCredentialView,
    /// The first hundred organizations they belong to; with a token, those in which it has a part.
    pub organizations: Vec<MyOrgView>,
}

/// What was shown.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MyCredentialView {
    /// `session`, or the kind of the token.
    pub kind: String,
    /// Its id.
    pub id: String,
}

/// An organization that one belongs to.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MyOrgView {
    /// Its id.
    pub id: String,
    /// What stands in URLs.
    pub key: String,
    /// What people call it.
    pub name: String,
    /// The roles one has in it, by oneself or through teams.
    pub roles: Vec<HeldRoleView>,
}

impl Query for ShowMe {
    const OPERATION: &'static Operation = operations::ME_SHOW;
    type Output = MeView;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<MeView, Problem> {
        let user = act.actor.user.id;
        let page = PageAsk { after: None, limit: ORGANIZATIONS_MAX };
        let orgs = match act.actor.token {
            None => db::orgs::of_user(&mut act.tx, user, &page).await,
            Some(token) => db::orgs::of_user_with_token(&mut act.tx, user, token, &page).await,
        };
        let mut organizations = Vec::new();
        for org in orgs.map_err(internal)? {
            let assignments = db::assignments::reaching_user(&mut act.tx, org.id, user).await.map_err(internal)?;
            let roles = held_roles(&mut act.tx, org.id, &assignments).await.map_err(internal)?;
            organizations.push(MyOrgView { id: org.id.to_string(), key: org.key, name: org.name, roles });
        }
        Ok(MeView {
            user: PersonView::from(&act.actor.user),
            credential: MyCredentialView {
                kind: act.actor.kind().to_owned(),
                id: act.actor.credential().unwrap_or_default(),
            },
            organizations,
        })
    }
}

//! Make a team: empty, and without any role.

use super::view::TeamView;
use crate::db::feed::Topic;
use crate::db::teams::Team;
use crate::db::{self, DbError, WriteTx};
use crate::ops::act::internal;
use crate::ops::view::check_new_key;
use crate::ops::{Act, Change, Changes, Mutation};
use serde::Deserialize;
use serde_json::json;
use tegata_core::ids::TeamId;
use tegata_core::name;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};
use utoipa::ToSchema;

/// Makes a team.
#[derive(Debug)]
pub struct CreateTeam {
    /// The organization's key or id.
    pub org: String,
    /// What was sent.
    pub body: NewTeam,
}

/// A new team.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTeam {
    /// What stands in URLs: lower-case letters, digits, `.`, `_` and `-`.
    #[schema(min_length = 1, max_length = 60)]
    pub key: String,
    /// What people call it.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
}

impl Mutation for CreateTeam {
    const OPERATION: &'static Operation = operations::TEAM_CREATE;
    type Output = TeamView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(TeamView, Changes), Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org.id;
        check_new_key::<TeamId>(&self.body.key)?;
        name::check_title(&self.body.name).map_err(|error| Problem::field("name", error))?;
        let team = Team {
            id: act.id(TeamId::new),
            key: self.body.key.clone(),
            name: self.body.name.clone(),
            created_at: act.now,
        };
        db::teams::insert(&mut act.tx, org, &team).await.map_err(|error| match error {
            DbError::Duplicate => {
                Problem::new(Code::Duplicate, "a team has this key already").with("key", "the key is taken")
            }
            other => internal(other),
        })?;
        let change = Change::new(org, team.id).after(json!({"key": team.key, "name": team.name})).feed(
            Topic::Team,
            Some(org),
            team.id,
        );
        Ok((TeamView::from(&team), change.into()))
    }
}

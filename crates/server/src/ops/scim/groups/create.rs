//! Make a team. It has no role until somebody here gives it one.

use super::wanted::Wanted;
use super::{settle, view};
use crate::db::feed::Topic;
use crate::db::teams::Team;
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::{Act, Change, Changes, Mutation};
use crate::scim::projection::Asked;
use crate::scim::{Resource, schema};
use serde_json::{Map, Value, json};
use tegata_core::ids::{OrgId, TeamId};
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;

/// Longest beginning of a key that is made of a name, in characters.
const KEY_CHARS: usize = 40;
/// How many numbers are tried behind a key that is taken.
const KEY_TRIES: usize = 1000;

/// Make a team.
#[derive(Debug)]
pub struct CreateGroup {
    /// The organization.
    pub org: String,
    /// What was sent.
    pub body: Map<String, Value>,
    /// Which attributes are shown.
    pub asked: Asked,
}

impl Mutation for CreateGroup {
    const OPERATION: &'static Operation = operations::SCIM_GROUP_CREATE;
    type Output = Value;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Value, Changes), Problem> {
        let (allowed, base) = crate::ops::scim::allowed(act, Self::OPERATION, &self.org).await?;
        let org = &allowed.org;
        let wanted = Wanted::read(&schema::kept(Resource::Group, &self.body))?;
        let id = act.id(TeamId::new);
        let key = free_key(act, org.id, &wanted.name, id).await?;
        let team = Team { id, key, name: wanted.name.clone(), created_at: act.now };
        db::teams::insert(&mut act.tx, org.id, &team).await.map_err(internal)?;
        let external_id = wanted.external_id.as_deref();
        db::scim::put_team(&mut act.tx, org.id, team.id, external_id).await.map_err(internal)?;
        let made = Change::new(org.id, team.id)
            .told_as(operations::TEAM_CREATE.id)
            .after(json!({"key": team.key, "name": team.name, "scim": {"externalId": external_id}}))
            .feed(Topic::Team, Some(org.id), team.id);
        let mut list = vec![made];
        list.extend(settle::members(act, org, &team, &wanted).await?);
        let mut shown = view::shown(&mut act.tx, org.id, &team, &base).await.map_err(internal)?;
        self.asked.project(Resource::Group, &mut shown);
        Ok((shown, Changes { list }))
    }
}

/// A key for URLs, made of a name; with a number behind it, or made of the id, where that is taken.
async fn free_key(act: &mut Act<'_, WriteTx>, org: OrgId, name: &str, id: TeamId) -> Result<String, Problem> {
    let base = key_of(name).unwrap_or_else(|| "team".to_owned());
    for number in 1..=KEY_TRIES {
        let key = if number == 1 { base.clone() } else { format!("{base}-{number}") };
        if db::teams::find(&mut act.tx, org, &key).await.map_err(internal)?.is_none() {
            return Ok(key);
        }
    }
    Ok(format!("team-{}", id.to_string().replace('_', "-").to_lowercase()))
}

/// The letters and digits of a name as a key, if there are any.
fn key_of(name: &str) -> Option<String> {
    let mut key = String::new();
    for sign in name.chars() {
        if sign.is_ascii_alphanumeric() {
            key.push(sign.to_ascii_lowercase());
        } else if !key.is_empty() && !key.ends_with('-') {
            key.push('-');
        }
    }
    let key: String = key.chars().take(KEY_CHARS).collect();
    let key = key.trim_end_matches('-').to_owned();
    tegata_core::name::check_key(&key).is_ok().then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn whatever_a_team_is_called_its_key_is_one(name in "\\PC{0,80}") {
            if let Some(key) = key_of(&name) {
                prop_assert!(tegata_core::name::check_key(&key).is_ok());
            }
        }
    }

    #[test]
    fn keys_read_like_names() {
        assert_eq!(key_of("Team Tokyo (Sales)").as_deref(), Some("team-tokyo-sales"));
        assert_eq!(key_of("営業部"), None);
    }
}

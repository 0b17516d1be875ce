//! Make an organization. Whoever is named administers it; the publisher's staff have no right in it by themselves.

use super::found;
use super::view::OrgView;
use crate::db::feed::Topic;
use crate::db::orgs::Org;
use crate::db::{self, DbError, WriteTx};
use crate::ops::act::internal;
use crate::ops::view::{active_user, check_new_key};
use crate::ops::{Act, Change, Changes, Mutation};
use serde::Deserialize;
use serde_json::json;
use tegata_core::ids::OrgId;
use tegata_core::name;
use tegata_core::operations::{self, Operation};
use tegata_core::permissions::OWN_API;
use tegata_core::problem::{Code, Problem};
use utoipa::ToSchema;

/// Makes an organization.
#[derive(Debug)]
pub struct CreateOrg {
    /// What was sent.
    pub body: NewOrg,
}

/// A new organization.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOrg {
    /// What stands in URLs: lower-case letters, digits, `.`, `_` and `-`.
    #[schema(min_length = 1, max_length = 60)]
    pub key: String,
    /// What people call it.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// Who administers it, by id or e-mail address; the caller if nothing is said.
    #[serde(default)]
    pub administrator: Option<String>,
}

impl Mutation for CreateOrg {
    const OPERATION: &'static Operation = operations::ORG_CREATE;
    type Output = OrgView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(OrgView, Changes), Problem> {
        let allowed = act.require_publisher(Self::OPERATION).await?;
        check_new_key::<OrgId>(&self.body.key)?;
        name::check_title(&self.body.name).map_err(|error| Problem::field("name", error))?;
        let administrator = match &self.body.administrator {
            Some(text) => active_user(&mut act.tx, "administrator", text).await?,
            None => act.actor.user.clone(),
        };
        let own = db::apis::version(&mut act.tx, OWN_API).await.map_err(internal)?;
        let (own, _) =
            own.ok_or_else(|| Problem::new(Code::Unavailable, "the installation has not been set up yet"))?;
        let org = Org {
            id: act.id(OrgId::new),
            key: self.body.key.clone(),
            name: self.body.name.clone(),
            publisher: false,
            created_at: act.now,
        };
        let taken = |error| match error {
            DbError::Duplicate => {
                Problem::new(Code::Duplicate, "an organization has this key already").with("key", "the key is taken")
            }
            other => internal(other),
        };
        let feed = found::found(&mut act.tx, &act.app.entropy, &org, own).await.map_err(taken)?;
        let by = act.actor.user.id.to_string();
        let member = found::name_administrator(&mut act.tx, &act.app.entropy, org.id, administrator.id, &by, act.now);
        let member = member.await.map_err(internal)?;

        let after = json!({
            "key": org.key, "name": org.name,
            "administrator": {"id": administrator.id.to_string(), "name": administrator.name},
        });
        let mut inside = Change::new(org.id, org.id).after(after.clone());
        inside.feed = feed;
        inside.feed.push(member);
        // Both books show it: the publisher's, who made it, and its own, as its first entry.
        let outside = Change::new(allowed.org.id, org.id).after(after).feed(Topic::Org, Some(org.id), org.id);
        Ok((OrgView::from(&org), Changes { list: vec![outside, inside] }))
    }
}

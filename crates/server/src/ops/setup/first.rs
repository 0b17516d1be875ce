//! The first administrator: of the publisher's organization and of the default one.

use super::prepare::{DEFAULT, PUBLISHER, note};
use super::token::{has_administrator, take_any};
use crate::app::App;
use crate::db::feed::Topic;
use crate::db::orgs::Org;
use crate::db::users::User;
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::orgs::found::{FeedEntry, name_administrator};
use crate::ops::users::create::{check_person, taken};
use serde_json::{Value, json};
use tegata_core::ids::UserId;
use tegata_core::operations;
use tegata_core::problem::{Code, Problem};

/// Somebody who was made the first administrator.
pub(super) struct First {
    /// The person.
    pub user: User,
    /// The organizations they administer, the publisher's first.
    pub orgs: Vec<Org>,
    /// What the feed has to say.
    pub feed: Vec<FeedEntry>,
}

impl First {
    /// What activity shows.
    pub fn after(&self) -> Value {
        json!({"email": self.user.email, "name": self.user.name, "role": "administrator"})
    }
}

/// Makes the first administrator of a prepared database, for `tegata init`. `password_hash` comes from
/// [`crate::authn::password::hash`]; the caller has checked the password itself.
pub async fn first_administrator(
    app: &App,
    tx: &mut WriteTx,
    email: &str,
    name: &str,
    password_hash: &str,
) -> Result<User, Problem> {
    let first = make(app, tx, email, name, password_hash).await?;
    take_any(tx).await.map_err(internal)?;
    for (topic, org, subject) in &first.feed {
        tx.feed(*topic, *org, subject).await.map_err(internal)?;
    }
    for org in &first.orgs {
        let subject = first.user.id.to_string();
        note(tx, &app.entropy, app.clock.now(), org.id, operations::SETUP, &subject, first.after())
            .await
            .map_err(internal)?;
    }
    Ok(first.user)
}

/// Makes the account, its memberships and its roles. The caller tells activity and feed.
pub(super) async fn make(
    app: &App,
    tx: &mut WriteTx,
    email: &str,
    name: &str,
    password_hash: &str,
) -> Result<First, Problem> {
    check_person(email, name)?;
    if has_administrator(tx).await.map_err(internal)? {
        return Err(Problem::new(Code::Conflict, "this installation has an administrator already"));
    }
    let now = app.clock.now();
    let user = User {
        id: UserId::new(now.as_millis(), app.entropy.bytes()),
        email: email.to_owned(),
        name: name.to_owned(),
        active: true,
        created_at: now,
    };
    db::users::insert(tx, &user, Some(password_hash)).await.map_err(taken)?;
    let (mut orgs, mut feed) = (Vec::new(), vec![(Topic::User, None, user.id.to_string())]);
    for key in [PUBLISHER, DEFAULT] {
        let org = db::orgs::find(tx, key).await.map_err(internal)?;
        let org = org.ok_or_else(|| Problem::new(Code::Unavailable, "the database has not been prepared"))?;
        let by = user.id.to_string();
        feed.push(name_administrator(tx, &app.entropy, org.id, user.id, &by, now).await.map_err(internal)?);
        orgs.push(org);
    }
    Ok(First { user, orgs, feed })
}

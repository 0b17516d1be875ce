//! What every database has before anybody may use it: the installation's id, Tegata's own API, the publisher's
//! organization and a first one for everybody else. Not a use case: nobody asks for it. Run at every start, it brings
//! the own API and the predefined roles up to this program.

use super::token::renew_setup_token;
use crate::app::{App, Entropy};
use crate::authn::hasher::hex;
use crate::catalogues::own_document;
use crate::db::activity::Activity;
use crate::db::apis::Api;
use crate::db::feed::Topic;
use crate::db::orgs::Org;
use crate::db::{self, DbError, WriteTx, installation};
use crate::ops::orgs::found::{found, refresh_predefined_roles};
use secrecy::SecretString;
use serde_json::{Value, json};
use tegata_core::catalogue::Catalogue;
use tegata_core::ids::{ActivityId, ApiId, OrgId};
use tegata_core::operations::{self, Operation};
use tegata_core::permissions::OWN_API;
use tegata_core::time::Timestamp;

/// The key of the publisher's organization.
pub const PUBLISHER: &str = "publisher";
/// The key of the organization that everybody uses until more are made.
pub const DEFAULT: &str = "default";

/// Prepares the database at the start of a server. Returns the one-time set-up token while nobody administers the
/// installation: a new one each time, and the one before is worth nothing.
pub async fn at_start(app: &App) -> Result<Option<SecretString>, DbError> {
    let mut tx = app.db.write().await?;
    let start = Start { entropy: &app.entropy, now: app.clock.now() };
    start.make_what_is_missing(&mut tx).await?;
    let token = renew_setup_token(app, &mut tx).await?;
    tx.commit().await?;
    Ok(token)
}

/// One start of a server.
struct Start<'a> {
    entropy: &'a Entropy,
    now: Timestamp,
}

impl Start<'_> {
    async fn make_what_is_missing(&self, tx: &mut WriteTx) -> Result<(), DbError> {
        if installation::get(tx, installation::INSTALLATION_ID).await?.is_none() {
            installation::set(tx, installation::INSTALLATION_ID, &hex(&self.entropy.bytes::<16>())).await?;
        }
        let (own, own_changed) = self.import_own_api(tx).await?;
        let publisher = match db::orgs::publisher(tx).await? {
            None => {
                let publisher = self.found_one(tx, own, PUBLISHER, "Publisher").await?;
                self.found_one(tx, own, DEFAULT, "Default").await?;
                publisher
            }
            Some(publisher) => {
                if own_changed {
                    self.refresh_roles(tx, own).await?;
                }
                publisher.id
            }
        };
        if own_changed {
            tx.feed(Topic::Api, None, &own.to_string()).await?;
            self.note(tx, publisher, operations::API_IMPORT, &own.to_string(), json!({"api": OWN_API})).await?;
        }
        Ok(())
    }

    /// Imports Tegata's own catalogue, unless it is there as this program has it.
    async fn import_own_api(&self, tx: &mut WriteTx) -> Result<(ApiId, bool), DbError> {
        let now = self.now;
        let unusable = |error: &dyn std::fmt::Display| DbError::Corrupt(format!("the own catalogue: {error}"));
        let document = own_document();
        let text = serde_json::to_string(&document).map_err(|error| unusable(&error))?;
        let stored = db::apis::find(tx, OWN_API).await?;
        if let Some(api) = stored.as_ref().filter(|api| api.document == text) {
            return Ok((api.id, false));
        }
        let known = match &stored {
            Some(api) => db::apis::numbers(tx, api.id).await?,
            None => Vec::new(),
        };
        let compiled = Catalogue::compile(&document, &known).map_err(|problems| unusable(&problems))?;
        let id = if let Some(api) = stored {
            db::apis::update(tx, api.id, api.version, &text, now).await?;
            api.id
        } else {
            let id = ApiId::new(now.as_millis(), self.entropy.bytes());
            let api = Api { id, key: OWN_API.to_owned(), version: 1, document: text, created_at: now, updated_at: now };
            db::apis::insert(tx, &api).await?;
            id
        };
        for (name, number) in compiled.numbers() {
            if !known.iter().any(|(_, given)| given == number) {
                db::apis::insert_number(tx, id, *number, name).await?;
            }
        }
        Ok((id, true))
    }

    async fn found_one(&self, tx: &mut WriteTx, own: ApiId, key: &str, name: &str) -> Result<OrgId, DbError> {
        let now = self.now;
        let org = Org {
            id: OrgId::new(now.as_millis(), self.entropy.bytes()),
            key: key.to_owned(),
            name: name.to_owned(),
            publisher: key == PUBLISHER,
            created_at: now,
        };
        for (topic, of, subject) in found(tx, self.entropy, &org, own).await? {
            tx.feed(topic, of, &subject).await?;
        }
        let after = json!({"key": org.key, "name": org.name});
        self.note(tx, org.id, operations::ORG_CREATE, &org.id.to_string(), after).await?;
        Ok(org.id)
    }

    /// Gives every organization the predefined roles as a new program has them.
    // tenant: a new program concerns every organization.
    async fn refresh_roles(&self, tx: &mut WriteTx, own: ApiId) -> Result<(), DbError> {
        for org in db::orgs::all(tx).await? {
            for role in refresh_predefined_roles(tx, self.entropy, org.id, own, self.now).await? {
                tx.feed(Topic::Role, Some(org.id), &role.to_string()).await?;
                let after = json!({"predefined": true});
                self.note(tx, org.id, operations::ROLE_UPDATE, &role.to_string(), after).await?;
            }
        }
        Ok(())
    }

    async fn note(
        &self,
        tx: &mut WriteTx,
        org: OrgId,
        operation: &Operation,
        subject: &str,
        after: Value,
    ) -> Result<(), DbError> {
        note(tx, self.entropy, self.now, org, operation, subject, after).await
    }
}

/// An entry of activity for what the program does by itself.
pub(super) async fn note(
    tx: &mut WriteTx,
    entropy: &Entropy,
    now: Timestamp,
    org: OrgId,
    operation: &Operation,
    subject: &str,
    after: Value,
) -> Result<(), DbError> {
    let entry = Activity {
        id: ActivityId::new(now.as_millis(), entropy.bytes()),
        org,
        at: now,
        operation: operation.id.to_owned(),
        actor_kind: "system".to_owned(),
        actor_id: "tegata".to_owned(),
        actor_name: "Tegata".to_owned(),
        credential: None,
        subject: subject.to_owned(),
        before: None,
        after: Some(after),
        reason: None,
        address: None,
        user_agent: None,
        request_id: None,
    };
    db::activity::insert(tx, &entry).await
}

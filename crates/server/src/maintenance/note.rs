//! Activity of maintenance: what was changed from outside of the server stands in the publisher's book, like all else.

use crate::app::Entropy;
use crate::db::activity::Activity;
use crate::db::{self, DbError, WriteTx};
use serde_json::Value;
use tegata_core::ids::{ActivityId, OrgId};
use tegata_core::time::Timestamp;

/// Writes an entry. `org` is the organization that it concerns; none for the publisher's.
pub async fn note(
    tx: &mut WriteTx,
    now: Timestamp,
    org: Option<OrgId>,
    operation: &str,
    subject: &str,
    after: Value,
) -> Result<(), DbError> {
    let org = match org {
        Some(org) => Some(org),
        None => db::orgs::publisher(tx).await?.map(|publisher| publisher.id),
    };
    // Before the first start there is no book to write in.
    let Some(org) = org else { return Ok(()) };
    let entry = Activity {
        id: ActivityId::new(now.as_millis(), Entropy::System.bytes()),
        org,
        at: now,
        operation: operation.to_owned(),
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

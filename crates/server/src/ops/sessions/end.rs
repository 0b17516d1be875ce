//! End one of one's own sessions.

use crate::db::feed::Topic;
use crate::db::{self, DbError, WriteTx};
use crate::ops::act::internal;
use crate::ops::receipt::Receipt;
use crate::ops::{Act, Change, Changes, Mutation};
use serde_json::json;
use tegata_core::ids::SessionId;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};

/// Ends a session.
#[derive(Debug)]
pub struct EndSession {
    /// Its id, or `current`.
    pub session: String,
}

impl Mutation for EndSession {
    const OPERATION: &'static Operation = operations::SESSION_END;
    type Output = Receipt;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Receipt, Changes), Problem> {
        super::require_session(&act.actor)?;
        let unknown = || Problem::not_found("session");
        let asked = if self.session == "current" { act.actor.session } else { self.session.parse::<SessionId>().ok() };
        let id = asked.ok_or_else(unknown)?;
        let session = db::sessions::get(&mut act.tx, id).await.map_err(internal)?;
        let session = session.filter(|session| session.user == act.actor.user.id).ok_or_else(unknown)?;
        let ended = || Problem::new(Code::Conflict, "this session has ended already");
        if act.now >= session.expires_at {
            return Err(ended());
        }
        db::sessions::end(&mut act.tx, id, act.now).await.map_err(|error| match error {
            DbError::Changed => ended(),
            other => internal(other),
        })?;
        let publisher = db::orgs::publisher(&mut act.tx).await.map_err(internal)?.ok_or_else(unknown)?;
        let change = Change::new(publisher.id, id)
            .before(json!({"state": "active"}))
            .after(json!({"state": "ended"}))
            .feed(Topic::Session, None, id);
        Ok((Receipt::of(id, "ended"), change.into()))
    }
}

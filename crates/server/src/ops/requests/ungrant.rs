//! Take away lines of a request that were granted. The next check denies what they allowed.

use super::look::seen;
use super::sight::Sight;
use super::told;
use super::view::RequestView;
use crate::db::feed::Topic;
use crate::db::grants::Decided;
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::tokens::revoke::told_reason;
use crate::ops::{Act, Change, Changes, Mutation};
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeSet;
use tegata_core::credential::GrantState;
use tegata_core::ids::RequestId;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};
use utoipa::ToSchema;

/// What to take away.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = RequestUngrant)]
pub struct Body {
    /// The numbers of the lines; if none are named, all that are in force in places that one answers for.
    pub lines: Vec<i64>,
    /// Why; the requester reads it.
    pub reason: Option<String>,
}

/// Take away what was granted.
#[derive(Debug, Clone)]
pub struct Ungrant {
    /// The organization.
    pub org: String,
    /// Of which request.
    pub request: RequestId,
    /// What of it.
    pub body: Body,
}

impl Mutation for Ungrant {
    const OPERATION: &'static Operation = operations::REQUEST_UNGRANT;
    type Output = RequestView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(RequestView, Changes), Problem> {
        let org = act.visible_org(&self.org).await?;
        told_reason(self.body.reason.as_deref())?;
        let mut sight = Sight::of(act, org.id).await?;
        let hidden = || Problem::not_found("request");
        let request = db::requests::get(act.tx(), org.id, self.request).await.map_err(internal)?.ok_or_else(hidden)?;
        let lines = sight.lines(act, &request).await.map_err(internal)?;
        if lines.is_empty() {
            return Err(hidden());
        }
        let place = sight.own_place(act, &lines).await.map_err(internal)?;
        let named: BTreeSet<i64> = self.body.lines.iter().copied().collect();
        let (mut changes, mut found) = (Vec::new(), BTreeSet::new());
        for mut line in lines {
            let Some((_, number)) = line.line else { continue };
            if named.is_empty() {
                let chain = sight.chain(act, line.context).await.map_err(internal)?;
                if line.state != GrantState::Granted || !sight.answers_for(&chain) {
                    continue;
                }
            } else if !named.contains(&number) {
                continue;
            }
            act.require_in(Self::OPERATION, org.clone(), line.context).await?;
            let (from, at) = (line.state, format!("line {number}: "));
            line.state = from.ungrant().map_err(|error| Problem::new(Code::Conflict, format!("{at}{error}")))?;
            let comment = self.body.reason.clone().filter(|reason| !reason.is_empty());
            line.decided = Some(Decided { by: Some(act.actor.user.id), at: act.now, comment });
            db::grants::settle(&mut act.tx, from, &line).await.map_err(internal)?;
            found.insert(number);
            let told = |state: GrantState| json!({"request": request.id.to_string(), "line": number, "permissions": line.permissions, "state": state});
            changes.push(
                Change::new(org.id, line.id)
                    .before(told(from))
                    .after(told(line.state))
                    .because(self.body.reason.as_deref())
                    .feed(Topic::Token, None, line.token),
            );
        }
        if let Some(number) = named.difference(&found).next() {
            return Err(Problem::field("lines", format!("this request has no line {number} that you can see")));
        }
        if changes.is_empty() {
            // Whoever answers for nothing here learns that, and not what there is.
            act.require_in(Self::OPERATION, org, place).await?;
            return Err(Problem::new(
                Code::Conflict,
                "nothing of this request is in force in a place that you answer for",
            ));
        }
        let reason = self.body.reason.as_deref();
        told::ungranted(act, &request, changes.len(), reason).await.map_err(internal)?;
        let view = seen(act, &mut sight, &request, true).await.map_err(internal)?.ok_or_else(hidden)?;
        Ok((view, Changes { list: changes }))
    }
}

//! List the changes of an organization, newest first.

use super::filters::{moment, refused};
use crate::db::activity::{Activity, Filter, place_of};
use crate::db::{self, Tx};
use crate::ops::act::internal;
use crate::ops::assignments::principal;
use crate::ops::{Act, Page, PageRequest, Query};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};
use utoipa::ToSchema;

/// Which changes.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = ActivityListParams)]
pub struct ListParams {
    /// Only of this operation: `role.update`.
    pub operation: Option<String>,
    /// Only by this user (id or e-mail address).
    pub actor: Option<String>,
    /// Only of the thing with this id.
    pub subject: Option<String>,
    /// Only at this moment or later (RFC 3339, UTC).
    pub from: Option<String>,
    /// Only before this moment.
    pub to: Option<String>,
    /// How many at most: 1 to 200, 50 if not said.
    #[schema(minimum = 1, maximum = 200)]
    pub limit: Option<i64>,
    /// Where to go on: the `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// One change.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Activity)]
pub struct ActivityView {
    /// Its id.
    pub id: String,
    /// When.
    pub at: String,
    /// What was done: the operation's id.
    pub operation: String,
    /// By whom.
    pub actor: ActorView,
    /// The id of the session or token that was shown.
    pub credential: Option<String>,
    /// The id of what was changed.
    pub subject: String,
    /// What it was.
    pub before: Option<Value>,
    /// What it became.
    pub after: Option<Value>,
    /// Why, in the actor's words.
    pub reason: Option<String>,
    /// From which address.
    pub address: Option<String>,
    /// With which program.
    pub user_agent: Option<String>,
    /// The id of the request.
    pub request_id: Option<String>,
}

/// Who made a change.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ActivityActor)]
pub struct ActorView {
    /// `user`, `organization_key`, or `system`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The id.
    pub id: String,
    /// The name they had.
    pub name: String,
}

impl From<Activity> for ActivityView {
    fn from(entry: Activity) -> Self {
        Self {
            id: entry.id.to_string(),
            at: entry.at.to_string(),
            operation: entry.operation,
            actor: ActorView { kind: entry.actor_kind, id: entry.actor_id, name: entry.actor_name },
            credential: entry.credential,
            subject: entry.subject,
            before: entry.before,
            after: entry.after,
            reason: entry.reason,
            address: entry.address,
            user_agent: entry.user_agent,
            request_id: entry.request_id,
        }
    }
}

/// List the changes.
#[derive(Debug, Clone)]
pub struct ListActivity {
    /// The organization.
    pub org: String,
    /// Which.
    pub params: ListParams,
}

impl Query for ListActivity {
    const OPERATION: &'static Operation = operations::ACTIVITY_LIST;
    type Output = Page<ActivityView>;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Page<ActivityView>, Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org.id;
        let params = &self.params;
        let page = PageRequest { limit: params.limit, cursor: params.cursor.clone() };
        let ask = page.ask()?;
        if ask.after.as_deref().is_some_and(|after| place_of(after).is_none()) {
            return Err(refused(Code::MalformedCursor, "cursor", "this cursor belongs to another list"));
        }
        let actor = match params.actor.as_deref() {
            Some(text) => Some(principal::id_of(act.tx(), org, text).await.map_err(internal)?),
            None => None,
        };
        let filter = Filter {
            operation: params.operation.clone(),
            actor,
            subject: params.subject.clone(),
            from: moment("from", params.from.as_deref())?,
            to: moment("to", params.to.as_deref())?,
        };
        let rows = db::activity::list(act.tx(), org, &filter, &ask).await.map_err(internal)?;
        page.page(rows, |(place, _)| place.clone(), |(_, entry)| ActivityView::from(entry))
    }
}

//! What a use case works with: who acts, when, within which transaction; and how it asks for the right to go on.

use super::frame::Meta;
use super::rights::{self, OwnNeed, OwnRights};
use crate::app::App;
use crate::authn::Actor;
use crate::db::feed::Topic;
use crate::db::orgs::Org;
use crate::db::{self, DbError, Tx, WriteTx};
use crate::maintenance::stops::kind_of;
use crate::notices::Notice;
use crate::verify::limits::told::RateLimit;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tegata_core::decide::{Credential, Decision, Reason};
use tegata_core::ids::{ContextId, OrgId};
use tegata_core::operations::{self, Guard, Operation};
use tegata_core::permissions::{OWN_API, Reach};
use tegata_core::problem::{Code, Problem};
use tegata_core::time::Timestamp;

/// A use case at work. `T` is [`WriteTx`] where it may change something and [`Tx`] where it may not.
pub struct Act<'a, T> {
    /// The server.
    pub app: &'a App,
    /// The transaction.
    pub tx: T,
    /// Who acts.
    pub actor: Arc<Actor>,
    /// The moment.
    pub now: Timestamp,
    /// Where the call came from.
    pub meta: &'a Meta,
    /// What was decided, for the access record.
    pub decided: Option<Decided>,
    /// What the limits on calls said, once they were asked: a call is counted once, however often it is tried.
    pub counted: Counted,
}

/// What the limits on calls said.
#[derive(Debug, Default)]
pub enum Counted {
    /// They were not asked yet.
    #[default]
    NotYet,
    /// They say nothing, or are not to be asked.
    Nothing,
    /// This.
    Said(Box<RateLimit>),
}

/// A decision about a call of Tegata's own API.
#[derive(Debug, Clone)]
pub struct Decided {
    /// What was decided.
    pub decision: Decision,
    /// The organization of the call.
    pub org: OrgId,
    /// The permission that was needed.
    pub permission: Option<&'static str>,
    /// The place.
    pub context: Option<ContextId>,
}

/// The right to go on, for one operation in one place. Only [`Act::require`] and its kin make one.
#[derive(Debug)]
pub struct Allowed {
    /// The organization.
    pub org: Org,
    /// What the actor may do there, and therefore pass on.
    pub rights: OwnRights,
}

/// What a mutation tells about itself: at least one change.
#[derive(Debug)]
pub struct Changes {
    /// The changes, each an entry of activity.
    pub list: Vec<Change>,
}

/// One change of the truth.
#[derive(Debug)]
pub struct Change {
    /// The organization whose activity shows it.
    pub org: OrgId,
    /// The id of what changed.
    pub subject: String,
    /// What it was; never anything secret.
    pub before: Option<Value>,
    /// What it became; never anything secret.
    pub after: Option<Value>,
    /// Why, in the actor's words.
    pub reason: Option<String>,
    /// What readers of the feed have to look at again.
    pub feed: Vec<(Topic, Option<OrgId>, String)>,
    /// Who is told of it.
    pub notices: Vec<Notice>,
    /// Who did it, id and name, where the call itself shows nobody: whoever signs in.
    pub by: Option<(String, String)>,
    /// Under the name of which operation or event it is told, where that is not the operation of the call: what an identity
    /// provider does is told like the same done by hand.
    pub operation: Option<&'static str>,
}

impl Change {
    /// A change of one thing.
    #[expect(clippy::needless_pass_by_value, reason = "ids are handed over as they come")]
    pub fn new(org: OrgId, subject: impl ToString) -> Self {
        let subject = subject.to_string();
        Self {
            org,
            subject,
            before: None,
            after: None,
            reason: None,
            feed: Vec::new(),
            notices: Vec::new(),
            by: None,
            operation: None,
        }
    }

    /// Told under this name.
    #[must_use]
    pub const fn told_as(mut self, operation: &'static str) -> Self {
        self.operation = Some(operation);
        self
    }

    /// What it was.
    #[must_use]
    pub fn before(mut self, value: Value) -> Self {
        self.before = Some(value);
        self
    }

    /// What it became.
    #[must_use]
    pub fn after(mut self, value: Value) -> Self {
        self.after = Some(value);
        self
    }

    /// Why.
    #[must_use]
    pub fn because(mut self, reason: Option<&str>) -> Self {
        self.reason = reason.filter(|reason| !reason.is_empty()).map(str::to_owned);
        self
    }

    /// What has to be looked at again.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "ids are handed over as they come")]
    pub fn feed(mut self, topic: Topic, org: Option<OrgId>, subject: impl ToString) -> Self {
        self.feed.push((topic, org, subject.to_string()));
        self
    }

    /// Tells people of it, in their inbox: stored with the change, or not at all.
    #[must_use]
    pub fn notify(mut self, notice: Notice) -> Self {
        self.notices.push(notice);
        self
    }

    /// Who did it, where whoever calls is nobody that the organization knows: an application.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "ids are handed over as they come")]
    pub fn by_other(mut self, id: impl ToString, name: &str) -> Self {
        self.by = Some((id.to_string(), name.to_owned()));
        self
    }

    /// Who did it, where the call itself shows nobody.
    #[must_use]
    pub fn by(mut self, user: &crate::db::users::User) -> Self {
        self.by = Some((user.id.to_string(), user.name.clone()));
        self
    }
}

impl From<Change> for Changes {
    fn from(change: Change) -> Self {
        Self { list: vec![change] }
    }
}

/// A transaction of either sort, as far as reading goes.
pub trait Reading: Send {
    /// The reading side.
    fn tx(&mut self) -> &mut Tx;
}

impl Reading for Tx {
    fn tx(&mut self) -> &mut Tx {
        self
    }
}

impl Reading for WriteTx {
    fn tx(&mut self) -> &mut Tx {
        self
    }
}

impl<T: Reading> Act<'_, T> {
    /// The reading side of the transaction.
    pub fn tx(&mut self) -> &mut Tx {
        self.tx.tx()
    }

    /// Asks for the right to an operation in the whole organization of this key or id.
    pub async fn require(&mut self, operation: &Operation, org: &str) -> Result<Allowed, Problem> {
        let org = self.visible_org(org).await?;
        self.require_in(operation, org, None).await
    }

    /// Asks for the right to an operation of the publisher.
    pub async fn require_publisher(&mut self, operation: &Operation) -> Result<Allowed, Problem> {
        let org = db::orgs::publisher(self.tx()).await.map_err(internal)?;
        let org = org.ok_or_else(|| Problem::new(Code::Unavailable, "the installation has not been set up yet"))?;
        self.require_in(operation, org, None).await
    }

    /// Asks for the right to an operation in a context of an organization; none for the whole organization.
    pub async fn require_in(
        &mut self,
        operation: &Operation,
        org: Org,
        context: Option<ContextId>,
    ) -> Result<Allowed, Problem> {
        let chain = match context {
            Some(context) => db::contexts::chain(self.tx(), org.id, context).await.map_err(internal)?,
            None => Vec::new(),
        };
        let rights = self.rights_in(org.id).await?;
        let permission = operation.guard.permission();
        let decision = self.decide(&rights, &org, operation, &chain).await?;
        self.decided = Some(Decided { decision, org: org.id, permission, context });
        match decision {
            Decision::Allow { .. } => {
                self.count(operation, Some(org.id))?;
                Ok(Allowed { org, rights })
            }
            Decision::Deny { reason, .. } => Err(refusal(reason, permission)),
        }
    }

    /// Lets whoever is there in person go on with what is theirs, in an organization that they are an active member of. The
    /// use case knows that it is theirs.
    pub async fn allow_own(&mut self, operation: &Operation, org: Org) -> Result<Allowed, Problem> {
        let (decision, permission) = (Decision::Allow { alternative: None }, operation.guard.permission());
        self.decided = Some(Decided { decision, org: org.id, permission, context: None });
        self.count(operation, Some(org.id))?;
        let rights = self.rights_in(org.id).await?;
        Ok(Allowed { org, rights })
    }

    /// What the actor may do in an organization, narrowed by the credential they act with.
    pub async fn rights_in(&mut self, org: OrgId) -> Result<OwnRights, Problem> {
        let actor = Arc::clone(&self.actor);
        let app = self.app;
        rights::of_actor(app, self.tx(), &actor, org).await.map_err(internal)
    }

    /// The organization of this key or id, as far as the actor may know of it: absent and unseen look alike.
    pub async fn visible_org(&mut self, key_or_id: &str) -> Result<Org, Problem> {
        let hidden = || Problem::not_found("organization");
        let org = db::orgs::find(self.tx(), key_or_id).await.map_err(internal)?.ok_or_else(hidden)?;
        if let Some(itself) = &self.actor.itself {
            return if itself.org == org.id { Ok(org) } else { Err(hidden()) };
        }
        let user = self.actor.user.id;
        let member = db::members::get(self.tx(), org.id, user).await.map_err(internal)?;
        if member.is_some_and(|member| member.active) { Ok(org) } else { Err(hidden()) }
    }

    async fn decide(
        &mut self,
        rights: &OwnRights,
        org: &Org,
        operation: &Operation,
        chain: &[ContextId],
    ) -> Result<Decision, Problem> {
        let own = self.app.catalogues.of(self.tx.tx(), OWN_API).await.map_err(internal)?;
        let own = own.ok_or_else(|| Problem::new(Code::Unavailable, "the installation has not been set up yet"))?;
        let reach = match operation.guard {
            Guard::Publisher(_) => Reach::Publisher,
            _ => Reach::Organization,
        };
        let number = operation.guard.permission().and_then(|name| own.catalogue.number(name));
        let level = number.and_then(|number| own.catalogue.permission(number)).map(|found| found.level);
        let (Some(number), Some(level)) = (number, level) else {
            return Ok(Decision::Allow { alternative: None });
        };
        // A publisher's permission counts in the publisher's organization only.
        if reach == Reach::Publisher && !org.publisher {
            return Ok(Decision::Deny { reason: Reason::OwnerLacksPermission, alternative: None });
        }
        let need = OwnNeed { api: own.id, permission: number, level, chain };
        Ok(rights.decide(Credential::IDENTIFIED, need, self.now, self.meta.address))
    }
}

impl<T> Act<'_, T> {
    /// Counts this call, which its guard has let pass, unless that is done already. Whatever stops something, and whatever
    /// changes limits, is not counted and never held back.
    pub fn count(&mut self, operation: &Operation, org: Option<OrgId>) -> Result<(), Problem> {
        if !matches!(self.counted, Counted::NotYet) || self.actor.is_nobody() {
            return Ok(());
        }
        self.counted = Counted::Nothing;
        if is_always_let_through(operation) {
            return Ok(());
        }
        let Some(said) = self.app.verify.count_own(&self.actor, org, self.now) else { return Ok(()) };
        let problem = said.retry_after.map(|after| held_back(&said, after));
        self.counted = Counted::Said(Box::new(said));
        let Some(problem) = problem else { return Ok(()) };
        if let Some(decided) = &mut self.decided {
            decided.decision = decided.decision.held_back();
        }
        Err(problem)
    }

    /// A fresh id.
    pub fn id<I>(&self, make: impl FnOnce(u64, [u8; 10]) -> I) -> I {
        make(self.now.as_millis(), self.app.entropy.bytes())
    }
}

/// What stops somebody, or may, beside what always does; and what takes limits away.
const LET_THROUGH: [&Operation; 5] = [
    operations::LIMIT_DELETE,
    operations::INSTALLATION_LIMIT_DELETE,
    operations::SCIM_USER_UPDATE,
    operations::SCIM_USER_REPLACE,
    operations::SCIM_USER_DELETE,
];

/// Whether an operation is let through whatever the limits say: nobody who floods a credential keeps its owner from stopping
/// it, no leaver stays because of a limit, and no limit keeps itself.
fn is_always_let_through(operation: &Operation) -> bool {
    kind_of(operation.id).is_some() || LET_THROUGH.iter().any(|known| known.id == operation.id)
}

fn held_back(said: &RateLimit, after: Duration) -> Problem {
    let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
    let detail = format!(
        "used up: {}; the credential is sound, try again in {seconds} second{}",
        said.violated_policies.join(", "),
        if seconds == 1 { "" } else { "s" }
    );
    Problem {
        retry_after_seconds: Some(seconds),
        violated_policies: said.violated_policies.clone(),
        ..Problem::new(Code::QuotaExceeded, detail)
    }
}

fn refusal(reason: Reason, permission: Option<&str>) -> Problem {
    let needed = permission.map(|name| format!(" (`{name}` is needed)")).unwrap_or_default();
    let detail = match reason {
        Reason::InsufficientScope => format!("the token was not given this permission{needed}"),
        Reason::OwnerLacksPermission => format!("your roles do not allow this here{needed}"),
        Reason::PolicyDenied => "the organization admits no credential of this kind".to_owned(),
        Reason::PolicyReadOnly => "the organization lets credentials of this kind read only".to_owned(),
        Reason::ApprovalPending => format!("this permission was asked for and not decided yet{needed}"),
        Reason::AddressNotAllowed => "the organization admits no credential of this kind from this address".to_owned(),
        Reason::Blocked => "the organization has blocked this token".to_owned(),
        Reason::Revoked => "the organization has revoked this token".to_owned(),
        other => format!("this is not allowed: {other}"),
    };
    Problem::new(Code::Forbidden, detail).with("reason", reason.as_str())
}

/// Tells a failure of the database: the cause to the log, a promise to the caller. Crossed transactions are passed on
/// as [`Code::Conflict`] by the frame, which tries again first.
pub fn internal(error: DbError) -> Problem {
    match error {
        DbError::Changed => Problem::new(Code::Conflict, "it was changed by somebody else meanwhile; look again"),
        DbError::Duplicate => Problem::new(Code::Duplicate, "it exists already"),
        DbError::Fenced => Problem::new(Code::Unavailable, "another server process has taken over; ask that one"),
        DbError::Busy(error) => {
            tracing::warn!(%error, "the database is busy");
            Problem { retry_after_seconds: Some(1), ..Problem::new(Code::Unavailable, "the database is busy") }
        }
        DbError::Unreachable(error) => {
            tracing::error!(%error, "the database cannot be reached");
            Problem {
                retry_after_seconds: Some(5),
                ..Problem::new(Code::Unavailable, "the database cannot be reached")
            }
        }
        DbError::Corrupt(_) | DbError::Other(_) => {
            tracing::error!(%error, "the database failed");
            Problem::internal()
        }
    }
}

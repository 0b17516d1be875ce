//! What can be asked of the access log: the parameters as they come, and the same made ready for the journal.

use crate::ops::Act;
use crate::ops::act::{Reading, internal};
use crate::ops::assignments::principal;
use crate::ops::contexts::place;
use serde::{Deserialize, Serialize};
use tegata_core::ids::OrgId;
use tegata_core::level::Level;
use tegata_core::problem::{Code, Problem};
use tegata_core::time::{Timestamp, TimestampError};
use tegata_record::{Decision, Query, RecordId, Scope};

const LEVELS: [Level; 3] = [Level::Read, Level::Write, Level::Admin];

/// Declares a struct of query parameters that begins with the filters, which serde cannot flatten there.
macro_rules! with_filters {
    ($(#[$meta:meta])* pub struct $name:ident { $($(#[$field_meta:meta])* pub $field:ident: $kind:ty,)* }) => {
        #[derive(Debug, Clone, Default, serde::Deserialize, utoipa::ToSchema)]
        #[serde(default)]
        $(#[$meta])*
        pub struct $name {
            /// Only at this moment or later (RFC 3339, UTC).
            pub from: Option<String>,
            /// Only before this moment.
            pub to: Option<String>,
            /// Only of this API (its key).
            pub api: Option<String>,
            /// Only of this credential (its id).
            pub credential: Option<String>,
            /// Only of credentials of this kind.
            pub kind: Option<String>,
            /// Only of this user (id, or e-mail address of a member).
            pub principal: Option<String>,
            /// Only for this permission.
            pub permission: Option<String>,
            /// Only in this context: an id, or a place as in scopes.
            pub context: Option<String>,
            /// Only with this decision: `allow` or `deny`.
            pub decision: Option<String>,
            /// Only with this reason.
            pub reason: Option<String>,
            /// Only of calls with this method.
            pub method: Option<String>,
            /// Only of paths that begin so.
            pub path: Option<String>,
            /// Only of this endpoint: the path as the catalogue writes it.
            pub endpoint: Option<String>,
            /// Only from this address.
            pub address: Option<String>,
            /// Only of this request.
            pub request_id: Option<String>,
            /// Only what was done for this user (id, or e-mail address of a member).
            pub acted_for: Option<String>,
            /// Only permissions of this level: `read`, `write` or `admin`.
            pub level: Option<String>,
            /// Only calls made by exactly this program.
            pub user_agent: Option<String>,
            /// Only where this alternative of the endpoint decided, counted from 0.
            pub alternative: Option<u16>,
            /// Only what was decided by this version of the rules.
            pub rule_version: Option<u64>,
            /// Only what was decided by this version of the API's catalogue.
            pub catalogue_version: Option<u64>,
            /// Only records with this text in their path or principal; ASCII letters small and capital are alike.
            pub q: Option<String>,
            $($(#[$field_meta])* pub $field: $kind,)*
        }

        impl $name {
            /// The filters among the parameters.
            pub fn filters(&self) -> $crate::ops::records::filters::Filters {
                $crate::ops::records::filters::Filters {
                    from: self.from.clone(),
                    to: self.to.clone(),
                    api: self.api.clone(),
                    credential: self.credential.clone(),
                    kind: self.kind.clone(),
                    principal: self.principal.clone(),
                    permission: self.permission.clone(),
                    context: self.context.clone(),
                    decision: self.decision.clone(),
                    reason: self.reason.clone(),
                    method: self.method.clone(),
                    path: self.path.clone(),
                    endpoint: self.endpoint.clone(),
                    address: self.address.clone(),
                    request_id: self.request_id.clone(),
                    acted_for: self.acted_for.clone(),
                    level: self.level.clone(),
                    user_agent: self.user_agent.clone(),
                    alternative: self.alternative,
                    rule_version: self.rule_version,
                    catalogue_version: self.catalogue_version,
                    text: self.q.clone(),
                }
            }
        }
    };
}
pub(crate) use with_filters;

/// The filters as they came.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the parameters are described where they are declared")]
pub struct Filters {
    pub from: Option<String>,
    pub to: Option<String>,
    pub api: Option<String>,
    pub credential: Option<String>,
    pub kind: Option<String>,
    pub principal: Option<String>,
    pub permission: Option<String>,
    pub context: Option<String>,
    pub decision: Option<String>,
    pub reason: Option<String>,
    pub method: Option<String>,
    pub path: Option<String>,
    pub endpoint: Option<String>,
    pub address: Option<String>,
    pub request_id: Option<String>,
    pub acted_for: Option<String>,
    pub level: Option<String>,
    pub user_agent: Option<String>,
    pub alternative: Option<u16>,
    pub rule_version: Option<u64>,
    pub catalogue_version: Option<u64>,
    pub text: Option<String>,
}

/// A question for the journal, of one organization: there is no way to one without it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Asked {
    organization: String,
    from_us: Option<i64>,
    to_us: Option<i64>,
    api: Option<String>,
    credential: Option<String>,
    kind: Option<String>,
    principal: Option<String>,
    permission: Option<String>,
    context_id: Option<String>,
    allowed: Option<bool>,
    reason: Option<String>,
    method: Option<String>,
    path_prefix: Option<String>,
    endpoint: Option<String>,
    address: Option<String>,
    request_id: Option<String>,
    acted_for: Option<String>,
    level: Option<String>,
    user_agent: Option<String>,
    alternative: Option<u16>,
    rule_version: Option<u32>,
    catalogue_version: Option<u64>,
    text: Option<String>,
}

impl Asked {
    /// The id of the organization.
    pub fn organization(&self) -> &str {
        &self.organization
    }

    /// The question as the journal reads it.
    pub fn query(&self) -> Query<'_> {
        Query {
            from_us: self.from_us,
            to_us: self.to_us,
            api: self.api.as_deref(),
            credential: self.credential.as_deref(),
            kind: self.kind.as_deref(),
            principal: self.principal.as_deref(),
            permission: self.permission.as_deref(),
            context_id: self.context_id.as_deref(),
            decision: self.allowed.map(|allowed| if allowed { Decision::Allow } else { Decision::Deny }),
            reason: self.reason.as_deref(),
            method: self.method.as_deref(),
            path_prefix: self.path_prefix.as_deref(),
            endpoint: self.endpoint.as_deref(),
            address: self.address.as_deref(),
            request_id: self.request_id.as_deref(),
            acted_for: self.acted_for.as_deref(),
            level: self.level.as_deref(),
            user_agent: self.user_agent.as_deref(),
            alternative: self.alternative,
            rule_version: self.rule_version,
            catalogue_version: self.catalogue_version,
            text: self.text.as_deref(),
            ..Query::new(Scope::Organization(&self.organization))
        }
    }
}

/// Reads the filters for an organization whose records the actor may see.
pub async fn ask<T: Reading>(act: &mut Act<'_, T>, org: OrgId, filters: &Filters) -> Result<Asked, Problem> {
    let context_id = match filters.context.as_deref() {
        None => None,
        Some(text) => {
            let context = place::of_field(act, org, "context", Some(text)).await?;
            let whole = "name a context; without this parameter every place is listed";
            Some(context.ok_or_else(|| refused(Code::InvalidParameter, "context", whole))?.id.to_string())
        }
    };
    let principal = user(act, org, filters.principal.as_deref()).await?;
    let acted_for = user(act, org, filters.acted_for.as_deref()).await?;
    let app = act.app;
    let api = match filters.api.as_deref() {
        None => None,
        Some(text) => {
            let loaded = app.catalogues.of(act.tx(), text).await.map_err(internal)?;
            Some(loaded.map_or_else(|| text.to_owned(), |loaded| loaded.key.clone()))
        }
    };
    Ok(Asked {
        organization: org.to_string(),
        from_us: moment("from", filters.from.as_deref())?.map(Timestamp::as_micros),
        to_us: moment("to", filters.to.as_deref())?.map(Timestamp::as_micros),
        api,
        credential: filters.credential.clone(),
        kind: filters.kind.clone(),
        principal,
        permission: filters.permission.clone(),
        context_id,
        allowed: match filters.decision.as_deref() {
            None => None,
            Some("allow") => Some(true),
            Some("deny") => Some(false),
            Some(_) => return Err(refused(Code::InvalidParameter, "decision", "write `allow` or `deny`")),
        },
        reason: filters.reason.clone(),
        method: filters.method.clone(),
        path_prefix: filters.path.clone(),
        endpoint: filters.endpoint.clone(),
        address: filters.address.clone(),
        request_id: filters.request_id.clone(),
        acted_for,
        level: match filters.level.as_deref() {
            None => None,
            Some(text) if LEVELS.iter().any(|level| level.as_str() == text) => Some(text.to_owned()),
            Some(_) => return Err(refused(Code::InvalidParameter, "level", "write `read`, `write` or `admin`")),
        },
        user_agent: filters.user_agent.clone(),
        alternative: filters.alternative,
        rule_version: version("rule_version", filters.rule_version, u32::MAX.into())?
            .and_then(|version| u32::try_from(version).ok()),
        catalogue_version: version("catalogue_version", filters.catalogue_version, i64::MAX.unsigned_abs())?,
        text: match filters.text.as_deref() {
            Some("") => return Err(refused(Code::InvalidParameter, "q", "write a text to look for, or leave it out")),
            text => text.map(str::to_owned),
        },
    })
}

/// A version that can exist.
fn version(name: &str, version: Option<u64>, most: u64) -> Result<Option<u64>, Problem> {
    match version {
        Some(version) if version > most => Err(refused(Code::InvalidParameter, name, "there is no such version")),
        version => Ok(version),
    }
}

/// The id of a user who is named by id or e-mail address.
async fn user<T: Reading>(act: &mut Act<'_, T>, org: OrgId, text: Option<&str>) -> Result<Option<String>, Problem> {
    match text {
        None => Ok(None),
        Some(text) => principal::id_of(act.tx(), org, text).await.map(Some).map_err(internal),
    }
}

/// Reads a parameter that is a moment.
pub fn moment(name: &str, text: Option<&str>) -> Result<Option<Timestamp>, Problem> {
    let read = |text: &str| {
        text.parse().map_err(|error: TimestampError| refused(Code::InvalidParameter, name, &error.to_string()))
    };
    text.map(read).transpose()
}

/// A parameter that cannot be read.
pub fn refused(code: Code, name: &str, why: &str) -> Problem {
    Problem::new(code, format!("{name}: {why}")).with(name, why)
}

/// A journal that could not be read: the cause to the log.
pub fn unreadable(error: &tegata_record::ReadError) -> Problem {
    tracing::error!(error = %error, cause = %error.source, "the access log could not be read");
    Problem::internal()
}

/// Reads a parameter `after`, which is the id of a record: the sequence in it.
pub fn sequence_of(record: Option<&str>) -> Result<Option<u64>, Problem> {
    let read = |text: &str| {
        let id: Result<RecordId, _> = text.parse();
        id.map(RecordId::sequence)
            .map_err(|_| refused(Code::InvalidParameter, "after", "write the id of an access record: `rec_…`"))
    };
    record.map(read).transpose()
}

//! Access records as they are shown.

use serde::Serialize;
use tegata_record::Record;
use utoipa::ToSchema;

/// One access record.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Record)]
pub struct RecordView {
    /// Its id.
    pub id: String,
    /// When the check was made, to the microsecond.
    pub time: String,
    /// Its place in the log.
    pub sequence: u64,
    /// The API that was to be called.
    pub api: Option<String>,
    /// The id of the organization that the check was in.
    pub organization: Option<String>,
    /// Which of the endpoint's alternatives decided.
    pub alternative: Option<u16>,
    /// The permission that decided.
    pub permission: Option<String>,
    /// The id of the context that it was asked in.
    pub context_id: Option<String>,
    /// The level of the permission.
    pub level: Option<String>,
    /// `allow` or `deny`.
    pub decision: String,
    /// `granted`, or the first condition that failed.
    pub reason: String,
    /// The id of the credential that was shown.
    pub credential: Option<String>,
    /// The kind of that credential.
    pub kind: Option<String>,
    /// The id of whoever called.
    pub principal: Option<String>,
    /// The id of the user whom an application acted for.
    pub acted_for: Option<String>,
    /// The method of the call.
    pub method: Option<String>,
    /// The path as the catalogue writes it.
    pub endpoint: Option<String>,
    /// The path of the call, without its query.
    pub path: Option<String>,
    /// Where the call came from.
    pub address: Option<String>,
    /// What made the call.
    pub user_agent: Option<String>,
    /// The caller's name for the call.
    pub request_id: Option<String>,
    /// The version of the rule that decided.
    pub rule_version: u32,
    /// The version of the catalogue that it decided on.
    pub catalogue_version: u64,
    /// How many checks the record stands for: 1, or more where denials of a flood were counted in a summary.
    pub count: u64,
}

impl From<Record> for RecordView {
    fn from(record: Record) -> Self {
        // Six digits always, as in exports, so that the two can be compared as texts.
        let time = jiff::Timestamp::from_microsecond(record.time_us).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        Self {
            id: record.id.to_string(),
            time: format!("{time:.6}"),
            sequence: record.sequence,
            api: record.api,
            organization: record.organization,
            alternative: record.alternative,
            permission: record.permission,
            context_id: record.context_id,
            level: record.level,
            decision: record.decision.to_string(),
            reason: record.reason,
            credential: record.credential,
            kind: record.kind,
            principal: record.principal,
            acted_for: record.acted_for,
            method: record.method,
            endpoint: record.endpoint,
            path: record.path,
            address: record.address,
            user_agent: record.user_agent,
            request_id: record.request_id,
            rule_version: record.rule_version,
            catalogue_version: record.catalogue_version,
            count: record.count,
        }
    }
}

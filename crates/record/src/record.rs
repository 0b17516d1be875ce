//! What one record says: who asked to do what where, and what the answer was and why.
//!
//! Three shapes of the same thing. [`NewRecord`] borrows from the check that hands it in and has no sequence yet;
//! [`RecordView`] borrows from the bytes of a segment; [`Record`] owns its texts and leaves the crate as JSON.

use crate::column::{COUNT, Column};
use crate::id::RecordId;
use crate::time;
use serde::Serialize;
use std::fmt;

/// The answer that a check gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The call may be made.
    Allow,
    /// The call may not be made.
    Deny,
}

impl Decision {
    /// `allow` or `deny`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }

    /// The reverse of [`Self::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Allow, Self::Deny].into_iter().find(|decision| decision.as_str() == text)
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// A record as a check hands it in. Texts over their limit are cut when they are written, never refused; a path is
/// written without its query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the columns are described on `Record`")]
pub struct NewRecord<'a> {
    pub time_us: i64,
    pub api: Option<&'a str>,
    pub organization: Option<&'a str>,
    pub alternative: Option<u16>,
    pub permission: Option<&'a str>,
    pub context_id: Option<&'a str>,
    pub level: Option<&'a str>,
    pub decision: Decision,
    pub reason: &'a str,
    pub credential: Option<&'a str>,
    pub kind: Option<&'a str>,
    pub principal: Option<&'a str>,
    pub acted_for: Option<&'a str>,
    pub method: Option<&'a str>,
    pub endpoint: Option<&'a str>,
    pub path: Option<&'a str>,
    pub address: Option<&'a str>,
    pub user_agent: Option<&'a str>,
    pub request_id: Option<&'a str>,
    pub rule_version: u32,
    pub catalogue_version: u64,
    pub count: u64,
}

impl<'a> NewRecord<'a> {
    /// A record of one check of which nothing else is known.
    pub fn new(time_us: i64, decision: Decision, reason: &'a str) -> Self {
        let columns = [None; COUNT];
        Self { reason, ..Self::from_columns(time_us, decision, &columns) }
    }

    #[inline]
    pub(crate) fn columns(&self) -> [Option<&'a str>; COUNT] {
        let mut columns = [None; COUNT];
        let mut put = |column: Column, text| columns[column as usize] = text;
        put(Column::Organization, self.organization);
        put(Column::Credential, self.credential);
        put(Column::Principal, self.principal);
        put(Column::Api, self.api);
        put(Column::Permission, self.permission);
        put(Column::ContextId, self.context_id);
        put(Column::Level, self.level);
        put(Column::Reason, Some(self.reason));
        put(Column::Kind, self.kind);
        put(Column::ActedFor, self.acted_for);
        put(Column::Method, self.method);
        put(Column::Endpoint, self.endpoint);
        put(Column::Path, self.path);
        put(Column::Address, self.address);
        put(Column::UserAgent, self.user_agent);
        put(Column::RequestId, self.request_id);
        columns
    }

    pub(crate) fn from_columns(time_us: i64, decision: Decision, columns: &[Option<&'a str>; COUNT]) -> Self {
        let text = |column: Column| columns[column as usize];
        Self {
            time_us,
            api: text(Column::Api),
            organization: text(Column::Organization),
            alternative: None,
            permission: text(Column::Permission),
            context_id: text(Column::ContextId),
            level: text(Column::Level),
            decision,
            reason: text(Column::Reason).unwrap_or(""),
            credential: text(Column::Credential),
            kind: text(Column::Kind),
            principal: text(Column::Principal),
            acted_for: text(Column::ActedFor),
            method: text(Column::Method),
            endpoint: text(Column::Endpoint),
            path: text(Column::Path),
            address: text(Column::Address),
            user_agent: text(Column::UserAgent),
            request_id: text(Column::RequestId),
            rule_version: 0,
            catalogue_version: 0,
            count: 1,
        }
    }
}

/// A written record, borrowed from where it lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordView<'a> {
    /// Names the record.
    pub id: RecordId,
    /// Its place in the journal.
    pub sequence: u64,
    /// What it says.
    pub row: NewRecord<'a>,
}

impl RecordView<'_> {
    /// Copies the texts.
    pub fn to_record(&self) -> Record {
        let row = &self.row;
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Record {
            id: self.id,
            time_us: row.time_us,
            sequence: self.sequence,
            api: owned(row.api),
            organization: owned(row.organization),
            alternative: row.alternative,
            permission: owned(row.permission),
            context_id: owned(row.context_id),
            level: owned(row.level),
            decision: row.decision,
            reason: row.reason.to_owned(),
            credential: owned(row.credential),
            kind: owned(row.kind),
            principal: owned(row.principal),
            acted_for: owned(row.acted_for),
            method: owned(row.method),
            endpoint: owned(row.endpoint),
            path: owned(row.path),
            address: owned(row.address),
            user_agent: owned(row.user_agent),
            request_id: owned(row.request_id),
            rule_version: row.rule_version,
            catalogue_version: row.catalogue_version,
            count: row.count,
        }
    }
}

impl Record {
    /// The record without its texts copied.
    pub fn view(&self) -> RecordView<'_> {
        let row = NewRecord {
            time_us: self.time_us,
            api: self.api.as_deref(),
            organization: self.organization.as_deref(),
            alternative: self.alternative,
            permission: self.permission.as_deref(),
            context_id: self.context_id.as_deref(),
            level: self.level.as_deref(),
            decision: self.decision,
            reason: &self.reason,
            credential: self.credential.as_deref(),
            kind: self.kind.as_deref(),
            principal: self.principal.as_deref(),
            acted_for: self.acted_for.as_deref(),
            method: self.method.as_deref(),
            endpoint: self.endpoint.as_deref(),
            path: self.path.as_deref(),
            address: self.address.as_deref(),
            user_agent: self.user_agent.as_deref(),
            request_id: self.request_id.as_deref(),
            rule_version: self.rule_version,
            catalogue_version: self.catalogue_version,
            count: self.count,
        };
        RecordView { id: self.id, sequence: self.sequence, row }
    }
}

/// A written record. Serializes in the shape of the API, its time as RFC 3339 with microseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Record {
    /// Names the record.
    pub id: RecordId,
    /// When the check was made, in microseconds since 1970, UTC.
    #[serde(rename = "time", serialize_with = "time::serialize")]
    pub time_us: i64,
    /// The record's place in its journal: 1, 2, 3 …
    pub sequence: u64,
    /// The API that was to be called.
    pub api: Option<String>,
    /// The organization that the check was in, where one was known.
    pub organization: Option<String>,
    /// Which of the endpoint's alternatives decided.
    pub alternative: Option<u16>,
    /// The permission that decided.
    pub permission: Option<String>,
    /// The context that it was asked in.
    pub context_id: Option<String>,
    /// The level of the permission.
    pub level: Option<String>,
    /// The answer.
    pub decision: Decision,
    /// `granted`, or the first thing that failed.
    pub reason: String,
    /// The credential that was shown, where it is known.
    pub credential: Option<String>,
    /// The kind of that credential.
    pub kind: Option<String>,
    /// Who called.
    pub principal: Option<String>,
    /// The user whom an application acted for.
    pub acted_for: Option<String>,
    /// The method of the call.
    pub method: Option<String>,
    /// The template of the path in the catalogue.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{full_record, written};

    #[test]
    fn columns_lead_back_to_the_record() {
        let record = full_record();
        let columns = record.columns();
        assert!(columns.iter().all(Option::is_some));
        let again = NewRecord::from_columns(record.time_us, record.decision, &columns);
        let expected = NewRecord { alternative: None, rule_version: 0, catalogue_version: 0, ..record };
        assert_eq!(again, expected);
    }

    #[test]
    fn a_record_and_its_view_say_the_same() {
        let record = written(&full_record());
        assert_eq!(record.view().row, full_record());
        assert_eq!(record.view().to_record(), record);
    }

    #[test]
    fn serializes_in_the_shape_of_the_api() {
        let record = written(&full_record());
        let json = serde_json::to_value(&record).unwrap();
        let names: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, crate::export::COLUMNS);
        assert_eq!(json["time"], "2023-11-14T22:13:20.123456Z");
        assert_eq!(json["decision"], "allow");
        assert_eq!(json["sequence"], 1);
        assert_eq!(json["id"], record.id.to_string());
    }

    #[test]
    fn what_is_not_known_is_null() {
        let row = NewRecord::new(0, Decision::Deny, "unknown");
        let json = serde_json::to_value(written(&row)).unwrap();
        assert_eq!(json["organization"], serde_json::Value::Null);
        assert_eq!(json["reason"], "unknown");
    }

    #[test]
    fn decisions_have_two_names() {
        assert_eq!(Decision::parse("allow"), Some(Decision::Allow));
        assert_eq!(Decision::parse(Decision::Deny.as_str()), Some(Decision::Deny));
        assert_eq!(Decision::parse("Allow"), None);
    }
}

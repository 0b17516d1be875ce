//! OCSF 1.8, class 6003 (API Activity), as JSON Lines: for security data lakes and SIEMs.

use crate::export::{ExportError, Progress};
use crate::journal::ReadError;
use crate::record::{Decision, Record};
use serde_json::{Map, Value, json};
use std::io::{BufWriter, Write};

/// The version of the schema.
const VERSION: &str = "1.8.0";
const CLASS: i64 = 6_003;
/// What stands where the schema wants something and the record has nothing.
const UNKNOWN: &str = "unknown";

/// Writes the records as OCSF events, one a line, and returns how many there were. `on_progress` hears the count now and
/// then, and at the end.
pub fn ocsf<W: Write>(
    writer: W,
    records: impl IntoIterator<Item = Result<Record, ReadError>>,
    on_progress: impl FnMut(u64),
) -> Result<u64, ExportError> {
    let mut out = BufWriter::new(writer);
    let mut progress = Progress::new(on_progress);
    for record in records {
        serde_json::to_writer(&mut out, &ocsf_event(&record?)).map_err(|error| progress.failed(error.into()))?;
        out.write_all(b"\n").map_err(|error| progress.failed(error))?;
        progress.one_more();
    }
    out.flush().map_err(|error| progress.failed(error))?;
    Ok(progress.finish())
}

/// One event. What the schema has no place for is under `unmapped`.
pub fn ocsf_event(record: &Record) -> Value {
    let (activity_id, activity_name) = activity(record.method.as_deref());
    let allowed = record.decision == Decision::Allow;
    let call = match (&record.method, record.endpoint.as_ref().or(record.path.as_ref())) {
        (Some(method), Some(path)) => format!("{method} {path}"),
        (Some(one), None) | (None, Some(one)) => one.clone(),
        (None, None) => UNKNOWN.to_owned(),
    };
    let mut event = json!({
        "category_uid": 6,
        "category_name": "Application Activity",
        "class_uid": CLASS,
        "class_name": "API Activity",
        "activity_id": activity_id,
        "activity_name": activity_name,
        "type_uid": CLASS * 100 + activity_id,
        "type_name": format!("API Activity: {activity_name}"),
        "time": record.time_us.div_euclid(1_000),
        "severity_id": if allowed { 1 } else { 2 },
        "severity": if allowed { "Informational" } else { "Low" },
        "status_id": if allowed { 1 } else { 2 },
        "status": if allowed { "Success" } else { "Failure" },
        "status_code": record.reason,
        "metadata": some([
            ("version", Some(json!(VERSION))),
            ("product", Some(json!({ "name": "Tegata", "vendor_name": "Tegata" }))),
            ("log_name", Some(json!("access"))),
            ("uid", Some(json!(record.id.to_string()))),
            ("sequence", Some(json!(record.sequence))),
            ("tenant_uid", record.organization.as_deref().map(Value::from)),
            ("correlation_uid", record.request_id.as_deref().map(Value::from)),
        ]),
        "actor": actor(record),
        "api": some([
            ("operation", Some(json!(call))),
            ("service", record.api.as_deref().map(|api| json!({ "name": api }))),
            ("request", record.request_id.as_deref().map(|id| json!({ "uid": id }))),
        ]),
        "src_endpoint": record.address.as_deref().map_or(json!({ "name": UNKNOWN }), |address| json!({ "ip": address })),
        "http_request": some([
            ("http_method", record.method.as_deref().map(Value::from)),
            ("url", record.path.as_deref().map(|path| json!({ "path": path }))),
            ("user_agent", record.user_agent.as_deref().map(Value::from)),
        ]),
        "count": record.count,
        "unmapped": some([
            ("permission", record.permission.as_deref().map(Value::from)),
            ("level", record.level.as_deref().map(Value::from)),
            ("alternative", record.alternative.map(Value::from)),
            ("credential_kind", record.kind.as_deref().map(Value::from)),
            ("acted_for", record.acted_for.as_deref().map(Value::from)),
            ("rule_version", Some(json!(record.rule_version))),
            ("catalogue_version", Some(json!(record.catalogue_version))),
        ]),
    });
    if let (Some(context), Some(event)) = (&record.context_id, event.as_object_mut()) {
        event.insert("resources".to_owned(), json!([{ "uid": context, "type": "context" }]));
    }
    event
}

/// The schema wants one of a user, a session, an application …: whoever is known.
fn actor(record: &Record) -> Value {
    let credential = record.credential.as_deref();
    match (&record.principal, credential) {
        (Some(principal), _) => {
            let user = some([("uid", Some(json!(principal))), ("credential_uid", credential.map(Value::from))]);
            json!({ "user": user })
        }
        (None, Some(credential)) => json!({ "session": { "credential_uid": credential } }),
        (None, None) => json!({ "app_name": record.user_agent.as_deref().unwrap_or(UNKNOWN) }),
    }
}

/// The kind of activity by the method of HTTP (RFC 9110 §9.3).
fn activity(method: Option<&str>) -> (i64, &'static str) {
    match method {
        Some("POST") => (1, "Create"),
        Some("GET" | "HEAD" | "OPTIONS") => (2, "Read"),
        Some("PUT" | "PATCH") => (3, "Update"),
        Some("DELETE") => (4, "Delete"),
        Some(_) => (99, "Other"),
        None => (0, "Unknown"),
    }
}

/// An object of those fields that have a value.
fn some<const N: usize>(fields: [(&str, Option<Value>); N]) -> Value {
    let fields = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(fields.collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::NewRecord;
    use crate::testing::{full_record, written};

    #[test]
    fn an_event_says_who_did_what_and_how_it_ended() {
        let record = written(&NewRecord { method: Some("PATCH"), decision: Decision::Deny, ..full_record() });
        let event = ocsf_event(&record);
        assert_eq!((&event["class_uid"], &event["type_uid"]), (&json!(6_003), &json!(600_303)));
        assert_eq!((&event["status_id"], &event["status_code"]), (&json!(2), &json!(record.reason)));
        assert_eq!(event["time"], json!(record.time_us / 1_000));
        assert_eq!(event["actor"]["user"]["uid"], json!(record.principal));
        assert_eq!(event["metadata"]["tenant_uid"], json!(record.organization));
        assert_eq!(event["resources"][0]["uid"], json!(record.context_id));
    }

    #[test]
    fn what_is_not_known_is_left_out_or_said_to_be_unknown() {
        let bare = NewRecord {
            principal: None,
            credential: None,
            method: None,
            endpoint: None,
            path: None,
            address: None,
            user_agent: None,
            context_id: None,
            ..full_record()
        };
        let event = ocsf_event(&written(&bare));
        assert_eq!((&event["activity_id"], &event["api"]["operation"]), (&json!(0), &json!(UNKNOWN)));
        assert_eq!(
            (&event["actor"], &event["src_endpoint"]),
            (&json!({"app_name": UNKNOWN}), &json!({"name": UNKNOWN}))
        );
        assert!(event.get("resources").is_none() && event["http_request"] == json!({}));
    }
}

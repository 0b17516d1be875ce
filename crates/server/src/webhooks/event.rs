//! What a receiver is told: an entry of activity as JSON, the same in every attempt. It holds nothing that activity does not
//! show, and not from where a change was made.

use crate::db::activity::Activity;
use axum::body::Bytes;
use serde_json::{Value, json};

/// Largest body of a delivery with everything in it, in bytes; beyond, what was and what became is left out.
const BODY_MAX_BYTES: usize = 256 << 10;

/// The body of a delivery.
pub fn body(entry: &Activity) -> Bytes {
    let whole = render(entry, &json!({"before": entry.before, "after": entry.after}));
    if whole.len() <= BODY_MAX_BYTES {
        return Bytes::from(whole);
    }
    Bytes::from(render(entry, &json!({"before": null, "after": null, "left_out": ["before", "after"]})))
}

fn render(entry: &Activity, values: &Value) -> String {
    let mut data = json!({
        "id": entry.id,
        "organization": entry.org,
        "actor": {"type": entry.actor_kind, "id": entry.actor_id, "name": entry.actor_name},
        "credential": entry.credential,
        "subject": entry.subject,
        "reason": entry.reason,
    });
    if let (Some(data), Some(values)) = (data.as_object_mut(), values.as_object()) {
        data.extend(values.clone());
    }
    json!({"type": entry.operation, "timestamp": entry.at.to_string(), "data": data}).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tegata_core::ids::{ActivityId, OrgId};
    use tegata_core::time::Timestamp;

    fn entry(after: Value) -> Activity {
        Activity {
            id: ActivityId::from_u128(1),
            org: OrgId::from_u128(2),
            at: Timestamp::EPOCH,
            operation: "org.token.revoke".to_owned(),
            actor_kind: "user".to_owned(),
            actor_id: "usr_1".to_owned(),
            actor_name: "Ann".to_owned(),
            credential: None,
            subject: "tok_1".to_owned(),
            before: None,
            after: Some(after),
            reason: Some("leaked".to_owned()),
            address: Some("203.0.113.9".to_owned()),
            user_agent: None,
            request_id: None,
        }
    }

    #[test]
    fn an_event_says_what_activity_says_but_not_from_where() {
        let body = body(&entry(json!({"state": "revoked"})));
        let event: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!((&event["type"], &event["timestamp"]), (&json!("org.token.revoke"), &json!("1970-01-01T00:00:00Z")));
        let data = &event["data"];
        assert_eq!((&data["subject"], &data["reason"]), (&json!("tok_1"), &json!("leaked")));
        assert_eq!((&data["actor"]["name"], &data["after"]["state"]), (&json!("Ann"), &json!("revoked")));
        assert!(!String::from_utf8_lossy(&body).contains("203.0.113.9"));
    }

    #[test]
    fn what_is_very_large_is_left_out_and_said_so() {
        let body = body(&entry(json!({"text": "x".repeat(BODY_MAX_BYTES)})));
        let event: Value = serde_json::from_slice(&body).unwrap();
        assert!(body.len() < 1_000);
        assert_eq!((&event["data"]["after"], &event["data"]["left_out"]), (&Value::Null, &json!(["before", "after"])));
    }
}

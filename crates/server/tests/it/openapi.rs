//! What `/openapi.json` says about every operation. `tests/phases/50-openapi` holds the answers against it.

use crate::support::{Database, Server};
use serde_json::{Value, json};
use tegata_core::operations::{self, Guard, OPERATIONS};

async fn document() -> Value {
    let server = Server::start(Database::Sqlite).await;
    server.anybody().get("/openapi.json").await.status(200).clone()
}

/// Every `$ref` in a value.
fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str));
            fields.values().for_each(|field| references(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[tokio::test]
async fn every_operation_says_who_may_call_it() {
    let document = document().await;
    let mut described = 0;
    for path in document["paths"].as_object().unwrap().values() {
        described += path.as_object().unwrap().len();
    }
    assert_eq!(described, OPERATIONS.len());
    for operation in OPERATIONS {
        let object = &document["paths"][operation.path][operation.method.to_lowercase()];
        assert_eq!(object["operationId"], operation.id);
        assert_eq!(object["x-tegata-permission"], json!(operation.scope), "{}", operation.id);
        let security = match operation.guard {
            Guard::Public => json!([]),
            Guard::Verifier => json!([{"verifier": []}]),
            Guard::Provisioning(_) => json!([{"organization_key": []}]),
            Guard::Application => json!([{"application": []}]),
            Guard::Holder => json!([{"bearer": []}, {"application": []}]),
            _ => json!([{"bearer": []}]),
        };
        assert_eq!(object["security"], security, "{}", operation.id);
        let guarded = operation.guard != Guard::Public;
        assert_eq!(guarded, object["responses"]["401"].is_object() && !is_sign_in(operation.id), "{}", operation.id);
    }
}

/// Anybody may try to sign in, and may be refused.
fn is_sign_in(operation: &str) -> bool {
    [
        operations::SESSION_CREATE.id,
        operations::SETUP.id,
        operations::ACCESS_KEY_SIGN_IN.id,
        operations::APPLICATION_SIGN_IN.id,
        // GitHub shows a signature.
        operations::LEAK_GITHUB.id,
    ]
    .contains(&operation)
}

#[tokio::test]
async fn every_reference_leads_somewhere() {
    let document = document().await;
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 100);
    for reference in found {
        let schema = document.pointer(reference.trim_start_matches('#'));
        assert!(schema.is_some_and(Value::is_object), "{reference} leads nowhere");
    }
}

#[tokio::test]
async fn what_is_no_json_is_described_as_what_it_is() {
    let document = document().await;
    let media = |path: &str| {
        let content = document["paths"][path]["get"]["responses"]["200"]["content"].as_object().unwrap();
        content.keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(
        media(operations::RECORD_EXPORT.path),
        ["application/x-ndjson", "text/csv", "application/vnd.apache.parquet"]
    );
    assert_eq!(media(operations::RECORD_TAIL.path), ["text/event-stream"]);
    assert_eq!(media(operations::METRICS.path), ["text/plain"]);
    assert_eq!(media(operations::RECORD_LIST.path), ["application/json"]);
    assert_eq!(media(operations::SCIM_USER_LIST.path), ["application/scim+json"]);
}

#[tokio::test]
async fn a_repetition_without_its_secret_is_described_too() {
    let document = document().await;
    let schema = |operation: &operations::Operation, status: &str| {
        let schema =
            &document["paths"][operation.path]["post"]["responses"][status]["content"]["application/json"]["schema"];
        document.pointer(schema["$ref"].as_str().unwrap().trim_start_matches('#')).unwrap().to_string()
    };
    let needed = r#""required":["token"]"#;
    assert!(!schema(operations::TOKEN_CREATE, "201").contains(needed));
    assert!(!schema(operations::TOKEN_REGENERATE, "200").contains(needed));
    // Signing in cannot be repeated under a key: its secret is always there.
    assert!(schema(operations::SESSION_CREATE, "201").contains("\"token\""));
}

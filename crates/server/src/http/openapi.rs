//! This API as an OpenAPI 3.1 document, made from the table of operations and the types of the routes. Nothing in it
//! is written twice.

use super::authzen::{DecisionView, DecisionsView, EvaluationBody, EvaluationsBody};
use super::routes::{Face, NoBody, Shape};
use super::scim::{MEDIA_TYPE, ScimError};
use super::verify::{BatchAnswer, BatchBody, CheckBody};
use crate::ops::frame::SECRET_FIELDS;
use crate::ops::organization_keys::preview::OrganizationKeyPreview;
use crate::verify::answer::Answer;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use tegata_core::operations::{self, Guard, OPERATIONS, Operation};
use tegata_core::permissions::{OWN_API, OWN_PERMISSIONS};
use tegata_core::problem::Code;
use utoipa::ToSchema;

/// The document.
pub fn document(faces: &[Face]) -> Value {
    let mut schemas = BTreeMap::new();
    schemas.insert("Problem".to_owned(), problem_schema());
    reference(&Shape::of::<ScimError>(), &mut schemas);
    let mut paths: Map<String, Value> = Map::new();
    for operation in OPERATIONS {
        let face = faces.iter().find(|face| face.operation.id == operation.id);
        let entry = paths.entry(operation.path.to_owned()).or_insert_with(|| json!({}));
        entry[operation.method.to_lowercase()] = match face {
            Some(face) => operation_object(face, &mut schemas),
            None => special(operation, &mut schemas),
        };
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tegata",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Governed API access: issue, scope, approve, check, record and stop every credential.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "A session or a personal token."},
                "application": {
                    "type": "http", "scheme": "bearer",
                    "description": "A token of an application.",
                },
                "organization_key": {
                    "type": "http", "scheme": "bearer", "description": "An organization key with the permission `scim`.",
                },
                "verifier": {"type": "http", "scheme": "bearer", "description": "A verifier's credential."},
            },
        },
        "x-tegata-api": OWN_API,
        "x-tegata-permissions": OWN_PERMISSIONS.iter().map(|permission| json!({
            "name": permission.name, "level": permission.level, "title": {"en": permission.en, "ja": permission.ja},
        })).collect::<Vec<_>>(),
    })
}

/// The checks and the few operations that have no use case behind a route of their own.
fn special(operation: &'static Operation, schemas: &mut BTreeMap<String, Value>) -> Value {
    if operation.id == operations::VERIFY.id {
        let face = Face { operation, status: 200, input: Shape::of::<CheckBody>(), output: Shape::of::<Answer>() };
        return operation_object(&face, schemas);
    }
    if operation.id == operations::VERIFY_BATCH.id {
        let face = Face { operation, status: 200, input: Shape::of::<BatchBody>(), output: Shape::of::<BatchAnswer>() };
        return operation_object(&face, schemas);
    }
    if operation.id == operations::AUTHZEN_EVALUATION.id {
        let (input, output) = (Shape::of::<EvaluationBody>(), Shape::of::<DecisionView>());
        return operation_object(&Face { operation, status: 200, input, output }, schemas);
    }
    if operation.id == operations::AUTHZEN_EVALUATIONS.id {
        let (input, output) = (Shape::of::<EvaluationsBody>(), Shape::of::<DecisionsView>());
        return operation_object(&Face { operation, status: 200, input, output }, schemas);
    }
    let media = if operation.id == operations::METRICS.id { "text/plain" } else { "application/json" };
    let schema = if media == "text/plain" { json!({"type": "string"}) } else { json!({"type": "object"}) };
    let mut object = head(operation);
    object["responses"]["200"] = json!({"description": "The answer", "content": {media: {"schema": schema.clone()}}});
    if operation.id == operations::READY.id {
        object["responses"]["503"] =
            json!({"description": "Checks cannot be answered", "content": {media: {"schema": schema}}});
    }
    object
}

fn operation_object(face: &Face, schemas: &mut BTreeMap<String, Value>) -> Value {
    let operation = face.operation;
    let mut object = head(operation);
    let input = value_of(&face.input, schemas);
    if operation.method == "GET" {
        let required = names(&input["required"]);
        if let Some(properties) = input["properties"].as_object() {
            for (name, schema) in properties {
                let parameter = json!({
                    "name": name, "in": "query", "required": required.contains(name),
                    "description": schema.get("description").cloned().unwrap_or_default(),
                    "schema": without_null(schema),
                });
                push(&mut object["parameters"], parameter);
            }
        }
    } else {
        let has_fields = input["properties"].as_object().is_some_and(|properties| !properties.is_empty());
        let always = input.get("properties").is_none() || !names(&input["required"]).is_empty();
        let schema = reference(&face.input, schemas);
        let is_nothing = face.input.name == <NoBody as ToSchema>::name() || operation.method == "DELETE";
        let has_fields = has_fields && !is_nothing;
        if has_fields || (input.get("properties").is_none() && !is_nothing) {
            object["requestBody"] = json!({"required": always, "content": {media(operation): {"schema": schema}}});
        }
    }
    object["responses"][&face.status.to_string()] = success(face, schemas);
    if operation.id == operations::AUTHZEN_REQUEST_FILE.id {
        let mut waiting = success(face, schemas);
        waiting["description"] = json!("It waits for a decision");
        object["responses"]["202"] = waiting;
    }
    if operation.id == operations::API_IMPORT.id {
        let mut looked = success(face, schemas);
        looked["description"] = json!("What the import would change, with `dry_run`");
        object["responses"]["200"] = looked;
    }
    if operation.id == operations::ORGANIZATION_KEY_CREATE.id {
        let preview = Shape::of::<OrganizationKeyPreview>();
        let schema = reference(&preview, schemas);
        object["responses"]["200"] = json!({
            "description": "What the key could do, with `dry_run`", "content": {"application/json": {"schema": schema}},
        });
        let parameter = json!({
            "name": "dry_run", "in": "query", "required": false, "schema": {"type": "boolean"},
            "description": "Show what the key could do, and make none.",
        });
        push(&mut object["parameters"], parameter);
    }
    object
}

/// The answer of success.
fn success(face: &Face, schemas: &mut BTreeMap<String, Value>) -> Value {
    let text = json!({"schema": {"type": "string"}});
    if face.operation.id == operations::RECORD_TAIL.id {
        return json!({
            "description": "The records as they are written: an event `record` for each, with its id",
            "content": {"text/event-stream": text},
        });
    }
    if face.operation.id == operations::RECORD_EXPORT.id {
        let binary = json!({"schema": {"type": "string", "format": "binary"}});
        return json!({
            "description": "The records, oldest first",
            "headers": {"tegata-record-count": {
                "description": "How many records follow, for whoever draws a progress bar.",
                "schema": {"type": "integer", "minimum": 0},
            }},
            "content": {"application/x-ndjson": text, "text/csv": text, "application/vnd.apache.parquet": binary},
        });
    }
    if face.status == 204 {
        return json!({"description": "Done"});
    }
    let mut value = value_of(&face.output, schemas);
    if face.operation.method == "POST" && !matches!(face.operation.guard, Guard::Public) {
        without_required_secrets(&mut value);
    }
    let schema = named(&face.output.name, value, schemas);
    json!({"description": "Done", "content": {media(face.operation): {"schema": schema}}})
}

/// The media type of what is sent and answered.
fn media(operation: &Operation) -> &'static str {
    if is_scim(operation) { MEDIA_TYPE } else { "application/json" }
}

fn is_scim(operation: &Operation) -> bool {
    matches!(operation.guard, Guard::Provisioning(_))
}

/// A repetition under the same idempotency key is answered without anything secret.
fn without_required_secrets(schema: &mut Value) {
    if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|name| !SECRET_FIELDS.iter().any(|secret| name == secret));
    }
    for part in schema.get_mut("allOf").and_then(Value::as_array_mut).into_iter().flatten() {
        without_required_secrets(part);
    }
}

fn head(operation: &Operation) -> Value {
    let mut object = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "tags": [operation.id.split('.').next().unwrap_or_default()],
        "parameters": path_parameters(operation.path),
        "responses": {},
    });
    match operation.guard {
        Guard::Public => object["security"] = json!([]),
        Guard::Verifier => object["security"] = json!([{"verifier": []}]),
        Guard::Provisioning(_) => object["security"] = json!([{"organization_key": []}]),
        Guard::Application => object["security"] = json!([{"application": []}]),
        Guard::Holder => object["security"] = json!([{"bearer": []}, {"application": []}]),
        _ => object["security"] = json!([{"bearer": []}]),
    }
    if let Some(scope) = operation.scope {
        object["x-tegata-permission"] = json!(scope);
    }
    if operation.method == "POST" && operation.changes && !matches!(operation.guard, Guard::Public) {
        push(
            &mut object["parameters"],
            json!({
                "name": "Idempotency-Key", "in": "header", "required": false,
                "description": "A repetition under the same key gives the first answer, without anything secret.",
                "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
            }),
        );
    }
    for code in problems_of(operation) {
        let status = code.status().to_string();
        let (media, shape) =
            if is_scim(operation) { (MEDIA_TYPE, "ScimError") } else { ("application/problem+json", "Problem") };
        object["responses"][&status] = json!({
            "description": code.title(),
            "content": {media: {"schema": {"$ref": format!("#/components/schemas/{shape}")}}},
        });
    }
    object
}

/// The problems that an operation can answer with, one per status.
fn problems_of(operation: &Operation) -> Vec<Code> {
    let mut codes = vec![Code::Unavailable];
    let guarded = !matches!(operation.guard, Guard::Public);
    let has_input = operation.method != "GET" || operation.path.contains('{') || guarded;
    if has_input {
        codes.push(Code::InvalidParameter);
    }
    let programs = [operations::ACCESS_KEY_SIGN_IN, operations::APPLICATION_SIGN_IN];
    if programs.iter().any(|signing_in| signing_in.id == operation.id) {
        codes.extend([Code::Unauthenticated, Code::Forbidden]);
    }
    if matches!(operation.guard, Guard::Holder) {
        // What else the profile says: these are the problems that are its own.
        if operation.method == "POST" {
            codes.push(Code::DuplicateRequest);
        }
        codes.push(if operation.path.contains('{') { Code::TaskExpired } else { Code::DenialExpired });
    }
    if operation.id == operations::LEAK_GITHUB.id {
        codes.extend([Code::Unauthenticated, Code::NotFound]);
    }
    let signing_in = [operations::SESSION_CREATE, operations::SETUP];
    if guarded || signing_in.iter().any(|signing_in| signing_in.id == operation.id) {
        codes.push(Code::Unauthenticated);
    }
    if guarded && !matches!(operation.guard, Guard::Verifier) {
        codes.extend([Code::Forbidden, Code::NotFound, Code::QuotaExceeded]);
    }
    if operation.method != "GET" {
        codes.extend([Code::BodyTooLarge, Code::UnsupportedMediaType, Code::Invalid]);
    } else if operation.path.starts_with("/v1/") {
        codes.push(Code::Invalid);
    }
    if operation.changes {
        codes.push(Code::Conflict);
    }
    if is_scim(operation) {
        codes.retain(|code| *code != Code::Invalid);
        if matches!(operation.method, "PUT" | "PATCH" | "DELETE") {
            codes.push(Code::PreconditionFailed);
        }
    }
    let throttled = [
        operations::SESSION_CREATE,
        operations::ACCESS_KEY_SIGN_IN,
        operations::APPLICATION_SIGN_IN,
        operations::POLICY_DRY_RUN,
        operations::RIGHTS_UNUSED,
        operations::RIGHTS_SHRINK,
        operations::LEAK_REVOKE,
        operations::LEAK_GITHUB,
        operations::ME_PASSWORD,
        operations::RECORD_HISTOGRAM,
        operations::RECORD_TOP,
        operations::RECORD_SQL,
        operations::RECORD_TAIL,
    ];
    if throttled.iter().any(|throttled| throttled.id == operation.id) {
        codes.push(Code::TooManyRequests);
    }
    codes
}

fn path_parameters(path: &str) -> Value {
    path.split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string", "minLength": 1}}))
        .collect()
}

fn value_of(shape: &Shape, schemas: &mut BTreeMap<String, Value>) -> Value {
    for (name, schema) in &shape.others {
        let value = serde_json::to_value(schema).unwrap_or_default();
        schemas.entry(name.clone()).or_insert(value);
    }
    serde_json::to_value(&shape.schema).unwrap_or_default()
}

fn reference(shape: &Shape, schemas: &mut BTreeMap<String, Value>) -> Value {
    let value = value_of(shape, schemas);
    named(&shape.name, value, schemas)
}

/// Puts a schema among those with a name, and refers to it there.
fn named(name: &str, value: Value, schemas: &mut BTreeMap<String, Value>) -> Value {
    if name == "Body" || name == "Params" || name.starts_with("Page_") {
        return value;
    }
    let known = schemas.entry(name.to_owned()).or_insert_with(|| value.clone());
    if *known == value { json!({"$ref": format!("#/components/schemas/{name}")}) } else { value }
}

/// A query parameter that is left out is absent, never null.
fn without_null(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Some(fields) = schema.as_object_mut().filter(|fields| fields.get("default") == Some(&Value::Null)) {
        fields.remove("default");
    }
    if let Some(kinds) = schema.get_mut("type").and_then(Value::as_array_mut) {
        kinds.retain(|kind| kind != "null");
        if let [only] = kinds.as_slice() {
            schema["type"] = only.clone();
        }
    }
    schema
}

fn names(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(|name| name.as_str().map(str::to_owned)).collect()
}

fn push(list: &mut Value, item: Value) {
    if let Some(list) = list.as_array_mut() {
        list.push(item);
    }
}

fn problem_schema() -> Value {
    json!({
        "type": "object",
        "description": "RFC 9457 problem details.",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": {"type": "string", "enum": Code::ALL.iter().map(|code| super::problem::type_of(*code)).collect::<Vec<_>>()},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string", "description": "What happened, and a way out."},
            "violated-policies": {
                "type": "array", "items": {"type": "string"},
                "description": "The names of the limits on calls that are used up, where that is what happened.",
            },
            "errors": {"type": "array", "items": {
                "type": "object", "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            }},
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The document has one list of names: of two schemas with the same one, whoever reads it would see the first in both
    /// places.
    #[test]
    fn a_name_means_one_schema() {
        let (_, faces) = crate::http::api::routes().finish();
        let mut known: BTreeMap<&str, Value> = BTreeMap::new();
        for (name, schema) in faces.iter().flat_map(|face| face.input.others.iter().chain(&face.output.others)) {
            let schema = serde_json::to_value(schema).unwrap();
            let first = known.entry(name).or_insert_with(|| schema.clone());
            assert_eq!(
                *first, schema,
                "{name} means two things: give one of them another name with `#[schema(as = …)]`"
            );
        }
        assert!(known.len() > 100);
    }
}

//! Problems as SCIM tells them (RFC 7644 §3.12).

use super::MEDIA_TYPE;
use crate::http::problem::{Told, add_headers};
use crate::scim::wrong::FIELD;
use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use serde_json::json;
use tegata_core::problem::{Code, Problem};

/// A problem on its way to an identity provider.
#[derive(Debug)]
pub struct ScimTold(Problem);

impl From<Problem> for ScimTold {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl From<Told> for ScimTold {
    fn from(told: Told) -> Self {
        Self(told.0)
    }
}

/// Whether a path is one of SCIM.
pub fn is_scim(path: &str) -> bool {
    path.starts_with("/scim/")
}

/// There is nothing at a path.
pub fn not_found() -> Response<Body> {
    ScimTold(Problem::new(Code::NotFound, "there is nothing at this path; see /openapi.json")).into_response()
}

/// A path has other methods.
pub fn wrong_method() -> Response<Body> {
    ScimTold(Problem::new(Code::MethodNotAllowed, "this path has other methods; see /openapi.json")).into_response()
}

impl IntoResponse for ScimTold {
    fn into_response(self) -> Response<Body> {
        let problem = self.0;
        // What breaks a rule is a bad request, for SCIM.
        let status = match problem.code {
            Code::Invalid | Code::IdempotencyMismatch => 400,
            code => code.status(),
        };
        let said = problem.errors.iter().find(|error| error.field == FIELD).map(|error| error.message.as_str());
        let kind = said.or(match problem.code {
            Code::MalformedBody => Some("invalidSyntax"),
            Code::Invalid | Code::InvalidParameter => Some("invalidValue"),
            Code::Duplicate => Some("uniqueness"),
            _ => None,
        });
        let mut body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
            "status": status.to_string(),
            "detail": problem.detail,
        });
        if let Some(kind) = kind {
            body["scimType"] = json!(kind);
        }
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        add_headers(headers, &problem.headers);
        if let Some(seconds) = problem.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if problem.code == Code::Unauthenticated {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"tegata\""));
        }
        response
    }
}

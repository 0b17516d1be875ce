//! Problems as they go over the wire: RFC 9457 `application/problem+json`.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use serde_json::json;
use tegata_core::problem::{Code, Problem};

/// A problem on its way to the caller.
#[derive(Debug)]
pub struct Told(pub Problem);

impl From<Problem> for Told {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

/// The URI reference of a class of problems.
pub fn type_of(code: Code) -> String {
    match code {
        // A type that others know, too (draft-ietf-httpapi-ratelimit-headers-10 §5.1).
        Code::QuotaExceeded => "https://iana.org/assignments/http-problem-types#quota-exceeded".to_owned(),
        // These, too (AuthZEN Access Request and Approval Profile, draft 1, "Error Responses").
        Code::DenialNotRequestable
        | Code::DenialExpired
        | Code::DenialMismatch
        | Code::DuplicateRequest
        | Code::TaskUnknown
        | Code::TaskExpired
        | Code::TaskOver => format!("urn:openid:authzen:access-request:error:{}", code.as_str()),
        _ => format!("/problems/{}", code.as_str()),
    }
}

/// Adds headers that go with an answer.
pub fn add_headers(headers: &mut HeaderMap, more: &[(&'static str, String)]) {
    for (name, value) in more {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    }
}

impl IntoResponse for Told {
    fn into_response(self) -> Response<Body> {
        let problem = self.0;
        let mut body = json!({
            "type": type_of(problem.code),
            "title": problem.code.title(),
            "status": problem.code.status(),
            "detail": problem.detail,
        });
        if !problem.errors.is_empty() {
            body["errors"] = json!(problem.errors);
        }
        if problem.code == Code::QuotaExceeded {
            body["violated-policies"] = json!(problem.violated_policies);
        }
        let status = StatusCode::from_u16(problem.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
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

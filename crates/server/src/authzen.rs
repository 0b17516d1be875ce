//! The words of AuthZEN: what its calls mean as checks, and what they are told (OpenID Authorization API 1.0, and its
//! profile for access requests). Knows no database and no caller; what is decided, the check decides.

pub mod call;
pub mod entities;
pub mod told;

/// Where a call is decided.
pub const EVALUATION_PATH: &str = "/access/v1/evaluation";
/// Where many calls are decided.
pub const EVALUATIONS_PATH: &str = "/access/v1/evaluations";
/// Where access is asked for.
pub const REQUESTS_PATH: &str = "/access/v1/requests";
/// What the metadata says where access can be asked for.
pub const ACCESS_REQUEST_CAPABILITY: &str = "urn:openid:authzen:capability:access-request";

/// The URL of a path of this server, under the URL at which people reach it.
pub fn url(public_url: &str, path: &str) -> String {
    format!("{}{path}", public_url.trim_end_matches('/'))
}

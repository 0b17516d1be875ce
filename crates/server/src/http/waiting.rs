//! Answers that may wait: how long a caller wants to, and when to come back.

use crate::ops::requests::wait::WAIT_MAX;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, header};
use serde::Deserialize;
use std::time::Duration;
use tegata_core::problem::{Code, Problem};
use utoipa::ToSchema;

/// After how many seconds it makes sense to ask again.
const AGAIN_SECONDS: u64 = 5;

/// How long to wait.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct WaitParams {
    /// Wait for the decision, so many seconds at most: 0 to 60. The header `Prefer: wait=…` says the same.
    #[schema(minimum = 0, maximum = 60)]
    pub wait: Option<u64>,
}

/// How long a caller wants to wait: by the parameter, or by the header (RFC 7240 §4.3), of which as much is kept as can
/// be.
pub fn wanted(headers: &HeaderMap, params: &WaitParams) -> Result<Duration, Problem> {
    if let Some(seconds) = params.wait {
        let wait = Duration::from_secs(seconds);
        if wait > WAIT_MAX {
            let rule = format!("wait 0 to {} seconds", WAIT_MAX.as_secs());
            return Err(Problem::new(Code::InvalidParameter, format!("wait: {rule}")).with("wait", rule));
        }
        return Ok(wait);
    }
    let values = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    let seconds = values.flat_map(|value| value.split(',')).find_map(|preference| {
        let (name, value) = preference.split(';').next()?.split_once('=')?;
        if !name.trim().eq_ignore_ascii_case("wait") {
            return None;
        }
        value.trim().trim_matches('"').parse::<u64>().ok()
    });
    Ok(Duration::from_secs(seconds.unwrap_or(0)).min(WAIT_MAX))
}

/// Says when to come back, where something waits still.
pub fn retry_after(mut response: Response<Body>, waits: bool) -> Response<Body> {
    if waits {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(AGAIN_SECONDS));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn by_header(text: &str) -> u64 {
        let headers =
            HeaderMap::from_iter([(header::HeaderName::from_static("prefer"), HeaderValue::from_str(text).unwrap())]);
        wanted(&headers, &WaitParams::default()).unwrap().as_secs()
    }

    #[test]
    fn preferences_are_read_as_far_as_they_can_be_kept() {
        for (text, seconds) in [
            ("wait=10", 10),
            ("respond-async, WAIT = \"7\"; strict", 7),
            ("wait=600", 60),
            ("wait=-1", 0),
            ("wait", 0),
            ("waiting=5", 0),
            ("wait=99999999999999999999", 0),
        ] {
            assert_eq!(by_header(text), seconds, "{text}");
        }
        let params = |wait| wanted(&HeaderMap::new(), &WaitParams { wait: Some(wait) });
        assert_eq!(params(60).unwrap(), WAIT_MAX);
        assert_eq!(params(61).unwrap_err().code, Code::InvalidParameter);
    }

    proptest! {
        #[test]
        fn no_header_makes_anybody_wait_longer(text in "[ -~]{0,40}") {
            prop_assert!(by_header(&text) <= WAIT_MAX.as_secs());
        }
    }
}

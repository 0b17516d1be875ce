//! What callers are told of limits: headers that are ready to be copied, after draft-ietf-httpapi-ratelimit-headers-10, and
//! the three `X-RateLimit-…` headers that clients of esa and of many others read.

use super::count::Counted;
use serde::Serialize;
use std::fmt::Write as _;
use std::time::Duration;
use tegata_core::time::Timestamp;
use utoipa::ToSchema;

/// What the limits said of a call, where any covers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RateLimit {
    /// Headers for the answer to the caller, to be copied as they are.
    pub headers: RateLimitHeaders,
    /// The names of the limits that said no; absent where none did.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub violated_policies: Vec<String>,
    /// After which time another try makes sense, where one said no.
    #[serde(skip)]
    pub retry_after: Option<Duration>,
}

/// Headers for the answer to the caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RateLimitHeaders {
    /// Every limit that covers the call, with its quota `q` and its window `w` in seconds (§3).
    #[serde(rename = "RateLimit-Policy")]
    pub policy: String,
    /// What is left of each, `r`, and after how many seconds there is more, `t` (§4). Where the call is held back, only the
    /// limits that say no, so that `Retry-After` speaks of the same.
    #[serde(rename = "RateLimit")]
    pub limit: String,
    /// The quota of the limit that is nearest to being used up.
    #[serde(rename = "X-RateLimit-Limit")]
    pub x_limit: String,
    /// What is left of it.
    #[serde(rename = "X-RateLimit-Remaining")]
    pub x_remaining: String,
    /// When all of it is there again, in seconds since 1970.
    #[serde(rename = "X-RateLimit-Reset")]
    pub x_reset: String,
    /// Where the call is held back: after how many seconds another try makes sense.
    #[serde(rename = "Retry-After", skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<String>,
}

impl RateLimitHeaders {
    /// The headers with their names.
    pub fn pairs(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let [policy, limit, x_limit, x_remaining, x_reset] =
            [&self.policy, &self.limit, &self.x_limit, &self.x_remaining, &self.x_reset].map(String::as_str);
        [
            ("RateLimit-Policy", policy),
            ("RateLimit", limit),
            ("X-RateLimit-Limit", x_limit),
            ("X-RateLimit-Remaining", x_remaining),
            ("X-RateLimit-Reset", x_reset),
        ]
        .into_iter()
        .chain(self.retry_after.as_deref().map(|after| ("Retry-After", after)))
    }
}

/// Whole seconds, rounded up: whoever waits for them has waited long enough.
fn seconds(span: Duration) -> u64 {
    span.as_secs().saturating_add(u64::from(span.subsec_nanos() > 0))
}

impl RateLimit {
    /// What is told of limits that were counted, of which there is at least one.
    pub fn of(counted: &[Counted<'_>], now: Timestamp) -> Self {
        let held_back = counted.iter().any(|counted| counted.denied.is_some());
        let mut policy = String::new();
        let mut limit = String::new();
        for Counted { limit: each, left, denied } in counted {
            let comma = if policy.is_empty() { "" } else { ", " };
            // Names are keys, which have nothing that a string would escape (RFC 9651 §3.3.3). Writing to a text has no errors.
            let _ =
                write!(policy, r#"{comma}"{}";q={};w={}"#, each.policy, each.rate.quota(), each.rate.window_seconds());
            if held_back && denied.is_none() {
                continue;
            }
            let comma = if limit.is_empty() { "" } else { ", " };
            let _ = write!(limit, r#"{comma}"{}";r={}"#, each.policy, left.calls);
            if let Some(next) = denied.or(left.next) {
                let _ = write!(limit, ";t={}", seconds(next));
            }
        }
        // Of limits that have the same left, the one that takes longest to be whole.
        let nearest = counted.iter().min_by_key(|each| {
            (each.denied.is_none(), each.left.calls, std::cmp::Reverse(each.denied.unwrap_or(each.left.whole)))
        });
        let retry_after = counted.iter().filter_map(|each| each.denied).max();
        let reset = nearest.map_or(now, |each| now.plus(each.left.whole)).as_micros();
        Self {
            headers: RateLimitHeaders {
                policy,
                limit,
                x_limit: nearest.map_or(0, |each| each.limit.rate.quota()).to_string(),
                x_remaining: nearest.map_or(0, |each| each.left.calls).to_string(),
                x_reset: (reset / 1_000_000 + i64::from(reset % 1_000_000 > 0)).to_string(),
                retry_after: retry_after.map(|after| seconds(after).to_string()),
            },
            violated_policies: counted
                .iter()
                .filter(|each| each.denied.is_some())
                .map(|each| each.limit.policy.to_string())
                .collect(),
            retry_after,
        }
    }
}

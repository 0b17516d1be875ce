//! What people say of a webhook, checked.

use crate::webhooks::pattern::{self, PATTERNS_MAX};
use tegata_core::problem::Problem;

/// Patterns of events, each once and sorted.
pub(super) fn events(patterns: &[String]) -> Result<Vec<String>, Problem> {
    if patterns.is_empty() || patterns.len() > PATTERNS_MAX {
        return Err(Problem::field("events", format!("name 1 to {PATTERNS_MAX} types of events; `*` is all of them")));
    }
    for (place, text) in patterns.iter().enumerate() {
        pattern::check(text).map_err(|error| Problem::field(format!("events[{place}]"), error))?;
    }
    let mut patterns = patterns.to_vec();
    patterns.sort();
    patterns.dedup();
    Ok(patterns)
}

//! Versions of resources (RFC 7644 §3.14): a change is refused when the resource is no longer as its client last saw it.

use serde_json::{Value, json};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use tegata_core::problem::{Code, Problem};

/// Gives a resource its version: a weak one, made of all that is shown.
pub fn stamp(resource: &mut Value) {
    let mut hasher = DefaultHasher::new();
    resource.to_string().hash(&mut hasher);
    let version = format!("W/\"{:016x}\"", hasher.finish());
    resource["meta"]["version"] = json!(version);
}

/// Refuses to go on where `If-Match` names other versions than that of the resource.
pub fn require(resource: &Value, if_match: Option<&str>) -> Result<(), Problem> {
    let Some(wanted) = if_match else { return Ok(()) };
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let version = resource["meta"]["version"].as_str().map(opaque).unwrap_or_default();
    let fits = wanted.split(',').any(|tag| tag.trim() == "*" || opaque(tag) == version);
    if fits {
        return Ok(());
    }
    let detail =
        "it is no longer of the version that If-Match names: read it again, and send the change with its new version";
    Err(Problem::new(Code::PreconditionFailed, detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_changes_with_the_resource() {
        let stamped = |name: &str| {
            let mut resource = json!({"userName": name, "meta": {}});
            stamp(&mut resource);
            resource
        };
        let resource = stamped("ann");
        assert_eq!(resource, stamped("ann"));
        let version = resource["meta"]["version"].as_str().unwrap().to_owned();
        assert!(require(&resource, None).is_ok() && require(&resource, Some("*")).is_ok());
        assert!(require(&resource, Some(&format!("W/\"0\", {version}"))).is_ok());
        assert_eq!(require(&stamped("bob"), Some(&version)).unwrap_err().code, Code::PreconditionFailed);
    }
}

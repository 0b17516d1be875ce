//! Local references (`#/components/…`). Others are not followed: an import reads one document and nothing else.

use serde_json::Value;

/// Longest chain of references.
const STEPS_MAX: usize = 16;

/// The object itself, or what its `$ref` leads to. On the way into a circle or out of the document: the reference.
pub(super) fn follow<'v>(document: &'v Value, object: &'v Value) -> Result<&'v Value, String> {
    let mut here = object;
    for _ in 0..STEPS_MAX {
        let Some(reference) = here.get("$ref").and_then(Value::as_str) else {
            return Ok(here);
        };
        let pointer = reference.strip_prefix('#').ok_or_else(|| reference.to_owned())?;
        // A pointer in a fragment may be percent-encoded; slashes within a step are `~1` already.
        let pointer = pointer.replace("%7B", "{").replace("%7D", "}").replace("%7b", "{").replace("%7d", "}");
        here = document.pointer(&pointer).ok_or_else(|| reference.to_owned())?;
    }
    Err(here.get("$ref").and_then(Value::as_str).unwrap_or("a chain of references that does not end").to_owned())
}

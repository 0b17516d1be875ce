//! The `x-tegata-…` extensions: read strictly, since whoever writes one means it.

use crate::catalogue::problem::{Fault, Problems};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// An extension of an object, in its own type; a problem if it has another.
pub(super) fn read<T: DeserializeOwned>(object: &Value, field: &str, at: &str, problems: &mut Problems) -> Option<T> {
    let value = object.get(field)?;
    match T::deserialize(value) {
        Ok(value) => Some(value),
        Err(error) => {
            let place = if at.is_empty() { field.to_owned() } else { format!("{at}.{field}") };
            let message = format!("{error}: docs/catalogues.md shows how this extension is written");
            problems.push(|| place, Fault::OpenApi { message });
            None
        }
    }
}

//! Patches (RFC 7644 §3.5.2), in the shapes that identity providers send: operations in any case, booleans as texts, values without
//! a path whose fields are paths themselves, and members that are removed by a value beside the path.

#[cfg(test)]
mod tests;

use super::filter::{Comparison, Filter, Path, is_exact, parse_path};
use super::schema::{Attribute, Mutability, Resource, Type, is_unassigned, shaped};
use super::wrong::{Kind, Wrong};
use crate::scim::filter::AttributePath;
use serde_json::{Map, Value};

/// Most operations of one patch.
const OPERATIONS_MAX: usize = 1000;

/// What one operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Add,
    Replace,
    Remove,
}

/// Applies a patch to the attributes of a resource that are kept.
pub fn apply(resource: Resource, target: &mut Map<String, Value>, patch: &Map<String, Value>) -> Result<(), Wrong> {
    let syntax = |detail: &str| Wrong::new(Kind::InvalidSyntax, detail);
    let operations = field(patch, "Operations").and_then(Value::as_array);
    let operations = operations.ok_or_else(|| syntax("`Operations` has to be a list"))?;
    if operations.is_empty() || operations.len() > OPERATIONS_MAX {
        return Err(syntax("`Operations` has to have 1 to 1000 entries"));
    }
    for operation in operations {
        let operation = operation.as_object().ok_or_else(|| syntax("an operation has to be an object"))?;
        let verb = field(operation, "op").and_then(Value::as_str).map(str::to_ascii_lowercase);
        let verb = match verb.as_deref() {
            Some("add") => Verb::Add,
            Some("replace") => Verb::Replace,
            Some("remove") => Verb::Remove,
            _ => return Err(syntax("`op` has to be add, replace or remove")),
        };
        let value = field(operation, "value").unwrap_or(&Value::Null);
        match field(operation, "path") {
            Some(Value::String(place)) => at_path(resource, target, verb, place, value)?,
            None | Some(Value::Null) => without_path(resource, target, verb, value)?,
            Some(_) => return Err(Wrong::new(Kind::InvalidPath, "`path` has to be a text")),
        }
    }
    Ok(())
}

fn field<'v>(object: &'v Map<String, Value>, name: &str) -> Option<&'v Value> {
    object.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// The value is a part of a resource, or names paths. What only this server writes, and what nobody knows, is passed over.
fn without_path(resource: Resource, target: &mut Map<String, Value>, verb: Verb, value: &Value) -> Result<(), Wrong> {
    if verb == Verb::Remove {
        return Err(Wrong::new(Kind::NoTarget, "`remove` needs a path"));
    }
    let fields = value.as_object();
    let fields = fields.ok_or_else(|| Wrong::value("without a path, `value` has to be an object of attributes"))?;
    for (name, value) in fields {
        let Ok(path) = parse_path(resource, name) else { continue };
        let Some(attribute) = resource.find(&path.attribute) else { continue };
        if attribute.mutability != Mutability::ReadOnly {
            change(resource, target, verb, attribute, &path, value)?;
        }
    }
    Ok(())
}

fn at_path(
    resource: Resource,
    target: &mut Map<String, Value>,
    verb: Verb,
    path: &str,
    value: &Value,
) -> Result<(), Wrong> {
    let path = parse_path(resource, path)?;
    let Some(attribute) = resource.find(&path.attribute) else {
        if resource.is_not_kept(&path.attribute) {
            return Ok(());
        }
        let detail = format!("there is no attribute `{}`", path.attribute);
        return Err(Wrong::new(Kind::InvalidPath, detail));
    };
    if attribute.mutability == Mutability::ReadOnly {
        return Err(Wrong::new(Kind::Mutability, format!("`{}` cannot be written", attribute.name)));
    }
    change(resource, target, verb, attribute, &path, value)
}

fn change(
    resource: Resource,
    target: &mut Map<String, Value>,
    verb: Verb,
    attribute: &Attribute,
    path: &Path,
    value: &Value,
) -> Result<(), Wrong> {
    let part = match &path.part {
        None => None,
        Some(name) => match attribute.part(name) {
            Some(part) if part.mutability == Mutability::ReadWrite => Some(part),
            Some(part) => return Err(Wrong::new(Kind::Mutability, format!("`{}` cannot be written", part.name))),
            None if attribute.is_part_not_kept(name) => return Ok(()),
            None => {
                let detail = format!("`{}` has no part `{name}`", attribute.name);
                return Err(Wrong::new(Kind::InvalidPath, detail));
            }
        },
    };
    let mut now = target.remove(attribute.name).unwrap_or(Value::Null);
    let changed = match (&path.filter, part) {
        (None, None) => whole(verb, attribute, &mut now, value),
        (None, Some(part)) => {
            of_part(verb, attribute, part, &mut now, value);
            Ok(())
        }
        (Some(filter), part) => selected(resource, verb, attribute, filter, part, &mut now, value),
    };
    if attribute.multi {
        tidy(&mut now);
    }
    if !is_unassigned(&now) {
        target.insert(attribute.name.to_owned(), now);
    }
    changed
}

/// The attribute as a whole.
fn whole(verb: Verb, attribute: &Attribute, now: &mut Value, value: &Value) -> Result<(), Wrong> {
    let shape = shaped(attribute, value);
    match (verb, attribute.multi) {
        (Verb::Remove, true) if !is_unassigned(&shape) => {
            // Entra ID names the values to remove beside the path.
            let gone: Vec<Value> = items(&shape).to_vec();
            retain(now, |item| !gone.iter().any(|gone| is_same(item, gone)));
        }
        (Verb::Remove, _) if attribute.required => {
            return Err(Wrong::new(Kind::Mutability, format!("`{}` cannot be removed", attribute.name)));
        }
        (Verb::Remove, _) => *now = Value::Null,
        (Verb::Replace, true) => *now = shape,
        (Verb::Add, true) => {
            let mut list = items(now).to_vec();
            for item in items(&shape) {
                if list.iter().any(|known| is_same(known, item)) {
                    continue;
                }
                if is_primary(item) {
                    list.iter_mut().filter_map(Value::as_object_mut).for_each(|known| drop(known.remove("primary")));
                }
                list.push(item.clone());
            }
            *now = Value::Array(list);
        }
        (Verb::Add | Verb::Replace, false) => match (now.as_object_mut(), &shape) {
            // Parts that are not named stay as they are (§3.5.2.3).
            (Some(parts), Value::Object(new)) => parts.extend(new.clone()),
            _ => *now = shape,
        },
    }
    Ok(())
}

/// A part of the attribute, in every one of its values.
fn of_part(verb: Verb, attribute: &Attribute, part: &Attribute, now: &mut Value, value: &Value) {
    let value = shaped(part, value);
    if attribute.multi {
        let mut list = items(now).to_vec();
        if list.is_empty() && verb != Verb::Remove {
            list.push(Value::Object(Map::new()));
        }
        for item in &mut list {
            set_part(verb, part, item, &value);
        }
        *now = Value::Array(list);
    } else {
        if now.is_null() && verb != Verb::Remove {
            *now = Value::Object(Map::new());
        }
        set_part(verb, part, now, &value);
    }
}

fn set_part(verb: Verb, part: &Attribute, item: &mut Value, value: &Value) {
    let Some(fields) = item.as_object_mut() else { return };
    if verb == Verb::Remove || is_unassigned(value) {
        fields.remove(part.name);
    } else {
        fields.insert(part.name.to_owned(), value.clone());
    }
}

/// The values that a filter chooses, or a part of them. Where it chooses none and says what it looks for, there will be one.
fn selected(
    resource: Resource,
    verb: Verb,
    attribute: &Attribute,
    filter: &Filter,
    part: Option<&Attribute>,
    now: &mut Value,
    value: &Value,
) -> Result<(), Wrong> {
    if !attribute.multi || !matches!(attribute.kind, Type::Complex(_)) {
        let detail = format!("`{}` has no values to choose from", attribute.name);
        return Err(Wrong::new(Kind::InvalidPath, detail));
    }
    filter.check_parts(attribute).map_err(|wrong| Wrong::new(Kind::InvalidPath, wrong.detail))?;
    let exact = |path: &AttributePath| {
        let within = AttributePath { attribute: attribute.name.to_owned(), part: Some(path.attribute.clone()) };
        is_exact(resource, &within)
    };
    let chosen = |item: &Value| filter.fits(item, &exact);
    if verb == Verb::Remove && part.is_none() {
        retain(now, |item| !chosen(item));
        return Ok(());
    }
    let mut list = items(now).to_vec();
    if !list.iter().any(&chosen) {
        if verb == Verb::Remove {
            return Ok(());
        }
        let mut item = Map::new();
        if !says(filter, attribute, &mut item) {
            return Err(Wrong::new(Kind::NoTarget, format!("no value of `{}` fits the filter", attribute.name)));
        }
        list.push(Value::Object(item));
    }
    let shape = match part {
        Some(part) => shaped(part, value),
        None => items(&shaped(attribute, value)).first().cloned().unwrap_or_default(),
    };
    for item in list.iter_mut().filter(|item| chosen(item)) {
        match (part, item.as_object_mut(), shape.as_object()) {
            (Some(part), ..) => set_part(verb, part, item, &shape),
            (None, Some(fields), Some(new)) => fields.extend(new.clone()),
            (None, ..) => return Err(Wrong::value(format!("a value of `{}` is an object", attribute.name))),
        }
    }
    *now = Value::Array(list);
    Ok(())
}

/// What a filter says of the value that it looks for; false where that cannot be told.
fn says(filter: &Filter, attribute: &Attribute, item: &mut Map<String, Value>) -> bool {
    match filter {
        Filter::Compare(path, Comparison::Equal, value) => {
            let part = attribute.part(&path.attribute).filter(|part| part.mutability != Mutability::ReadOnly);
            let Some(part) = part else { return false };
            item.insert(part.name.to_owned(), shaped(part, value));
            true
        }
        Filter::And(left, right) => says(left, attribute, item) && says(right, attribute, item),
        _ => false,
    }
}

fn items(value: &Value) -> &[Value] {
    match value {
        Value::Array(items) => items,
        Value::Null => &[],
        one => std::slice::from_ref(one),
    }
}

fn retain(now: &mut Value, keep: impl Fn(&Value) -> bool) {
    if let Value::Array(items) = now {
        items.retain(|item| keep(item));
    }
}

/// Whether two values are the same: those with a part `value` are, where that is.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one.get("value"), other.get("value")) {
        (Some(one), Some(other)) => one == other,
        _ => one == other,
    }
}

fn is_primary(item: &Value) -> bool {
    item.get("primary") == Some(&Value::Bool(true))
}

/// Empty values go; of several primary ones the last stays so (RFC 7643 §2.4).
fn tidy(now: &mut Value) {
    let Value::Array(list) = now else { return };
    list.retain(|item| !is_unassigned(item));
    let stays = list.iter().rposition(is_primary);
    for (place, item) in list.iter_mut().enumerate() {
        if Some(place) != stays
            && is_primary(item)
            && let Some(fields) = item.as_object_mut()
        {
            fields.remove("primary");
        }
    }
}

//! Paths and operations: which endpoints there are, where they are, and what they need.

use super::permissions::Scopes;
use super::{Denied, Report, Skipped, extensions, refs, security};
use crate::catalogue::document::{AccessEntry, EndpointEntry, NeedEntry};
use crate::catalogue::problem::{Fault, Problems};
use crate::catalogue::template::PathTemplate;
use serde_json::Value;

/// The methods that are taken over. TRACE would show credentials to whoever asks, and CONNECT has no path.
const METHODS: &[&str] = &["get", "put", "post", "delete", "options", "head", "patch"];

/// Flag: nothing says what the endpoint needs.
const NO_PERMISSION_LISTED: &str = "no_permission_listed";

/// An endpoint, and where it stands in the OpenAPI document.
pub(super) struct Operation {
    pub(super) entry: EndpointEntry,
    at: String,
}

/// Reads all operations.
pub(super) fn read(
    document: &Value,
    scopes: &mut Scopes<'_>,
    report: &mut Report,
    problems: &mut Problems,
) -> Vec<Operation> {
    let mut operations = Vec::new();
    let paths = document.get("paths").and_then(Value::as_object);
    for (path, item) in paths.into_iter().flatten().filter(|(path, _)| !path.starts_with("x-")) {
        let item = match refs::follow(document, item) {
            Ok(item) => item,
            Err(reference) => {
                report.unresolved.push(reference);
                report.skipped.push(Skipped { path: path.clone(), why: "its $ref leads nowhere".to_owned() });
                continue;
            }
        };
        for method in METHODS {
            let Some(operation) = item.get(*method).filter(|operation| operation.is_object()) else {
                continue;
            };
            let full = full_path(document, path, item, operation, report);
            let at = format!("paths.{path}.{method}");
            if let Err(fault) = PathTemplate::parse(&full) {
                let skipped = Skipped { path: full, why: fault.to_string() };
                if !report.skipped.contains(&skipped) {
                    report.skipped.push(skipped);
                }
                continue;
            }
            let mut entry = endpoint(document, item, operation, &at, scopes, report, problems);
            entry.method = method.to_ascii_uppercase();
            entry.path = full;
            if entry.permission.is_none() && entry.any_of.is_empty() && entry.access.is_none() {
                let because = entry.flags.iter().find_map(|flag| known(flag)).unwrap_or(NO_PERMISSION_LISTED);
                if entry.flags.iter().all(|flag| flag != because) {
                    entry.flags.push(because.to_owned());
                }
                report.denied.push(Denied { endpoint: format!("{} {}", entry.method, entry.path), because });
            }
            operations.push(Operation { entry, at });
        }
    }
    operations
}

/// A flag that says why an endpoint is denied.
fn known(flag: &str) -> Option<&'static str> {
    const FLAGS: [&str; 4] = ["security_empty", "security_unreadable", "scope_unusable", "alternative_without_scopes"];
    FLAGS.into_iter().find(|known| *known == flag)
}

/// One endpoint, still without method and path.
fn endpoint(
    document: &Value,
    item: &Value,
    operation: &Value,
    at: &str,
    scopes: &mut Scopes<'_>,
    report: &mut Report,
    problems: &mut Problems,
) -> EndpointEntry {
    let mut entry = EndpointEntry {
        context: own_or_shared(item, operation, "x-tegata-context", at, problems),
        organization: own_or_shared(item, operation, "x-tegata-organization", at, problems),
        class: own_or_shared(item, operation, "x-tegata-class", at, problems),
        ..EndpointEntry::default()
    };
    let mut flags = Vec::new();
    // What stands at the operation goes before what stands at the path, and either before the requirements. Both an
    // access rule and permissions at one place is for the check of the whole to refuse.
    let source = [operation, item]
        .into_iter()
        .find(|object| object.get("x-tegata-permissions").is_some() || object.get("x-tegata-access").is_some());
    if let Some(source) = source {
        let any_of: Option<Vec<Vec<NeedEntry>>> = extensions::read(source, "x-tegata-permissions", at, problems);
        let access: Option<AccessEntry> = extensions::read(source, "x-tegata-access", at, problems);
        entry.any_of = any_of.unwrap_or_default();
        entry.access = access;
    } else {
        let requirements = security::read(document, operation, scopes, report);
        entry.any_of = requirements.any_of;
        flags.extend(requirements.flags);
    }
    if let [needs] = entry.any_of.as_slice()
        && let [NeedEntry::Name(name)] = needs.as_slice()
        && entry.access.is_none()
    {
        entry.permission = Some(name.clone());
        entry.any_of = Vec::new();
    }
    if operation.get("deprecated").and_then(Value::as_bool) == Some(true) {
        flags.push("deprecated");
    }
    entry.flags = flags.into_iter().map(str::to_owned).collect();
    entry
}

fn own_or_shared(item: &Value, operation: &Value, field: &str, at: &str, problems: &mut Problems) -> Option<String> {
    let source = if operation.get(field).is_some() { operation } else { item };
    extensions::read(source, field, at, problems)
}

/// The path of an endpoint: the path of the server before it, and `{name+}` for a last parameter that is marked so.
fn full_path(document: &Value, path: &str, item: &Value, operation: &Value, report: &mut Report) -> String {
    let servers = [operation, item, document].into_iter().find_map(|object| object.get("servers")?.as_array());
    let mut bases = servers.into_iter().flatten().map(base_path);
    let base = bases.next().unwrap_or_default();
    for other in bases {
        if other != base && !report.servers_ignored.contains(&other) {
            report.servers_ignored.push(other);
        }
    }
    let path = format!("{base}{path}");
    let parameters = [operation, item].into_iter().filter_map(|object| object.get("parameters")?.as_array()).flatten();
    for parameter in parameters {
        match refs::follow(document, parameter) {
            Err(reference) => report.unresolved.push(reference),
            Ok(parameter) => {
                let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default();
                let rest = parameter.get("x-tegata-rest").and_then(Value::as_bool) == Some(true);
                if rest && let Some(before) = path.strip_suffix(&format!("{{{name}}}")) {
                    return format!("{before}{{{name}+}}");
                }
            }
        }
    }
    path
}

/// The path part of a server's address, with the defaults of its variables, without a slash at the end.
fn base_path(server: &Value) -> String {
    let mut url = server.get("url").and_then(Value::as_str).unwrap_or_default().to_owned();
    let variables = server.get("variables").and_then(Value::as_object);
    for (name, variable) in variables.into_iter().flatten() {
        if let Some(default) = variable.get("default").and_then(Value::as_str) {
            url = url.replace(&format!("{{{name}}}"), default);
        }
    }
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("", |slash| &rest[slash..]),
        None => url.as_str(),
    };
    let path = path.trim_end_matches('/');
    if path.is_empty() || path.starts_with('/') { path.to_owned() } else { format!("/{path}") }
}

/// Problems of the made document, with the places of the OpenAPI document they come from.
pub(super) fn point_back(problems: &Problems, operations: &[Operation]) -> Problems {
    let mut pointed = Problems::default();
    for problem in problems.list() {
        let place = problem.at.strip_prefix("endpoints[").and_then(|rest| rest.split_once(']'));
        let operation = place.and_then(|(number, rest)| Some((operations.get(number.parse::<usize>().ok()?)?, rest)));
        let at = match operation {
            Some((operation, rest)) => format!("{}{rest}", operation.at),
            None => problem.at.clone(),
        };
        let fault = match &problem.fault {
            Fault::SameShape { first } => Fault::OpenApi {
                message: format!(
                    "the same method and shape is already at {}: join the two, or change one path",
                    operations.get(*first).map_or("another place", |operation| operation.at.as_str())
                ),
            },
            other => other.clone(),
        };
        pointed.push(|| at, fault);
    }
    pointed
}

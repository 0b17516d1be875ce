//! What the sources have in common: reading them, flags, and small shapes.

use crate::Failure;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};
use tegata_core::catalogue::{EndpointEntry, NeedEntry, PermissionEntry, RoleEntry, Texts};
use tegata_core::level::Level;

/// Several permissions are listed and the data do not say whether one is enough: all are needed.
pub const ALL_OF_ASSUMED: &str = "all_of_assumed";
/// No permission is listed: denied.
pub const NO_PERMISSION_LISTED: &str = "no_permission_listed";
/// No level is published: write.
pub const LEVEL_ASSUMED: &str = "level_assumed";
/// The contexts are not published but inferred.
pub const CONTEXTS_INFERRED: &str = "contexts_inferred";
/// The place of a call was read off the form of the path.
pub const CONTEXT_INFERRED: &str = "context_inferred";
/// The needed permission is not published but inferred from the resource.
pub const PERMISSION_INFERRED: &str = "permission_inferred";
/// The role is ours, made by rule.
pub const ROLE_DERIVED: &str = "role_derived";
/// The title is ours.
pub const TITLE_DERIVED: &str = "title_derived";
/// The API itself marks it as deprecated.
pub const DEPRECATED: &str = "deprecated";

/// The folder of the sources.
pub struct Sources {
    folder: PathBuf,
}

impl Sources {
    pub fn new(repository: &Path) -> Self {
        Self { folder: repository.join("catalogues/sources") }
    }

    pub fn read<T: DeserializeOwned>(&self, name: &'static str) -> Result<T, Failure> {
        let path = self.folder.join(name).with_extension("json");
        let text = std::fs::read_to_string(&path).map_err(|error| Failure::File { path, error })?;
        serde_json::from_str(&text).map_err(|error| Failure::Source { source_file: name, error })
    }
}

/// Flags as a document holds them.
pub fn flags(list: &[&str]) -> Vec<String> {
    list.iter().map(|flag| (*flag).to_owned()).collect()
}

/// A permission that is granted in the organization, with nothing else said.
pub fn permission(name: impl Into<String>, level: Level, title: Texts) -> PermissionEntry {
    PermissionEntry {
        name: name.into(),
        level,
        contexts: vec!["global".to_owned()],
        implies: Vec::new(),
        title,
        description: Texts::default(),
        risk: None,
        flags: Vec::new(),
    }
}

/// A role made by rule: the permissions that may be granted in a context type and pass a test.
pub fn role(
    key: &str,
    context_type: &str,
    title: Texts,
    permissions: &[PermissionEntry],
    belongs: impl Fn(&PermissionEntry) -> bool,
) -> RoleEntry {
    let grantable = |permission: &&PermissionEntry| permission.contexts.iter().any(|kind| kind == context_type);
    let permissions = permissions.iter().filter(grantable).filter(|permission| belongs(permission));
    RoleEntry {
        key: key.to_owned(),
        context_type: context_type.to_owned(),
        permissions: permissions.map(|permission| permission.name.clone()).collect(),
        title,
        flags: flags(&[ROLE_DERIVED]),
    }
}

/// An endpoint that needs all of a list, or is denied if the list is empty; flagged accordingly.
pub fn endpoint(method: &str, path: &str, mut needs: Vec<NeedEntry>, mut flags: Vec<String>) -> EndpointEntry {
    let mut entry = EndpointEntry { method: method.to_owned(), path: path.to_owned(), ..EndpointEntry::default() };
    match needs.as_slice() {
        [] => flags.push(NO_PERMISSION_LISTED.to_owned()),
        [NeedEntry::Name(_)] => {
            entry.permission = needs.pop().map(|need| need.permission().to_owned());
        }
        [_] => entry.all_of = needs,
        _ => {
            flags.push(ALL_OF_ASSUMED.to_owned());
            entry.all_of = needs;
        }
    }
    entry.flags = flags;
    entry
}

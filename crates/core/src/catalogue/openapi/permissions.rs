//! Permissions out of the scopes of security schemes, and of `x-tegata-permissions` at the document.

use super::{Report, extensions, short};
use crate::catalogue::document::{GLOBAL, PermissionEntry, Risk, Texts};
use crate::catalogue::problem::Problems;
use crate::level::Level;
use crate::name;
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;

/// Flag: no level is said.
const LEVEL_ASSUMED: &str = "level_assumed";
/// Flag: a requirement uses the scope, and no security scheme declares it.
const SCOPE_UNDECLARED: &str = "scope_undeclared";

/// An entry of `x-tegata-permissions`: a permission of its own, or what is to be said of a scope.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    name: String,
    /// The scope that it stands for, where that has another name.
    scope: Option<String>,
    level: Option<Level>,
    contexts: Option<Vec<String>>,
    #[serde(default)]
    implies: Vec<String>,
    #[serde(default)]
    title: Texts,
    #[serde(default)]
    description: Texts,
    risk: Option<Risk>,
}

/// The scopes of a document and the permissions they become.
pub(super) struct Scopes<'v> {
    permissions: Vec<PermissionEntry>,
    /// Permissions by the scope they stand for.
    by_scope: HashMap<String, String>,
    kinds: Vec<&'v str>,
    unusable: Vec<String>,
}

impl<'v> Scopes<'v> {
    /// Reads what the document declares.
    pub(super) fn read(document: &Value, kinds: &[&'v str], problems: &mut Problems) -> Self {
        let mut scopes =
            Self { permissions: Vec::new(), by_scope: HashMap::new(), kinds: kinds.to_vec(), unusable: Vec::new() };
        let said: Vec<Said> = extensions::read(document, "x-tegata-permissions", "", problems).unwrap_or_default();
        for said in &said {
            let scope = said.scope.as_ref().unwrap_or(&said.name);
            scopes.by_scope.insert(scope.clone(), said.name.clone());
            // Several scopes may stand for one permission; what is said first of it holds.
            if !scopes.permissions.iter().any(|known| known.name == said.name) {
                scopes.permissions.push(entry(said));
            }
        }
        let declared = document.pointer("/components/securitySchemes").and_then(Value::as_object);
        for scheme in declared.into_iter().flat_map(|schemes| schemes.values()) {
            let flows = scheme.get("flows").and_then(Value::as_object);
            for flow in flows.into_iter().flat_map(|flows| flows.values()) {
                let listed = flow.get("scopes").and_then(Value::as_object);
                for (scope, description) in listed.into_iter().flatten() {
                    scopes.declare(scope, description.as_str().unwrap_or_default());
                }
            }
        }
        scopes
    }

    fn declare(&mut self, scope: &str, description: &str) {
        let Some(name) = self.permission(scope, false) else {
            return;
        };
        if let Some(entry) = self.permissions.iter_mut().find(|entry| entry.name == name)
            && entry.title.is_empty()
        {
            entry.title = short(description).map(Texts::en).unwrap_or_default();
        }
    }

    /// The permission that a scope stands for; none if it cannot be one.
    pub(super) fn permission(&mut self, scope: &str, in_requirement: bool) -> Option<String> {
        if let Some(name) = self.by_scope.get(scope) {
            return Some(name.clone());
        }
        let first = scope.split_once(':').map(|(first, _)| first);
        let in_context = first.is_some_and(|first| first == GLOBAL || self.kinds.contains(&first));
        if name::check_permission(scope).is_err() || in_context {
            self.unusable.push(scope.to_owned());
            return None;
        }
        self.by_scope.insert(scope.to_owned(), scope.to_owned());
        if self.permissions.iter().any(|known| known.name == scope) {
            // A permission that was said to stand for another scope: the same name is the same permission.
            return Some(scope.to_owned());
        }
        let mut flags = vec![LEVEL_ASSUMED.to_owned()];
        if in_requirement {
            flags.push(SCOPE_UNDECLARED.to_owned());
        }
        self.permissions.push(PermissionEntry {
            name: scope.to_owned(),
            level: Level::Write,
            contexts: vec![GLOBAL.to_owned()],
            implies: Vec::new(),
            title: Texts::default(),
            description: Texts::default(),
            risk: None,
            flags,
        });
        Some(scope.to_owned())
    }

    /// The permissions, with what was assumed in the report.
    pub(super) fn finish(self, report: &mut Report) -> Vec<PermissionEntry> {
        report.scopes_unusable.extend(self.unusable);
        let assumed = |entry: &&PermissionEntry| entry.flags.iter().any(|flag| flag == LEVEL_ASSUMED);
        report.levels_assumed.extend(self.permissions.iter().filter(assumed).map(|entry| entry.name.clone()));
        self.permissions
    }
}

fn entry(said: &Said) -> PermissionEntry {
    PermissionEntry {
        name: said.name.clone(),
        level: said.level.unwrap_or_default(),
        contexts: said.contexts.clone().unwrap_or_else(|| vec![GLOBAL.to_owned()]),
        implies: said.implies.clone(),
        title: said.title.clone(),
        description: said.description.clone(),
        risk: said.risk,
        flags: if said.level.is_none() { vec![LEVEL_ASSUMED.to_owned()] } else { Vec::new() },
    }
}

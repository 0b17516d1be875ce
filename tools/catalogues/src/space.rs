//! JetBrains Space: permissions with their contexts, and endpoints with the permissions that the published client
//! names for them.

use crate::Failure;
use crate::shared::{
    self, CONTEXT_INFERRED, CONTEXTS_INFERRED, DEPRECATED, LEVEL_ASSUMED, Sources, TITLE_DERIVED, flags,
};
use serde::Deserialize;
use std::collections::{BTreeSet, HashMap};
use tegata_core::catalogue::{
    ContextTypeEntry, Document, EndpointEntry, NeedEntry, PermissionEntry, Texts, Unregistered,
};
use tegata_core::level::Level;

/// The files it is made from.
pub const SOURCES: &[&str] = &["space-permissions.json", "space-endpoints.json"];

#[derive(Deserialize)]
struct Permissions {
    permissions: Vec<SourcePermission>,
}

#[derive(Deserialize)]
struct SourcePermission {
    id: String,
    title: String,
    title_source: String,
    description: Option<String>,
    contexts: Vec<String>,
    deprecated: bool,
}

#[derive(Deserialize)]
struct Endpoints {
    endpoints: Vec<SourceEndpoint>,
}

#[derive(Deserialize)]
struct SourceEndpoint {
    method: String,
    path: String,
    required_permissions: Vec<SourceNeed>,
    deprecated: bool,
}

#[derive(Deserialize)]
struct SourceNeed {
    id: String,
}

/// Groups whose permissions a member of a project does not get: secrets, parameters, and what administers.
const NOT_FOR_MEMBERS: &[&str] =
    &["Project.Secrets.", "Project.Params.", "Project.VaultConnection.", "Automation.Workers."];
/// First words of the last part of a name that a member of a project gets.
const FOR_MEMBERS: &[&str] = &["View", "Read", "List", "Create", "Edit", "Post", "Add", "Start"];

pub fn make(sources: &Sources) -> Result<Document, Failure> {
    let permissions: Permissions = sources.read("space-permissions")?;
    let endpoints: Endpoints = sources.read("space-endpoints")?;
    let permissions: Vec<PermissionEntry> = permissions.permissions.iter().map(permission).collect();
    let grantable: HashMap<&str, &[String]> =
        permissions.iter().map(|permission| (permission.name.as_str(), permission.contexts.as_slice())).collect();
    let endpoints = endpoints.endpoints.iter().map(|source| endpoint(source, &grantable)).collect();
    let member = |permission: &PermissionEntry| {
        let last = permission.name.rsplit('.').next().unwrap_or_default();
        FOR_MEMBERS.iter().any(|word| last.starts_with(word))
            && !NOT_FOR_MEMBERS.iter().any(|group| permission.name.starts_with(group))
            && permission.name != "Project.ViewPrivate"
            && !permission.name.ends_with("EditOthers")
    };
    let roles = vec![
        shared::role(
            "system-admin",
            "global",
            Texts::both("System administrator", "システム管理者"),
            &permissions,
            |_| true,
        ),
        shared::role(
            "project-admin",
            "project",
            Texts::both("Project administrator", "プロジェクト管理者"),
            &permissions,
            |_| true,
        ),
        shared::role(
            "project-member",
            "project",
            Texts::both("Project member", "プロジェクトメンバー"),
            &permissions,
            member,
        ),
        shared::role(
            "channel-admin",
            "channel",
            Texts::both("Channel administrator", "チャンネル管理者"),
            &permissions,
            |_| true,
        ),
    ];
    Ok(Document {
        api: "space".to_owned(),
        title: Texts::both("JetBrains Space HTTP API", "JetBrains Space HTTP API"),
        version: None,
        context_types: vec![
            kind("project", "global", Texts::both("Project", "プロジェクト")),
            kind("channel", "global", Texts::both("Channel", "チャンネル")),
            kind("packageRepository", "project", Texts::both("Package repository", "パッケージリポジトリ")),
        ],
        permissions,
        roles,
        endpoints,
    })
}

fn kind(name: &str, parent: &str, title: Texts) -> ContextTypeEntry {
    ContextTypeEntry {
        name: name.to_owned(),
        parent: parent.to_owned(),
        case_sensitive: true,
        unregistered: Unregistered::Deny,
        title,
    }
}

fn permission(source: &SourcePermission) -> PermissionEntry {
    let mut permission = shared::permission(source.id.clone(), Level::Write, Texts::en(source.title.trim()));
    permission.contexts.clone_from(&source.contexts);
    permission.description = source.description.as_deref().map(|text| Texts::en(text.trim())).unwrap_or_default();
    permission.flags = flags(&[LEVEL_ASSUMED, CONTEXTS_INFERRED]);
    if source.title_source.starts_with("derived") {
        permission.flags.push(TITLE_DERIVED.to_owned());
    }
    if source.deprecated {
        permission.flags.push(DEPRECATED.to_owned());
    }
    permission
}

/// Where a path says what place a call is made in.
///
/// A package repository is named by a key that is unique only in its project, so a path that names one is judged in
/// the project: the same key in another project would be another repository.
const PLACES: &[(&str, &str, &str)] = &[
    ("/api/http/projects/{project}", "project", "project:{project}"),
    ("/api/http/projects/private-projects/{project}", "project", "project:{project}"),
    ("/api/http/chats/channels/{channel}", "channel", "channel:{channel}"),
    ("/api/http/chats/channels/conversations/{channel}", "channel", "channel:{channel}"),
];

fn endpoint(source: &SourceEndpoint, grantable: &HashMap<&str, &[String]>) -> EndpointEntry {
    let names: BTreeSet<&str> = source.required_permissions.iter().map(|need| need.id.as_str()).collect();
    let fits = |kind: &str| {
        let may = |name: &&str| {
            grantable.get(name).is_some_and(|kinds| kinds.iter().any(|known| known == kind || known == "global"))
        };
        !names.is_empty() && names.iter().all(may)
    };
    let starts =
        |prefix: &str| source.path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let context = PLACES.iter().find(|(prefix, kind, _)| starts(prefix) && fits(kind)).map(|(_, _, context)| *context);
    let mut list = Vec::new();
    if context.is_some() {
        list.push(CONTEXT_INFERRED);
    }
    if source.deprecated {
        list.push(DEPRECATED);
    }
    let needs = names.iter().map(|name| NeedEntry::Name((*name).to_owned())).collect();
    let mut entry = shared::endpoint(&source.method, &source.path, needs, flags(&list));
    entry.context = context.map(str::to_owned);
    entry
}

//! GitHub: fine-grained permissions and the endpoints that need them.
//!
//! A permission of the data has levels; each level becomes a permission of its own, `issues:read`, `issues:write`,
//! and a higher one implies the next lower, since the data say that write includes read.

use crate::Failure;
use crate::shared::{self, CONTEXT_INFERRED, Sources, flags};
use serde::Deserialize;
use std::collections::BTreeSet;
use tegata_core::catalogue::{
    ContextTypeEntry, Document, EndpointEntry, NeedEntry, PermissionEntry, Texts, Unregistered,
};
use tegata_core::level::Level;

/// The files it is made from.
pub const SOURCES: &[&str] = &["github-fine-grained-permissions.json"];

/// A permission has no id in the data; ours is made from its title.
const ID_DERIVED: &str = "id_derived";
/// The id is not from GitHub's own table but was seen in other public code.
const ID_FROM_OTHER_SOURCE: &str = "id_from_other_source";
/// The data say that more may be needed, but not what.
const ADDITIONAL_UNKNOWN: &str = "additional_permissions_unknown";
/// The parameter spans segments, as GitHub's own references and paths do.
const SPANS_SEGMENTS: &str = "spans_segments";

/// Last parameters that hold a path or the full name of a reference.
const SPANNING: &[&str] = &[
    "/contents/{path}",
    "/git/ref/{ref}",
    "/git/refs/{ref}",
    "/git/matching-refs/{ref}",
    "/tarball/{ref}",
    "/zipball/{ref}",
];

#[derive(Deserialize)]
struct Source {
    permissions: Vec<SourcePermission>,
    endpoints: Vec<SourceEndpoint>,
}

#[derive(Deserialize)]
struct SourcePermission {
    scope: Kind,
    title: String,
    id: Option<String>,
    id_source: Option<String>,
    selectable_levels: Option<Vec<Level>>,
    levels_used_by_endpoints: Vec<Level>,
}

#[derive(Deserialize)]
struct SourceEndpoint {
    method: String,
    path: String,
    permissions: Vec<SourceNeed>,
    additional_permissions: bool,
}

#[derive(Deserialize)]
struct SourceNeed {
    scope: Kind,
    title: String,
    id: Option<String>,
    access: Level,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Organization,
    Repository,
    User,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Organization => "organization",
            Self::Repository => "repository",
            Self::User => "user",
        }
    }
}

/// The id of a permission; where the data have none, from its title, with the word that GitHub puts before the ids of
/// organizations.
fn id(kind: Kind, title: &str, id: Option<&str>) -> String {
    let from_title = || {
        let title = title.to_lowercase().replace(' ', "_");
        if kind == Kind::Organization { format!("organization_{title}") } else { title }
    };
    id.map_or_else(from_title, str::to_owned)
}

pub fn make(sources: &Sources) -> Result<Document, Failure> {
    let source: Source = sources.read("github-fine-grained-permissions")?;
    let permissions: Vec<_> = source.permissions.iter().flat_map(permissions).collect();
    let reads = |permission: &PermissionEntry| permission.level == Level::Read;
    let triages = |permission: &PermissionEntry| {
        reads(permission)
            || ["issues:write", "pull_requests:write", "discussions:write"].contains(&permission.name.as_str())
    };
    let writes =
        |permission: &PermissionEntry| permission.level <= Level::Write && permission.name != "administration:write";
    let roles = vec![
        shared::role(
            "reader",
            "repository",
            Texts::both("Repository reader", "リポジトリの閲覧者"),
            &permissions,
            reads,
        ),
        shared::role(
            "triage",
            "repository",
            Texts::both("Repository triage", "リポジトリのトリアージ担当"),
            &permissions,
            triages,
        ),
        shared::role(
            "writer",
            "repository",
            Texts::both("Repository writer", "リポジトリの編集者"),
            &permissions,
            writes,
        ),
        shared::role(
            "admin",
            "repository",
            Texts::both("Repository administrator", "リポジトリの管理者"),
            &permissions,
            |_| true,
        ),
        shared::role(
            "organization-reader",
            "global",
            Texts::both("Organization reader", "組織の閲覧者"),
            &permissions,
            reads,
        ),
        shared::role(
            "organization-owner",
            "global",
            Texts::both("Organization owner", "組織のオーナー"),
            &permissions,
            |_| true,
        ),
    ];
    Ok(Document {
        api: "github".to_owned(),
        title: Texts::both("GitHub REST API", "GitHub REST API"),
        version: None,
        context_types: vec![ContextTypeEntry {
            name: "repository".to_owned(),
            parent: "global".to_owned(),
            case_sensitive: false,
            unregistered: Unregistered::Deny,
            title: Texts::both("Repository", "リポジトリ"),
        }],
        roles,
        endpoints: source.endpoints.iter().map(endpoint).collect(),
        permissions,
    })
}

/// One permission for each level, lowest first.
fn permissions(source: &SourcePermission) -> Vec<PermissionEntry> {
    let id = id(source.scope, &source.title, source.id.as_deref());
    let selectable = source.selectable_levels.iter().flatten();
    let levels: BTreeSet<Level> = selectable.chain(&source.levels_used_by_endpoints).copied().collect();
    let flags = match &source.id_source {
        _ if source.id.is_none() => flags(&[ID_DERIVED]),
        Some(from) if from.starts_with("managing-your-personal-access-tokens") => Vec::new(),
        _ => flags(&[ID_FROM_OTHER_SOURCE]),
    };
    let mut below: Option<String> = None;
    let mut permissions = Vec::with_capacity(levels.len());
    for level in levels {
        let name = format!("{id}:{}", level.as_str());
        let title = Texts::en(format!("{} ({}): {}", source.title, source.scope.word(), level.as_str()));
        let mut permission = shared::permission(name.clone(), level, title);
        if source.scope == Kind::Repository {
            permission.contexts.push("repository".to_owned());
        }
        permission.implies = below.replace(name).into_iter().collect();
        permission.flags.clone_from(&flags);
        permissions.push(permission);
    }
    permissions
}

/// What a path says about the place of a call.
struct PathSays {
    /// The repository, as a context.
    repository: Option<String>,
    /// The organization.
    organization: Option<String>,
}

fn read_path(path: &str) -> PathSays {
    let mut says = PathSays { repository: None, organization: None };
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let parameter = |place: usize| segments.get(place).copied().filter(|segment| segment.starts_with('{'));
    for (place, segment) in segments.iter().enumerate() {
        match (*segment, parameter(place + 1), parameter(place + 2)) {
            ("repos", Some(owner), Some(repo)) => {
                says.repository = Some(format!("repository:key:{owner}/{repo}"));
                if place == 0 {
                    says.organization = Some(owner.to_owned());
                }
            }
            ("orgs" | "organizations", Some(organization), _) => {
                says.organization = Some(organization.to_owned());
            }
            _ => {}
        }
    }
    says
}

fn endpoint(source: &SourceEndpoint) -> EndpointEntry {
    let says = read_path(&source.path);
    // All its needs are the repository's: then the endpoint has that context, and none needs one of its own.
    let repository_only = source.permissions.iter().all(|need| need.scope == Kind::Repository);
    let mut seen = BTreeSet::new();
    let mut needs = Vec::new();
    for need in &source.permissions {
        let permission = format!("{}:{}", id(need.scope, &need.title, need.id.as_deref()), need.access.as_str());
        if !seen.insert(permission.clone()) {
            continue;
        }
        needs.push(match &says.repository {
            Some(context) if need.scope == Kind::Repository && !repository_only => {
                NeedEntry::InContext { permission, context: context.clone() }
            }
            _ => NeedEntry::Name(permission),
        });
    }
    let spans = SPANNING.iter().any(|end| source.path.ends_with(end));
    let path = if spans { source.path.trim_end_matches('}').to_owned() + "+}" } else { source.path.clone() };
    let mut flags = Vec::new();
    if spans {
        flags.push(SPANS_SEGMENTS.to_owned());
    }
    if source.additional_permissions && needs.len() == 1 {
        flags.push(ADDITIONAL_UNKNOWN.to_owned());
    }
    let user_only = source.permissions.iter().all(|need| need.scope == Kind::User);
    let mut entry = shared::endpoint(&source.method, &path, needs, flags);
    if repository_only {
        entry.context.clone_from(&says.repository);
    }
    entry.organization = says.organization.or_else(|| user_only.then(|| "none".to_owned()));
    if entry.context.is_some() || entry.organization.is_some() {
        entry.flags.push(CONTEXT_INFERRED.to_owned());
    }
    entry
}

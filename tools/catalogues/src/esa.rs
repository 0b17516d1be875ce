//! esa: the scopes of its second generation of tokens, and its 55 operations. `read` and `write` of the first
//! generation are no permissions here: the levels of the others say the same.

use crate::Failure;
use crate::shared::{self, PERMISSION_INFERRED, Sources, flags};
use serde::Deserialize;
use tegata_core::catalogue::{Document, EndpointEntry, NeedEntry, PermissionEntry, Texts};
use tegata_core::level::Level;

/// The files it is made from.
pub const SOURCES: &[&str] = &["esa-scopes.json", "esa-endpoints.json"];

/// Whether it includes the others of its resource is not published: it does not.
const IMPLIES_UNCONFIRMED: &str = "implies_unconfirmed";
/// Only owners may call it, and no scope for that is published: denied.
const OWNER_ONLY: &str = "owner_only";

#[derive(Deserialize)]
struct Scopes {
    scopes: Vec<Scope>,
}

#[derive(Deserialize)]
struct Scope {
    id: String,
    verb: String,
    resource: Option<String>,
    generation: String,
}

#[derive(Deserialize)]
struct Endpoints {
    endpoints: Vec<Endpoint>,
}

#[derive(Deserialize)]
struct Endpoint {
    method: String,
    path: String,
    owner_only: bool,
    scope_inferred: Option<String>,
    scope_confirmed: Option<String>,
}

pub fn make(sources: &Sources) -> Result<Document, Failure> {
    let scopes: Scopes = sources.read("esa-scopes")?;
    let endpoints: Endpoints = sources.read("esa-endpoints")?;
    let second = scopes.scopes.iter().filter(|scope| scope.generation == "v2");
    let permissions: Vec<PermissionEntry> = second.map(permission).collect();
    let roles = vec![
        shared::role("owner", "global", Texts::both("Owner", "オーナー"), &permissions, |_| true),
        shared::role("member", "global", Texts::both("Member", "メンバー"), &permissions, |permission| {
            permission.level <= Level::Write
        }),
        shared::role("reader", "global", Texts::both("Reader", "閲覧者"), &permissions, |permission| {
            permission.level == Level::Read
        }),
    ];
    Ok(Document {
        api: "esa".to_owned(),
        title: Texts::both("esa API", "esa API"),
        version: Some("v1".to_owned()),
        context_types: Vec::new(),
        permissions,
        roles,
        endpoints: endpoints.endpoints.iter().map(endpoint).collect(),
    })
}

fn permission(scope: &Scope) -> PermissionEntry {
    let (en, ja) = resource(scope.resource.as_deref().unwrap_or_default());
    let (level, title) = match scope.verb.as_str() {
        "read" => (Level::Read, Texts::both(format!("Read {en}"), format!("{ja}の閲覧"))),
        "delete" => (Level::Write, Texts::both(format!("Delete {en}"), format!("{ja}の削除"))),
        "admin" => (Level::Admin, Texts::both(format!("Administer {en}"), format!("{ja}の管理"))),
        _ => (Level::Write, Texts::both(format!("Write {en}"), format!("{ja}の作成と編集"))),
    };
    let mut permission = shared::permission(scope.id.clone(), level, title);
    if level == Level::Admin {
        permission.flags = flags(&[IMPLIES_UNCONFIRMED]);
    }
    permission
}

fn resource(name: &str) -> (&str, &str) {
    match name {
        "post" => ("posts", "記事"),
        "comment" => ("comments", "コメント"),
        "category" => ("categories", "カテゴリー"),
        "tag" => ("tags", "タグ"),
        "attachment" => ("attachments", "添付ファイル"),
        "revision" => ("revisions", "リビジョン"),
        "member" => ("members", "メンバー"),
        "team" => ("teams", "チーム"),
        "user" => ("the user's own account", "自分のアカウント"),
        "feedback" => ("feedback", "フィードバック"),
        other => (other, other),
    }
}

fn endpoint(source: &Endpoint) -> EndpointEntry {
    let scope = source.scope_confirmed.as_ref().or(source.scope_inferred.as_ref());
    let needs = scope.map(|scope| NeedEntry::Name(scope.clone())).into_iter().collect();
    let mut list = Vec::new();
    if scope.is_some() && source.scope_confirmed.is_none() {
        list.push(PERMISSION_INFERRED);
    }
    if source.owner_only {
        list.push(OWNER_ONLY);
    }
    let mut entry = shared::endpoint(&source.method, &source.path, needs, flags(&list));
    if source.path.contains("{team_name}") {
        entry.organization = Some("{team_name}".to_owned());
    }
    entry
}

//! Atlassian organization administration: the scopes of admin keys, and the endpoints that the data name exactly.
//! Lines that end in an ellipsis name a family of paths, not a path; they are left out, and what is left out is
//! denied.

use crate::Failure;
use crate::shared::{self, Sources, flags};
use serde::Deserialize;
use tegata_core::catalogue::{Document, EndpointEntry, NeedEntry, PermissionEntry, Texts};
use tegata_core::level::Level;

/// The files it is made from.
pub const SOURCES: &[&str] = &["atlassian-scopes.json"];

/// No description of an operation names it; seen elsewhere only.
const WEAK_EVIDENCE: &str = "weak_evidence";

#[derive(Deserialize)]
struct Source {
    scopes: Vec<Scope>,
}

#[derive(Deserialize)]
struct Scope {
    id: String,
    verb: String,
    resource: String,
    evidence: String,
    endpoints: Vec<String>,
}

pub fn make(sources: &Sources) -> Result<Document, Failure> {
    let source: Source = sources.read("atlassian-scopes")?;
    let permissions: Vec<PermissionEntry> = source.scopes.iter().map(permission).collect();
    let lines = source.scopes.iter().flat_map(|scope| scope.endpoints.iter().map(move |line| (scope, line)));
    let endpoints = lines.flat_map(|(scope, line)| read_line(line).into_iter().map(move |call| endpoint(scope, &call)));
    let roles = vec![
        shared::role(
            "org-admin",
            "global",
            Texts::both("Organization administrator", "組織管理者"),
            &permissions,
            |_| true,
        ),
        shared::role("auditor", "global", Texts::both("Auditor", "監査担当者"), &permissions, |permission| {
            permission.level == Level::Read
        }),
    ];
    Ok(Document {
        api: "atlassian".to_owned(),
        title: Texts::both("Atlassian organization admin APIs", "Atlassian 組織管理 API"),
        version: None,
        context_types: Vec::new(),
        endpoints: endpoints.collect(),
        permissions,
        roles,
    })
}

fn permission(scope: &Scope) -> PermissionEntry {
    let (en, ja) = resource(&scope.resource);
    let (level, title) = match scope.verb.as_str() {
        "read" => (Level::Read, Texts::both(format!("Read {en}"), format!("{ja}の閲覧"))),
        "delete" => (Level::Write, Texts::both(format!("Delete {en}"), format!("{ja}の削除"))),
        _ => (Level::Write, Texts::both(format!("Change {en}"), format!("{ja}の変更"))),
    };
    let mut permission = shared::permission(scope.id.clone(), level, title);
    if scope.evidence != "openapi-description" {
        permission.flags = flags(&[WEAK_EVIDENCE]);
    }
    permission
}

fn resource(name: &str) -> (String, &str) {
    let ja = match name {
        "orgs" => "組織",
        "accounts" => "アカウント",
        "directories" => "ディレクトリ",
        "groups" => "グループ",
        "domains" => "ドメイン",
        "events" => "監査イベント",
        "policies" => "ポリシー",
        "workspaces" => "ワークスペース",
        "classification-levels" => "データ分類レベル",
        "tokens" => "API トークン",
        "keys" => "API キー",
        "service-accounts-tokens" => "サービスアカウントのトークン",
        "service-accounts" => "サービスアカウント",
        "products" => "製品",
        "app-access-settings" => "アプリのアクセス設定",
        "auth-policies" => "認証ポリシー",
        "admin-control" => "管理コントロール",
        other => other,
    };
    (name.replace('-', " "), ja)
}

/// A line of the data: `GET /a/b`, `POST|PUT /a`, `GET /v1|v2/a`. Nothing for a line that names no exact path.
fn read_line(line: &str) -> Vec<(String, String)> {
    let Some((methods, path)) = line.split_once(' ') else {
        return Vec::new();
    };
    let exact = path.starts_with('/') && !path.contains('…') && !path.contains(' ');
    let all_capitals = methods.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'|');
    if !exact || !all_capitals {
        return Vec::new();
    }
    let mut paths = vec![String::new()];
    for segment in path.split('/').skip(1) {
        let longer = |path: &String| segment.split('|').map(|choice| format!("{path}/{choice}")).collect::<Vec<_>>();
        paths = paths.iter().flat_map(longer).collect();
    }
    methods.split('|').flat_map(|method| paths.iter().map(move |path| (method.to_owned(), path.clone()))).collect()
}

fn endpoint(scope: &Scope, (method, path): &(String, String)) -> EndpointEntry {
    let mut entry = shared::endpoint(method, path, vec![NeedEntry::Name(scope.id.clone())], Vec::new());
    if path.contains("{orgId}") {
        entry.organization = Some("{orgId}".to_owned());
    }
    entry
}

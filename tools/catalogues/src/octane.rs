//! ALM Octane: its predefined roles. Which permissions they hold and which endpoints need them is not published, so
//! the catalogue has neither; an operator adds what their installation shows.

use crate::Failure;
use crate::shared::{Sources, TITLE_DERIVED, flags};
use serde::Deserialize;
use tegata_core::catalogue::{ContextTypeEntry, Document, RoleEntry, Texts, Unregistered};

/// The files it is made from.
pub const SOURCES: &[&str] = &["octane-roles.json"];

/// What the role holds is not published: nothing.
const PERMISSIONS_UNKNOWN: &str = "permissions_unknown";

#[derive(Deserialize)]
struct Source {
    roles: Vec<Role>,
}

#[derive(Deserialize)]
struct Role {
    logical_name: String,
    name: Option<String>,
    level: String,
}

pub fn make(sources: &Sources) -> Result<Document, Failure> {
    let source: Source = sources.read("octane-roles")?;
    Ok(Document {
        api: "octane".to_owned(),
        title: Texts::both("ALM Octane REST API", "ALM Octane REST API"),
        version: None,
        context_types: vec![ContextTypeEntry {
            name: "workspace".to_owned(),
            parent: "global".to_owned(),
            case_sensitive: true,
            unregistered: Unregistered::Deny,
            title: Texts::both("Workspace", "ワークスペース"),
        }],
        permissions: Vec::new(),
        roles: source.roles.iter().map(role).collect(),
        endpoints: Vec::new(),
    })
}

fn role(source: &Role) -> RoleEntry {
    let mut list = vec![PERMISSIONS_UNKNOWN];
    let published = source.name.as_deref().filter(|name| !name.contains("(display name not seen)"));
    if published.is_none() {
        list.push(TITLE_DERIVED);
    }
    let (en, ja) = title(&source.logical_name);
    RoleEntry {
        key: source.logical_name.clone(),
        context_type: if source.level == "workspace" { "workspace" } else { "global" }.to_owned(),
        permissions: Vec::new(),
        title: Texts::both(published.unwrap_or(en), ja),
        flags: flags(&list),
    }
}

fn title(logical_name: &str) -> (&str, &str) {
    match logical_name {
        "role.shared.space.admin" => ("Space Admin", "スペース管理者"),
        "role.workspace.admin" => ("Workspace Admin", "ワークスペース管理者"),
        "role.workspace.devops.admin" => ("DevOps Admin", "DevOps 管理者"),
        "role.workspace.ci_cd_agent.configure" => ("CI/CD Integration", "CI/CD 連携"),
        "role.workspace.leader" => ("Leader", "リーダー"),
        "role.workspace.team.member" => ("Team Member", "チームメンバー"),
        "role.workspace.tester" => ("Tester", "テスター"),
        "role.workspace.spm.integration" => ("SPM Integration", "SPM 連携"),
        "role.shared.space.leader.user.internal" => ("Space Leader (internal)", "スペースリーダー（内部用）"),
        "role.shared.space.internal" => ("Space (internal)", "スペース（内部用）"),
        other => (other, other),
    }
}

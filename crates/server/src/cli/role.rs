//! `tegata role`: named sets of permissions.

use super::call::Call;
use super::desk::{Desk, InOrg, Paging, Verb};
use super::error::CliError;
use super::render::Column;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tegata_core::operations;

const COLUMNS: &[Column] = &[
    ("KEY", "/key"),
    ("NAME", "/name"),
    ("CONTEXT TYPE", "/context_type"),
    ("EVERYTHING", "/everything"),
    ("ORIGIN", "/origin"),
    ("API", "/api"),
    ("ID", "/id"),
];

/// What is done with roles.
#[derive(Debug, Subcommand)]
pub enum Role {
    #[command(about = operations::ROLE_CREATE.summary)]
    Create {
        /// What stands in URLs: lower-case letters, digits, `.`, `_` and `-`
        #[arg(long)]
        key: String,
        /// What people call it; the key if left out
        #[arg(long)]
        name: Option<String>,
        /// Where it may be given: `global`, `any`, or a context type
        #[arg(long, value_name = "TYPE", default_value = "global")]
        context_type: String,
        #[command(flatten)]
        permissions: Permissions,
        #[command(flatten)]
        org: InOrg,
    },
    #[command(about = operations::ROLE_LIST.summary)]
    List {
        #[command(flatten)]
        org: InOrg,
        #[command(flatten)]
        paging: Paging,
    },
    #[command(about = operations::ROLE_SHOW.summary)]
    Show(Which),
    #[command(about = operations::ROLE_UPDATE.summary)]
    Update {
        #[command(flatten)]
        which: Which,
        /// What people call it from now on
        #[arg(long, required_unless_present = "permission")]
        name: Option<String>,
        #[command(flatten)]
        permissions: Permissions,
    },
    #[command(about = operations::ROLE_DELETE.summary)]
    Delete(Which),
}

/// A role.
#[derive(Debug, Args)]
pub struct Which {
    /// Key or id
    role: String,
    #[command(flatten)]
    org: InOrg,
}

/// What a role lists.
#[derive(Debug, Args)]
pub struct Permissions {
    /// A permission, as `API/NAME`, or `NAME` together with --api; may be repeated. Those named are all that the role lists
    #[arg(long, value_name = "PERMISSION")]
    permission: Vec<String>,
    /// The API of permissions that do not name theirs
    #[arg(long, value_name = "API")]
    api: Option<String>,
}

impl Permissions {
    /// The permissions by API, as the server wants them; null if none was named.
    fn body(&self) -> Result<Value, CliError> {
        if self.permission.is_empty() {
            return Ok(Value::Null);
        }
        let mut by_api = BTreeMap::<&str, Vec<&str>>::new();
        for text in &self.permission {
            // No permission's name holds a slash.
            let (api, name) = match (text.split_once('/'), &self.api) {
                (Some(named), _) => named,
                (None, Some(api)) => (api.as_str(), text.as_str()),
                (None, None) => {
                    let detail = format!("--permission {text}: of which API? write API/{text}, or add --api");
                    return Err(CliError::usage(detail));
                }
            };
            by_api.entry(api).or_default().push(name);
        }
        Ok(by_api.into_iter().map(|(api, permissions)| json!({"api": api, "permissions": permissions})).collect())
    }
}

impl Verb for Role {
    async fn run(self, desk: &Desk) -> Result<(), CliError> {
        match self {
            Self::Create { key, name, context_type, permissions, org } => {
                let listed = match permissions.body()? {
                    Value::Null => return Err(CliError::usage("--permission is needed: at least one")),
                    listed => listed,
                };
                let call = Call::to(operations::ROLE_CREATE).at("org", desk.org(&org).await?);
                let call = call.with("name", name.unwrap_or_else(|| key.clone())).with("key", key);
                desk.show(call.with("context_type", context_type).with("permissions", listed)).await
            }
            Self::List { org, paging } => {
                let call = Call::to(operations::ROLE_LIST).at("org", desk.org(&org).await?);
                desk.list(call, COLUMNS, paging).await
            }
            Self::Show(which) => {
                let call = Call::to(operations::ROLE_SHOW).at("org", desk.org(&which.org).await?);
                desk.show(call.at("role", which.role)).await
            }
            Self::Update { which, name, permissions } => {
                let listed = permissions.body()?;
                let call = Call::to(operations::ROLE_UPDATE).at("org", desk.org(&which.org).await?);
                desk.show(call.at("role", which.role).with("name", name).with("permissions", listed)).await
            }
            Self::Delete(which) => {
                let call = Call::to(operations::ROLE_DELETE).at("org", desk.org(&which.org).await?);
                desk.show(call.at("role", which.role)).await
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_are_gathered_by_api() {
        let named = |permission: &[&str], api: Option<&str>| {
            let permission = permission.iter().map(|&text| text.to_owned()).collect();
            Permissions { permission, api: api.map(str::to_owned) }.body()
        };
        let body = named(&["github/issues:read", "contents:read", "space/Project.View"], Some("github")).unwrap();
        assert_eq!(
            body,
            json!([
                {"api": "github", "permissions": ["issues:read", "contents:read"]},
                {"api": "space", "permissions": ["Project.View"]},
            ])
        );
        assert_eq!(named(&[], None), Ok(Value::Null));
        assert!(named(&["issues:read"], None).is_err());
    }
}

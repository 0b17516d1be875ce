//! `tegata rights`: who can do what, by what, and what of it is not used.

use super::call::Call;
use super::desk::{Desk, InOrg, Paging, Verb};
use super::error::CliError;
use super::render::Column;
use clap::Subcommand;
use serde_json::{Value, json};
use tegata_core::operations;

const WHO: &[Column] = &[
    ("TYPE", "/type"),
    ("MEMBER", "/member/email"),
    ("CREDENTIAL", "/credential/id"),
    ("NAME", "/credential/name"),
    ("OWNER", "/credential/owner/name"),
    ("ROLE", "/by/roles/0/role"),
    ("GRANT", "/by/grants/0/id"),
];

const WHAT: &[Column] =
    &[("PLACE", "/context"), ("API", "/api"), ("PERMISSION", "/permission"), ("ANSWER", "/answer"), ("BY", "/by")];

const UNUSED: &[Column] = &[
    ("CREDENTIAL", "/credential"),
    ("NAME", "/name"),
    ("CALLS", "/calls"),
    ("GRANTED", "/granted"),
    ("PROPOSAL", "/proposal"),
    ("ENOUGH", "/enough"),
];

/// What is asked of rights.
#[derive(Debug, Subcommand)]
pub enum Rights {
    #[command(about = operations::RIGHTS_WHO_CAN.summary)]
    WhoCan {
        /// The permission, by its name
        permission: String,
        /// The API, by key or id
        #[arg(long)]
        api: String,
        /// The place, such as `project:key:BLUE`; the whole organization, if not said
        #[arg(long)]
        context: Option<String>,
        /// Only `members`, or only `credentials`
        #[arg(long, value_parser = ["members", "credentials"])]
        subject: Option<String>,
        #[command(flatten)]
        org: InOrg,
        #[command(flatten)]
        paging: Paging,
    },
    #[command(about = operations::RIGHTS_WHAT_CAN.summary)]
    WhatCan {
        /// A credential (tok_…), an application (app_…), a service account (sva_…), or a member by id or e-mail address
        of: String,
        /// Only in this API, by key or id
        #[arg(long)]
        api: Option<String>,
        /// Only in this place; every place that makes a difference, if not said
        #[arg(long)]
        context: Option<String>,
        #[command(flatten)]
        org: InOrg,
        #[command(flatten)]
        paging: Paging,
    },
    #[command(about = operations::RIGHTS_UNUSED.summary)]
    Unused {
        /// Only this credential (tok_…)
        credential: Option<String>,
        /// How many days are looked back at: 1 to 365, 90 if not said
        #[arg(long)]
        days: Option<u32>,
        #[command(flatten)]
        org: InOrg,
        #[command(flatten)]
        paging: Paging,
    },
    #[command(about = operations::RIGHTS_SHRINK.summary)]
    Shrink {
        /// The credential (tok_…)
        credential: String,
        /// How many days are looked back at: 1 to 365, 90 if not said
        #[arg(long)]
        days: Option<u32>,
        /// Why; its owner reads it
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        #[command(flatten)]
        org: InOrg,
    },
}

impl Verb for Rights {
    async fn run(self, desk: &Desk) -> Result<(), CliError> {
        match self {
            Self::WhoCan { permission, api, context, subject, org, paging } => {
                let call = Call::to(operations::RIGHTS_WHO_CAN).at("org", desk.org(&org).await?);
                let call = call.ask("api", api).ask("permission", permission).ask("context", context);
                desk.list(call.ask("subject", subject), WHO, paging).await
            }
            Self::WhatCan { of, api, context, org, paging } => {
                let org = desk.org(&org).await?;
                let of = if of.contains('@') { desk.member(&org, &of).await? } else { of };
                let call = Call::to(operations::RIGHTS_WHAT_CAN).at("org", org).ask("of", of);
                desk.list_spread(call.ask("api", api).ask("context", context), WHAT, paging, by_permission).await
            }
            Self::Unused { credential, days, org, paging } => {
                let call = Call::to(operations::RIGHTS_UNUSED).at("org", desk.org(&org).await?);
                let call = call.ask("credential", credential).ask("days", days.map(|days| days.to_string()));
                desk.list_spread(call, UNUSED, paging, by_grant).await
            }
            Self::Shrink { credential, days, reason, org } => {
                let call = Call::to(operations::RIGHTS_SHRINK).at("org", desk.org(&org).await?);
                desk.show(call.with("credential", credential).with("days", days).with("reason", reason)).await
            }
        }
    }
}

fn items<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn words(value: &Value, name: &str) -> String {
    items(value, name).iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
}

/// A row for each permission in a place, or one that says that there is none.
fn by_permission(place: &Value) -> Vec<Value> {
    let mut rows = Vec::new();
    let row = |api: &Value, permission: &Value, answer: &str, by: &str| json!({"context": place.get("context"), "api": api.get("api"), "permission": permission, "answer": answer, "by": by});
    for api in items(place, "apis") {
        for right in items(api, "allowed") {
            let by = right.get("by").map(why).unwrap_or_default();
            rows.extend(items(right, "permissions").iter().map(|permission| row(api, permission, "allowed", &by)));
        }
        for refused in items(api, "denied") {
            let reason = refused.get("reason").and_then(Value::as_str).unwrap_or_default();
            rows.extend(items(refused, "permissions").iter().map(|permission| row(api, permission, reason, "")));
        }
    }
    if rows.is_empty() {
        rows.push(row(&Value::Null, &Value::Null, "nothing", ""));
    }
    rows
}

/// What allows something, in a line.
fn why(by: &Value) -> String {
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let grants = items(by, "grants").iter().map(|grant| text(grant, "id"));
    let covers = by.get("covers").and_then(Value::as_str).map(|covers| format!("covers {covers}"));
    let roles = items(by, "roles").iter().map(|role| {
        let through = role.get("team").and_then(Value::as_str).map(|team| format!(" through {team}"));
        format!("role {} in {}{}", text(role, "role"), text(role, "context"), through.unwrap_or_default())
    });
    grants.chain(covers).chain(roles).collect::<Vec<_>>().join(", ")
}

/// A row for each grant of a credential.
fn by_grant(item: &Value) -> Vec<Value> {
    let of = |path: &str| item.pointer(path).cloned().unwrap_or_default();
    let row = |grant: &Value| {
        json!({"credential": of("/credential/id"), "name": of("/credential/name"), "calls": of("/calls"),
            "granted": words(grant, "scopes"), "proposal": grant.get("proposal"), "enough": words(grant, "enough")})
    };
    match items(item, "grants") {
        [] => vec![row(&Value::Null)],
        grants => grants.iter().map(row).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_row_for_each_permission() {
        let by =
            json!({"grants": [{"id": "grt_1"}], "roles": [{"role": "doors", "context": "global", "team": "Crew"}]});
        let place = json!({"context": "house:key:main", "apis": [{"api": "town",
            "allowed": [{"permissions": ["doors:read", "doors:write"], "by": by}],
            "denied": [{"reason": "blocked", "permissions": ["doors:open"]}]}]});
        let rows = by_permission(&place);
        let said: Vec<_> =
            rows.iter().map(|row| (row["permission"].as_str().unwrap(), row["answer"].as_str().unwrap())).collect();
        assert_eq!(said, [("doors:read", "allowed"), ("doors:write", "allowed"), ("doors:open", "blocked")]);
        assert_eq!(rows[0]["by"], "grt_1, role doors in global through Crew");
        assert_eq!(by_permission(&json!({"context": "global", "apis": []}))[0]["answer"], "nothing");
    }

    #[test]
    fn a_credential_is_a_row_for_each_grant() {
        let grant = |proposal| json!({"scopes": ["a:read", "a:write"], "proposal": proposal, "enough": ["a:read"]});
        let item = json!({"credential": {"id": "tok_1", "name": "ci"}, "calls": 3, "grants": [grant("narrow"), grant("keep")]});
        let rows = by_grant(&item);
        assert_eq!(
            (rows.len(), &rows[0]["granted"], &rows[0]["enough"]),
            (2, &json!("a:read a:write"), &json!("a:read"))
        );
        assert_eq!(by_grant(&json!({"credential": {"id": "tok_1"}, "grants": []})).len(), 1);
    }
}

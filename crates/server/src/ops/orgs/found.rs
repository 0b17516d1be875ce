//! Founding an organization: what every organization has from its first moment. Used by the use case and by the first
//! start alike.

use super::catalogue_roles::lists;
use crate::app::Entropy;
use crate::db::assignments::{Assignment, Principal};
use crate::db::feed::Topic;
use crate::db::orgs::Org;
use crate::db::roles::{Origin, Permissions, Role};
use crate::db::{self, DbError, WriteTx};
use tegata_core::ids::{ApiId, AssignmentId, OrgId, RoleId, UserId};
use tegata_core::role::predefined;
use tegata_core::time::Timestamp;

/// An entry for the change feed.
pub type FeedEntry = (Topic, Option<OrgId>, String);

/// A role that every organization has.
struct Predefined {
    key: &'static str,
    name: &'static str,
    context_type: &'static str,
    everything: bool,
    /// Permissions of Tegata's own API.
    permissions: &'static [&'static str],
}

const PREDEFINED: &[Predefined] = &[
    Predefined {
        key: predefined::ADMINISTRATOR,
        name: "Administrator",
        context_type: "global",
        everything: true,
        permissions: &[],
    },
    Predefined {
        key: predefined::MEMBER,
        name: "Member",
        context_type: "global",
        everything: false,
        permissions: &["limits:read", "organization:read", "own_tokens:read", "own_tokens:write", "policies:read"],
    },
    Predefined {
        key: predefined::CONTEXT_ADMINISTRATOR,
        name: "Context administrator",
        context_type: "any",
        everything: true,
        permissions: &[],
    },
    Predefined {
        key: predefined::AUDITOR,
        name: "Auditor",
        context_type: "global",
        everything: false,
        permissions: &[
            "access_keys:read",
            "activity:read",
            "limits:read",
            "organization:read",
            "organization_keys:read",
            "policies:read",
            "records:read",
            "tokens:read",
        ],
    },
];

/// Stores a new organization with its predefined roles and Tegata's own API. Returns what the feed has to say.
pub async fn found(tx: &mut WriteTx, entropy: &Entropy, org: &Org, own: ApiId) -> Result<Vec<FeedEntry>, DbError> {
    db::orgs::insert(tx, org).await?;
    db::orgs::enable_api(tx, org.id, own, org.created_at).await?;
    let mut feed = vec![(Topic::Org, Some(org.id), org.id.to_string())];
    for role in refresh_predefined_roles(tx, entropy, org.id, own, org.created_at).await? {
        feed.push((Topic::Role, Some(org.id), role.to_string()));
    }
    Ok(feed)
}

/// Brings an organization's predefined roles up to this program. Returns those that changed.
pub async fn refresh_predefined_roles(
    tx: &mut WriteTx,
    entropy: &Entropy,
    org: OrgId,
    own: ApiId,
    now: Timestamp,
) -> Result<Vec<RoleId>, DbError> {
    let mut changed = Vec::new();
    for entry in PREDEFINED {
        let names: Vec<String> = entry.permissions.iter().map(|name| (*name).to_owned()).collect();
        let permissions = if names.is_empty() { Permissions::new() } else { Permissions::from([(own, names)]) };
        match db::roles::find(tx, org, entry.key).await? {
            None => {
                let role = Role {
                    id: RoleId::new(now.as_millis(), entropy.bytes()),
                    key: entry.key.to_owned(),
                    name: entry.name.to_owned(),
                    context_type: entry.context_type.to_owned(),
                    everything: entry.everything,
                    origin: Origin::Predefined,
                    api: None,
                    created_at: now,
                };
                db::roles::insert(tx, org, &role, &permissions).await?;
                changed.push(role.id);
            }
            Some(role) if role.origin == Origin::Predefined => {
                if !lists(db::roles::permissions(tx, org, role.id).await?, &permissions) {
                    db::roles::set_permissions(tx, org, role.id, &permissions).await?;
                    changed.push(role.id);
                }
            }
            Some(role) => {
                tracing::warn!(org = %org, role = %role.key, "an own role has the key of a predefined one, which is left out");
            }
        }
    }
    Ok(changed)
}

/// Makes a person a member of an organization that was just founded, and its administrator.
pub async fn name_administrator(
    tx: &mut WriteTx,
    entropy: &Entropy,
    org: OrgId,
    user: UserId,
    by: &str,
    now: Timestamp,
) -> Result<FeedEntry, DbError> {
    db::members::insert(tx, org, user, now).await?;
    let role = db::roles::find(tx, org, predefined::ADMINISTRATOR).await?;
    let role = role.ok_or_else(|| DbError::Corrupt("an organization has no administrator role".to_owned()))?;
    let assignment = Assignment {
        id: AssignmentId::new(now.as_millis(), entropy.bytes()),
        role: role.id,
        principal: Principal::User(user),
        context: None,
        created_at: now,
        created_by: by.to_owned(),
    };
    db::assignments::insert(tx, org, &assignment).await?;
    Ok((Topic::Member, Some(org), user.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tegata_core::permissions;

    #[test]
    fn predefined_roles_list_known_permissions_in_order() {
        for role in PREDEFINED {
            assert!(role.permissions.is_sorted(), "{}", role.key);
            assert!(role.permissions.iter().all(|name| permissions::find(name).is_some()), "{}", role.key);
        }
    }
}

//! The roles that an API's catalogue brings into an organization: made when it enables the API, brought up to date
//! when it enables it again and when the catalogue is imported again.

use crate::app::App;
use crate::catalogues::Loaded;
use crate::db::roles::{Origin, Permissions, Role};
use crate::db::{self, DbError, WriteTx};
use std::collections::HashMap;
use tegata_core::catalogue::compiled;
use tegata_core::ids::{OrgId, RoleId};
use tegata_core::name::TITLE_MAX_CHARS;

/// The key that a catalogue's role has in every organization.
pub fn role_key(api: &str, role: &str) -> String {
    format!("{api}.{role}")
}

/// Brings an organization's roles of one API up to the catalogue. Returns the roles that changed, each of which needs
/// its entry in the feed ([`crate::db::feed::Topic::Role`]).
///
/// A key that a role of the organization's own has taken is left alone: enabling the API says so beforehand
/// ([`taken_key`]), and a new import by the publisher must not fail over it. A role that the catalogue no longer has
/// goes, unless somebody has it.
pub async fn refresh_catalogue_roles(
    app: &App,
    tx: &mut WriteTx,
    org: OrgId,
    loaded: &Loaded,
) -> Result<Vec<RoleId>, DbError> {
    let now = app.clock.now();
    let existing = db::roles::of_catalogue(tx, org, loaded.id).await?;
    let mut old: HashMap<String, Role> = existing.into_iter().map(|role| (role.key.clone(), role)).collect();
    let mut changed = Vec::new();
    for entry in loaded.catalogue.roles() {
        let key = role_key(&loaded.key, &entry.key);
        let (name, permissions) = (title(entry), permissions(loaded, entry));
        let context_type = entry.context_type.clone().unwrap_or_else(|| "global".to_owned());
        match old.remove(&key) {
            Some(role) if role.context_type == context_type => {
                if role.name != name {
                    db::roles::rename(tx, org, role.id, &name).await?;
                }
                if !lists(db::roles::permissions(tx, org, role.id).await?, &permissions) {
                    db::roles::set_permissions(tx, org, role.id, &permissions).await?;
                    changed.push(role.id);
                }
                continue;
            }
            // What a role holds depends on where it is given: where the catalogue has moved it to another type of
            // place, the role as it was keeps nothing.
            Some(role) => {
                db::roles::set_permissions(tx, org, role.id, &Permissions::new()).await?;
                changed.push(role.id);
                if !db::assignments::of_role(tx, org, role.id).await?.is_empty() {
                    tracing::warn!(org = %org, role = %role.key, "a role that is given was moved by its catalogue to another type of place; it holds nothing until nobody has it");
                    continue;
                }
                db::roles::delete(tx, org, role.id).await?;
            }
            None => {}
        }
        if db::roles::find(tx, org, &key).await?.is_some() {
            tracing::warn!(org = %org, role = %key, "an own role has the key of a catalogue's role, which is left out");
            continue;
        }
        let role = Role {
            id: RoleId::new(now.as_millis(), app.entropy.bytes()),
            key,
            name,
            context_type,
            everything: false,
            origin: Origin::Catalogue,
            api: Some(loaded.id),
            created_at: now,
        };
        db::roles::insert(tx, org, &role, &permissions).await?;
        changed.push(role.id);
    }
    for role in old.into_values() {
        if db::assignments::of_role(tx, org, role.id).await?.is_empty() {
            db::roles::delete(tx, org, role.id).await?;
            changed.push(role.id);
        }
    }
    Ok(changed)
}

/// The first key of the catalogue's roles that a role of another origin has taken in this organization.
pub async fn taken_key(tx: &mut WriteTx, org: OrgId, loaded: &Loaded) -> Result<Option<String>, DbError> {
    for entry in loaded.catalogue.roles() {
        let key = role_key(&loaded.key, &entry.key);
        let found = db::roles::find(tx, org, &key).await?;
        if found.is_some_and(|role| role.api != Some(loaded.id) || role.origin != Origin::Catalogue) {
            return Ok(Some(key));
        }
    }
    Ok(None)
}

fn title(entry: &compiled::Role) -> String {
    entry.title.text("en").unwrap_or(&entry.key).chars().take(TITLE_MAX_CHARS).collect()
}

/// Whether a role lists just these permissions. Databases do not agree on the order of texts.
pub(super) fn lists(mut stored: Permissions, wanted: &Permissions) -> bool {
    for names in stored.values_mut() {
        names.sort();
    }
    stored == *wanted
}

/// Sorted, and without an API that lists nothing.
fn permissions(loaded: &Loaded, entry: &compiled::Role) -> Permissions {
    let numbers = entry.permissions.iter().filter_map(|number| loaded.catalogue.permission(number));
    let mut names: Vec<String> = numbers.map(|permission| permission.name.clone()).collect();
    names.sort();
    if names.is_empty() { Permissions::new() } else { Permissions::from([(loaded.id, names)]) }
}

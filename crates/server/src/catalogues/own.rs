//! Tegata's own API as a catalogue, made from the two tables: guarded and recorded like any other API.

use tegata_core::catalogue::{
    AccessEntry, Document, EndpointEntry, NeedEntry, PermissionEntry, Risk as CatalogueRisk, Texts,
};
use tegata_core::operations::{Guard, OPERATIONS};
use tegata_core::permissions::{OWN_API, OWN_PERMISSIONS, Risk};

/// The catalogue of Tegata's own API.
pub fn own_document() -> Document {
    let permissions = OWN_PERMISSIONS
        .iter()
        .map(|permission| PermissionEntry {
            name: permission.name.to_owned(),
            level: permission.level,
            contexts: vec!["global".to_owned()],
            implies: Vec::new(),
            title: Texts::both(permission.en, permission.ja),
            description: Texts::default(),
            risk: Some(match permission.risk {
                Risk::Low => CatalogueRisk::Low,
                Risk::Medium => CatalogueRisk::Medium,
                Risk::High => CatalogueRisk::High,
            }),
            flags: Vec::new(),
        })
        .collect();
    let endpoints = OPERATIONS
        .iter()
        .filter(|operation| !matches!(operation.guard, Guard::Public | Guard::Verifier))
        .map(|operation| {
            let in_organization = operation.path.contains("{org}");
            EndpointEntry {
                method: operation.method.to_owned(),
                path: operation.path.to_owned(),
                any_of: operation.scope.map(|scope| vec![vec![NeedEntry::from(scope)]]).unwrap_or_default(),
                access: operation.scope.is_none().then_some(AccessEntry::AuthenticatedOnly),
                organization: in_organization.then(|| "{org}".to_owned()),
                ..EndpointEntry::default()
            }
        })
        .collect();
    Document {
        api: OWN_API.to_owned(),
        title: Texts::both("Tegata", "Tegata"),
        version: None,
        context_types: Vec::new(),
        permissions,
        roles: Vec::new(),
        endpoints,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tegata_core::catalogue::Catalogue;

    #[test]
    fn the_own_catalogue_compiles_and_routes() {
        let catalogue = Catalogue::compile(&own_document(), &[]).unwrap();
        let matched = catalogue.route("POST", "/v1/orgs/acme/teams").unwrap();
        assert_eq!(matched.param("org"), Some("acme"));
    }
}

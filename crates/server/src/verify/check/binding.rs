//! Whether a request descriptor belongs to a call: what it names is what this call needs.

use super::What;
use super::target::{FoundNeeds, Wanted};
use crate::authn::descriptor::Descriptor;
use crate::verify::Verify;
use std::sync::Arc;
use tegata_core::catalogue::OrganizationOf;

impl Verify {
    /// Whether everything that a descriptor names is among what one alternative of this call needs, in its organization.
    /// What is said of API and organization has to fit as well.
    pub fn belongs(
        &self,
        descriptor: &Descriptor,
        api: Option<&str>,
        organization: Option<&str>,
        what: &What<'_>,
    ) -> bool {
        let view = self.index.view();
        let loaded = self.index.apis.load().values().find(|loaded| loaded.id == descriptor.api).map(Arc::clone);
        let Some(loaded) = loaded.filter(|loaded| api.is_none_or(|key| *key == *loaded.key)) else { return false };
        let wanted = Wanted::find(&loaded, what);
        let elsewhere = |name: &str| view.org_named(name) != Some(descriptor.org);
        let by_endpoint = match wanted.organization() {
            OrganizationOf::Named(name) => elsewhere(&name),
            OrganizationOf::None | OrganizationOf::Unsaid => false,
        };
        if by_endpoint || organization.is_some_and(elsewhere) {
            return false;
        }
        let mut found = FoundNeeds::default();
        found.look_up(&view, &loaded, &wanted, descriptor.org);
        (0..found.ends.len()).any(|alternative| {
            let needs = found.needs.get(found.range(alternative)).unwrap_or_default();
            let is_needed = |(permission, context): &(_, Option<_>)| {
                needs.iter().any(|need| {
                    let place = found.place(need).filter(|place| place.registered);
                    need.permission == *permission
                        && place.is_some_and(|place| place.chain.first().copied() == *context)
                })
            };
            descriptor.needs.iter().all(is_needed)
        })
    }
}

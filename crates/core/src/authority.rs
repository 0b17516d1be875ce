//! Passing on: nobody gives what they do not have (DESIGN §2). What an actor may give is what their rights cover in
//! the place, narrowed by the credential they act with.

#[cfg(test)]
mod tests;

use crate::bits::{PermissionNumber, PermissionSet};
use crate::credential::GrantState;
use crate::decide::Grants;
use crate::ids::{ApiId, ContextId};
use crate::role::{Held, Right};

/// What somebody may do, and therefore pass on.
#[derive(Debug, Clone, Copy)]
pub struct Authority<'a> {
    /// The roles of the person who acts.
    pub rights: &'a [Right<'a>],
    /// What the credential they act with was given.
    pub grants: Grants<'a>,
}

/// A permission that somebody wanted to pass on and does not have in that place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beyond {
    /// This permission of this API.
    Permission(ApiId, PermissionNumber),
    /// Everything, as administrators have it.
    Everything,
}

impl Authority<'_> {
    /// Whether one permission may be passed on in the place whose ids, innermost first, are `chain`.
    pub fn covers(&self, api: ApiId, permission: PermissionNumber, chain: &[ContextId]) -> bool {
        self.rights.iter().any(|right| right.covers(api, permission, chain))
            && match self.grants {
                Grants::Whole => true,
                // What is lent for a time, or under an access policy that may change, is not passed on for good.
                Grants::Listed(grants, _) => grants.iter().any(|grant| {
                    grant.state == GrantState::Granted
                        && grant.bounds.is_none()
                        && grant.api == api
                        && grant.context.is_none_or(|context| chain.contains(&context))
                        && grant.permissions.contains(permission)
                }),
            }
    }

    /// Whether all of these permissions may be passed on; names the first that may not.
    pub fn covers_all(&self, api: ApiId, permissions: &PermissionSet, chain: &[ContextId]) -> Result<(), Beyond> {
        match permissions.iter().find(|permission| !self.covers(api, *permission, chain)) {
            Some(permission) => Err(Beyond::Permission(api, permission)),
            None => Ok(()),
        }
    }

    /// Whether administration itself may be passed on: only by an administrator of the place, signed in as themself.
    /// A token lists what it was given, and nothing that comes later.
    pub fn covers_everything(&self, chain: &[ContextId]) -> Result<(), Beyond> {
        let administers = self.rights.iter().any(|right| {
            matches!(right.held, Held::Everything) && right.context.is_none_or(|context| chain.contains(&context))
        });
        if administers && matches!(self.grants, Grants::Whole) { Ok(()) } else { Err(Beyond::Everything) }
    }
}

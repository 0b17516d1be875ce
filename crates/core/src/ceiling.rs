//! Access policies: named ceilings that an approver lays on what they grant (DESIGN §1). What a credential may do is its
//! grant within the ceiling, as the ceiling is at that moment.

use crate::bits::{PermissionNumber, PermissionSet};
use crate::ids::{AccessPolicyId, ApiId, ContextId};

/// The most that a grant under an access policy can be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ceiling {
    /// What it admits.
    pub parts: Vec<CeilingPart>,
}

/// Permissions of one API in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CeilingPart {
    /// The API.
    pub api: ApiId,
    /// The place, with everything below it; none for the whole organization.
    pub context: Option<ContextId>,
    /// The permissions, with what they imply.
    pub permissions: PermissionSet,
}

impl Ceiling {
    /// Whether it admits a permission in the place whose ids, innermost first, are `chain`.
    pub fn admits(&self, api: ApiId, permission: PermissionNumber, chain: &[ContextId]) -> bool {
        self.parts.iter().any(|part| {
            part.api == api
                && part.context.is_none_or(|context| chain.contains(&context))
                && part.permissions.contains(permission)
        })
    }
}

/// The access policies that matter to some grants.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ceilings<'a>(pub &'a [(AccessPolicyId, &'a Ceiling)]);

impl Ceilings<'_> {
    /// None: for grants that have none.
    pub const NONE: Self = Self(&[]);

    /// Whether one of them admits a permission in a place. One that is not there admits nothing.
    pub fn admit(self, ceiling: AccessPolicyId, api: ApiId, permission: PermissionNumber, chain: &[ContextId]) -> bool {
        let found = self.0.iter().find(|(id, _)| *id == ceiling);
        found.is_some_and(|(_, ceiling)| ceiling.admits(api, permission, chain))
    }
}

//! Roles: what a person may do in a place. A role is either a list of permissions or, for administrators,
//! everything that the place has, live.

use crate::bits::PermissionSet;
use crate::ids::{ApiId, ContextId};

/// Predefined roles of every organization, besides those that catalogues bring.
pub mod predefined {
    /// Everything in the organization.
    pub const ADMINISTRATOR: &str = "administrator";
    /// What every member has: seeing the organization, and tokens of their own.
    pub const MEMBER: &str = "member";
    /// Everything in one context and below it.
    pub const CONTEXT_ADMINISTRATOR: &str = "context-administrator";
    /// Sees everything that was done and used, changes nothing.
    pub const AUDITOR: &str = "auditor";
}

/// What a role holds of one API.
#[derive(Debug, Clone, Copy)]
pub enum Held<'a> {
    /// Every permission, also those that come later.
    Everything,
    /// These permissions.
    Set(&'a PermissionSet),
}

/// A right that a principal has: part of a role, in a place.
#[derive(Debug, Clone, Copy)]
pub struct Right<'a> {
    /// Where it holds, and in everything below; none for the whole organization.
    pub context: Option<ContextId>,
    /// The API of the permissions; none where the role is [`Held::Everything`].
    pub api: Option<ApiId>,
    /// Which permissions.
    pub held: Held<'a>,
}

impl Right<'_> {
    /// Whether this right covers a permission of an API in the place whose ids, innermost first, are `chain`.
    pub fn covers(&self, api: ApiId, permission: crate::bits::PermissionNumber, chain: &[ContextId]) -> bool {
        let holds = match self.held {
            Held::Everything => true,
            Held::Set(set) => self.api == Some(api) && set.contains(permission),
        };
        holds && self.context.is_none_or(|context| chain.contains(&context))
    }
}

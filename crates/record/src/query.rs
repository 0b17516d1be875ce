//! What can be asked of the log. Every question carries the scope of whoever asks.

use crate::record::Decision;

/// Whose records may be seen. There is no default: a caller has to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope<'a> {
    /// The records of one organization, by its id: never those of another, never those without one.
    Organization(&'a str),
    /// All records. For the publisher's own view.
    Installation,
}

/// In which direction a stream goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// In the order of writing.
    OldestFirst,
    /// Against it.
    NewestFirst,
}

/// A scope and any number of filters, all of which a record has to pass. Texts are compared as they were stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Query<'a> {
    /// Whose records.
    pub scope: Scope<'a>,
    /// Only records of this time or later.
    pub from_us: Option<i64>,
    /// Only records before this time.
    pub to_us: Option<i64>,
    /// Only records with a sequence above this one; to go on where an earlier stream ended.
    pub after_sequence: Option<u64>,
    /// Only this API.
    pub api: Option<&'a str>,
    /// Only this credential.
    pub credential: Option<&'a str>,
    /// Only credentials of this kind.
    pub kind: Option<&'a str>,
    /// Only this principal.
    pub principal: Option<&'a str>,
    /// Only what was done for this user.
    pub acted_for: Option<&'a str>,
    /// Only this permission.
    pub permission: Option<&'a str>,
    /// Only this context, by its id.
    pub context_id: Option<&'a str>,
    /// Only permissions of this level.
    pub level: Option<&'a str>,
    /// Only this decision.
    pub decision: Option<Decision>,
    /// Only this reason.
    pub reason: Option<&'a str>,
    /// Only this method.
    pub method: Option<&'a str>,
    /// Only paths that begin so.
    pub path_prefix: Option<&'a str>,
    /// Only this path template.
    pub endpoint: Option<&'a str>,
    /// Only this address.
    pub address: Option<&'a str>,
    /// Only this request id.
    pub request_id: Option<&'a str>,
    /// Only calls made by this.
    pub user_agent: Option<&'a str>,
    /// Only where this alternative of the endpoint decided.
    pub alternative: Option<u16>,
    /// Only records of this version of the rules.
    pub rule_version: Option<u32>,
    /// Only records of this version of the catalogue.
    pub catalogue_version: Option<u64>,
    /// Only records whose path or principal contains this text; small and capital letters of ASCII are alike.
    pub text: Option<&'a str>,
}

impl<'a> Query<'a> {
    /// Everything in a scope.
    pub fn new(scope: Scope<'a>) -> Self {
        Self {
            scope,
            from_us: None,
            to_us: None,
            after_sequence: None,
            api: None,
            credential: None,
            kind: None,
            principal: None,
            acted_for: None,
            permission: None,
            context_id: None,
            level: None,
            decision: None,
            reason: None,
            method: None,
            path_prefix: None,
            endpoint: None,
            address: None,
            request_id: None,
            user_agent: None,
            alternative: None,
            rule_version: None,
            catalogue_version: None,
            text: None,
        }
    }
}

//! Catalogues: what a protected API is made of. Its permissions, the context types they may be granted in, the roles
//! it brings along, and its endpoints with what each of them needs.
//!
//! A catalogue comes in as text ([`parse()`]) or from an OpenAPI document, is checked as a whole, and is compiled into
//! a [`Catalogue`] that answers two questions without allocating: which endpoint is this call ([`Catalogue::route`]),
//! and what does it need. What a document leaves open is denied.
//!
//! This room must not know of organizations that exist, credentials, grants or requests: it says what could be asked
//! for and what a call needs, never who has it. It reads no files and keeps no state; numbers given to permissions
//! earlier come in as an argument.
//!
//! | file | subject |
//! |---|---|
//! | `document` | the document as it is written |
//! | `problem` | what can be wrong with it, with the way out |
//! | `parse`, `write` | text in, text out |
//! | `check` | the document as a whole: names, cycles, shapes, contexts |
//! | `template`, `path`, `router` | which endpoint a call means |
//! | `place` | which context and which organization a call names |
//! | `compiled`, `compile` | the result |
//! | `diff` | what a new version changes, and what it opens |
//! | `openapi` | documents from OpenAPI 3.0 and 3.1 |

pub mod check;
pub mod compile;
pub mod compiled;
pub mod diff;
pub mod document;
pub mod openapi;
pub mod params;
pub mod parse;
pub mod path;
pub mod place;
pub mod problem;
pub mod router;
pub mod template;
pub mod write;

pub use compiled::{
    Access, Alternative, Catalogue, ContextType, Endpoint, Matched, Need, NoSuchEndpoint, PermissionInfo, Role,
};
pub use diff::{Diff, diff};
pub use document::{
    AccessEntry, ContextTypeEntry, Document, EndpointEntry, NeedEntry, PermissionEntry, Risk, RoleEntry, Texts,
    Unregistered,
};
pub use params::Params;
pub use parse::{Format, parse};
pub use place::{NoSuchContext, OrganizationOf, PlaceRef};
pub use problem::{Fault, Position, Problem, Problems};
pub use write::to_yaml;

#[cfg(test)]
mod tests;

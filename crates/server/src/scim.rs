//! The words of SCIM 2.0 (RFC 7643, RFC 7644): which attributes are kept, filters, patches, and what of a resource is shown.
//! Nothing here knows a database, a clock or a caller. Resources are JSON whose attributes are named as the schemas name
//! them; whatever comes from outside is bounded.

pub mod filter;
pub mod patch;
pub mod projection;
pub mod schema;
pub mod wrong;

pub use schema::Resource;
pub use wrong::{Kind, Wrong};

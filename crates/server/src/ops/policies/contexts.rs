//! What contexts say of kinds of credentials beyond the organization: a context only tightens. What counts in a place is the
//! strictest of all that is said on the way there, whatever was said first, so that nothing that changes above loosens
//! anything below.

pub mod delete;
pub mod look;
pub mod set;
pub mod view;

/// Most policies that the contexts of one organization have together: all of them are in memory.
pub const COUNT_MAX: i64 = 2_000;

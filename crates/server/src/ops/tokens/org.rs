//! One organization's part of the tokens that are used in it. Whatever happens here, the parts of other organizations
//! stay as they are.

pub mod change;
pub mod look;

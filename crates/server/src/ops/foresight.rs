//! Foresight: what a change would break, before it is made.

pub mod dry_run;
mod replay;
pub mod view;

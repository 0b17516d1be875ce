//! Foresight: what a change would break, before it is made; who can do what now, and by what; what was given and is not used.

mod asked;
pub mod dry_run;
mod fit;
mod log;
mod replay;
pub mod right_size;
pub mod shrink;
mod standing;
mod usage;
pub mod view;
pub mod what_can;
pub mod who_can;
pub mod why;

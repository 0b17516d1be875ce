//! Applications: programs that organizations let in, with rights of their own. Whoever answers for a place grants an
//! application what it may do there; it acts with what its client secret is traded for, or with permanent tokens.

pub mod ask;
pub mod change;
pub mod contexts;
pub mod create;
pub mod filing;
pub mod holder;
pub mod install;
pub mod look;
pub mod require;
pub mod required;
pub mod secret;
pub mod sign_in;
pub mod tokens;
pub mod update;
pub mod view;

//! What happened: the access log (who called what, and what was answered) and activity (who changed what).

pub mod activity;
pub mod checkpoints;
pub mod chunks;
pub mod export;
pub mod filters;
pub mod histogram;
pub mod list;
pub mod proof;
pub mod question;
pub mod retention;
pub mod show;
pub mod span;
pub mod sql;
pub mod tail;
pub mod top;
pub mod turns;
pub mod view;

//! What happened: the access log (who called what, and what was answered) and activity (who changed what).

pub mod activity;
pub mod checkpoints;
pub mod chunks;
pub mod export;
pub mod filters;
pub mod list;
pub mod proof;
pub mod show;
pub mod view;

//! What happened: the access log (who called what, and what was answered) and activity (who changed what).

pub mod activity;
pub mod chunks;
pub mod export;
pub mod filters;
pub mod list;
pub mod show;
pub mod view;

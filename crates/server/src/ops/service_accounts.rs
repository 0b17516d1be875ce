//! Service accounts, at `/v1/orgs/{org}/service-accounts`: what programs act as. No person signs in with one; a member answers
//! for it, roles are given to it like to people, and access keys show it.

pub mod activity;
pub mod create;
pub mod look;
pub mod update;
pub mod view;

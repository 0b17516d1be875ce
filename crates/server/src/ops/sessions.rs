//! Signing in and out, and what one sees of oneself.

pub mod create;
pub mod end;
pub mod issue;
pub mod list;
pub mod me;
pub mod password;

use crate::authn::Actor;
use tegata_core::problem::{Code, Problem};

/// Refuses a token where only the person themself will do: tokens were given no permission about sessions and
/// passwords, and credentials do not manage credentials without one.
pub fn require_session(actor: &Actor) -> Result<(), Problem> {
    if actor.session.is_some() {
        Ok(())
    } else {
        Err(Problem::new(Code::Forbidden, "sign in for this; a token cannot do it"))
    }
}

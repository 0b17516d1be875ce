//! The plain fields of a new token: name, reason, addresses, end.

use super::world::World;
use crate::db::tokens::Token;
use crate::ops::addresses;
use crate::ops::tokens::bounds::is_within;
use crate::ops::tokens::broken::Broken;
use ipnet::IpNet;
use std::collections::BTreeMap;
use tegata_core::ids::OrgId;
use tegata_core::name;
use tegata_core::policy::LIFETIME_MAX;
use tegata_core::time::Timestamp;

/// Most address ranges of one token.
const ADDRESSES_MAX: usize = 50;

/// The plain fields of a body.
#[derive(Debug, Clone, Copy)]
pub struct Plain<'b> {
    /// What its owner calls it.
    pub name: &'b str,
    /// What it is for.
    pub reason: Option<&'b str>,
    /// When it ends; none where it shall not.
    pub expires_at: Option<&'b str>,
    /// Where it may be shown from.
    pub addresses: &'b [String],
}

/// What was read.
pub struct Fields {
    /// Where the token may be shown from.
    pub addresses: Vec<IpNet>,
    /// When it ends, if that could be read.
    pub expires_at: Option<Timestamp>,
}

/// Reads them. What a token makes counts from no address from which it does not count itself.
pub fn read(body: &Plain<'_>, acting: Option<&Token>, now: Timestamp, broken: &mut Broken) -> Fields {
    broken.take("name", name::check_title(body.name));
    broken.take("reason", name::check_reason(body.reason.unwrap_or_default()));
    let expires_at = match body.expires_at {
        Some(text) => broken.take("expires_at", text.parse::<Timestamp>()),
        None => None,
    };
    if expires_at.is_some_and(|moment| moment <= now) {
        broken.note("expires_at", "this moment is over; a token ends in the future");
    }
    let outer = acting.map_or(&[][..], |acting| &acting.addresses);
    let addresses = addresses::read(body.addresses, "a token", ADDRESSES_MAX, broken);
    if body.addresses.is_empty() {
        return Fields { addresses: outer.to_vec(), expires_at };
    }
    if !is_within(&addresses, outer) {
        broken.note("addresses", "the token that makes this one counts from fewer addresses");
    }
    Fields { addresses, expires_at }
}

/// Checks the end against what every organization allows, and against the end of the token that acts.
pub fn check_expiry(
    expires_at: Option<Timestamp>,
    worlds: &BTreeMap<OrgId, World>,
    acting: Option<&Token>,
    now: Timestamp,
    broken: &mut Broken,
) {
    let Some(expires_at) = expires_at else { return };
    let mut latest = (now.plus(LIFETIME_MAX), "a token lives at most 365 days".to_owned());
    for world in worlds.values() {
        let limit = now.plus(world.max_lifetime);
        if limit < latest.0 {
            latest = (limit, format!("the policy of {} gives tokens a shorter life", world.org.key));
        }
    }
    if let Some(acting) = acting.filter(|acting| acting.expires_at < latest.0) {
        latest = (acting.expires_at, "a token makes none that outlives it".to_owned());
    }
    if expires_at > latest.0 {
        broken.note("expires_at", format!("{}: the latest moment is {}", latest.1, latest.0));
    }
}

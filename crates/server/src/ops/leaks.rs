//! Secrets that leaked: whoever has one may have it stopped, and scanners of public places tell of those that they find. See
//! docs/leaks.md.
//!
//! Nobody is signed in here. What is stopped is written down like every change, as the doing of whoever had the secret.

pub mod github;
pub mod revoke;
pub mod stop;

use crate::send::Destination;
use crate::verify::unknown::rate::{Buckets, Rate};
use github::Keys;
use std::num::NonZeroU32;

/// Secrets a second that are taken of one address; ten times as many at once.
const OF_ONE: u32 = 3;
/// Secrets a second that are taken altogether.
const OF_ALL: u32 = 50;

/// What the doors for leaked secrets need to remember.
#[derive(Debug)]
pub struct Leaks {
    of_one: Buckets,
    of_all: Buckets,
    /// Where GitHub's keys are; none where its alerts are not taken.
    pub github: Option<Destination>,
    /// GitHub's keys.
    pub keys: Keys,
}

impl Leaks {
    /// Taking GitHub's alerts, if its keys are somewhere.
    pub fn new(github: Option<Destination>) -> Self {
        let rate = |number| Buckets::new(Rate::per_second(NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN)));
        Self { of_one: rate(OF_ONE), of_all: rate(OF_ALL), github, keys: Keys::default() }
    }
}

//! The tests of the rule: examples in `table` and `places`, what policies say in `policies`, one reason before another in `precedence`, what
//! holds for all facts in `properties`, measured against the slow `reference`, and what comes of passing rights on, step by
//! step, in `passing_on`.

mod passing_on;
mod places;
mod policies;
mod precedence;
mod properties;
mod reference;
mod scene;
mod strategies;
mod table;

//! Proof that the log is what it was: signing, crashes, checking, and proofs of single records.

mod checking;
mod crashes;
mod kept;
mod proving;
mod random;
mod retained;
mod signing;
mod tampering;
mod world;

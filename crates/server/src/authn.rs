//! What was presented, and who acts. The only room that makes, hashes or looks up a secret, and the only one that
//! knows what "expired" means for whoever calls Tegata's own API.

pub mod descriptor;
pub mod hasher;
pub mod identify;
pub mod imported;
pub mod key_file;
pub mod mint;
pub mod password;
pub mod sealing;
pub mod throttle;
pub mod webhook_secret;

pub use hasher::{Digest, Hasher};
pub use identify::{Actor, Door, Presented, identify};
pub use sealing::Sealer;
pub use webhook_secret::WebhookSecret;

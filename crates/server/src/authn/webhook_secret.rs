//! The secret under which a webhook's deliveries are signed, and the signature (Standard Webhooks, "Signature scheme":
//! HMAC-SHA-256 over id, timestamp and body). Whoever receives has the same secret, so it has to be used again and is
//! stored sealed.

use super::sealing::{SealError, Sealer};
use crate::app::Entropy;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::SecretString;
use sha2::Sha256;
use std::fmt;
use tegata_core::time::Timestamp;
use zeroize::Zeroizing;

/// Bytes of a secret; the specification wants 24 to 64.
const SECRET_BYTES: usize = 32;

/// A signing secret of a webhook.
pub struct WebhookSecret(Zeroizing<Vec<u8>>);

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

impl WebhookSecret {
    /// Makes a fresh one.
    pub fn generate(entropy: &Entropy) -> Self {
        let mut secret = Zeroizing::new(vec![0; SECRET_BYTES]);
        entropy.fill(&mut secret);
        Self(secret)
    }

    /// Reads one that was sealed for this thing.
    pub fn open(sealer: &Sealer, about: &str, stored: &str) -> Result<Self, SealError> {
        sealer.open(about, stored).map(Self)
    }

    /// Those that sign at a moment: the current one, and the former while it still counts. `about` is the id of what they were
    /// sealed for.
    pub fn signing(
        sealer: &Sealer,
        about: &str,
        current: &str,
        former: Option<(&str, Timestamp)>,
        now: Timestamp,
    ) -> Result<Vec<Self>, SealError> {
        let mut secrets = vec![Self::open(sealer, about, current)?];
        if let Some((former, until)) = former
            && until > now
        {
            secrets.push(Self::open(sealer, about, former)?);
        }
        Ok(secrets)
    }

    /// As it is stored.
    pub fn seal(&self, sealer: &Sealer, entropy: &Entropy, about: &str) -> Result<String, SealError> {
        sealer.seal(entropy, about, &self.0)
    }

    /// As receivers write it: `whsec_` and base64.
    pub fn text(&self) -> SecretString {
        SecretString::from(format!("whsec_{}", BASE64.encode(self.0.as_slice())))
    }

    /// The signature of a delivery: `v1,` and base64. `timestamp` is in seconds since 1970.
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        // The error of `new_from_slice` is about key lengths that HMAC does not have: every length is taken.
        let mut state = Hmac::<Sha256>::new_from_slice(&self.0)
            .unwrap_or_else(|_| Hmac::new(&hmac::digest::Key::<Hmac<Sha256>>::default()));
        state.update(format!("{id}.{timestamp}.").as_bytes());
        state.update(body);
        format!("v1,{}", BASE64.encode(state.finalize().into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret as _;

    #[test]
    fn signs_as_the_specification_does() {
        // The example of the specification.
        let secret = WebhookSecret(Zeroizing::new(BASE64.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap()));
        let body = br#"{"test": 2432232314}"#;
        let signature = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(secret.text().expose_secret(), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    }
}

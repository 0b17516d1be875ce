//! The verifier that last asked on a connection. It asks with the same header again and again: the header is compared
//! with the one before, and where it is the same, its digest is known. Whether that verifier may still ask is looked up
//! each time, so that one that was stopped is refused with its very next call.

use super::Verify;
use super::entry::VerifierEntry;
use crate::authn::{Digest, Presented};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use parking_lot::Mutex;
use std::fmt;
use std::sync::Arc;
use tegata_core::problem::Problem;
use zeroize::Zeroizing;

/// What a connection remembers of the verifier that last asked on it.
#[derive(Default)]
pub struct Remembered(Mutex<Option<Shown>>);

/// What was shown, and the digest under which its verifier was found.
struct Shown {
    header: Zeroizing<Vec<u8>>,
    digest: Digest,
}

impl Remembered {
    /// The digest of what is shown, where it is the same as the last time.
    fn digest(&self, header: &[u8]) -> Option<Digest> {
        let shown = self.0.lock();
        let same = |shown: &&Shown| verify_slices_are_equal(&shown.header, header).is_ok();
        shown.as_ref().filter(same).map(|shown| shown.digest)
    }

    fn keep(&self, header: &[u8], digest: Digest) {
        *self.0.lock() = Some(Shown { header: Zeroizing::new(header.to_vec()), digest });
    }
}

impl fmt::Debug for Remembered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Remembered(…)")
    }
}

impl Verify {
    /// Who asks with the same header as the last time, where that verifier is in memory and may ask.
    pub fn verifier_again(&self, remembered: &Remembered, header: &[u8]) -> Option<Arc<VerifierEntry>> {
        let digest = remembered.digest(header)?;
        let verifier = self.index.verifiers.pin().get(&digest).cloned()?;
        verifier.may_ask(self.clock.now()).then_some(verifier)
    }

    /// Who asks, to be remembered by the header that said it, if there was one.
    pub async fn verifier_remembered(
        &self,
        remembered: &Remembered,
        header: Option<&[u8]>,
        presented: &Presented,
    ) -> Result<Arc<VerifierEntry>, Problem> {
        let (digest, verifier) = self.identify(presented).await?;
        if let Some(header) = header {
            remembered.keep(header, digest);
        }
        Ok(verifier)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_header_is_known_again() {
        let remembered = Remembered::default();
        assert!(remembered.digest(b"Bearer a").is_none());
        assert!(remembered.digest(b"").is_none());
        remembered.keep(b"Bearer a", Digest([1; 32]));
        assert_eq!(remembered.digest(b"Bearer a"), Some(Digest([1; 32])));
        for other in [&b"Bearer b"[..], b"Bearer ", b"Bearer aa", b"bearer a", b""] {
            assert!(remembered.digest(other).is_none());
        }
        remembered.keep(b"Bearer b", Digest([2; 32]));
        assert_eq!(remembered.digest(b"Bearer b"), Some(Digest([2; 32])));
        assert!(remembered.digest(b"Bearer a").is_none(), "the last one only");
        assert!(!format!("{remembered:?}").contains("Bearer"));
    }
}

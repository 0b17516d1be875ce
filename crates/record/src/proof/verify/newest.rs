//! What was signed last of an organization: for whoever keeps checkpoints elsewhere.

use crate::proof::checkpoint::Checkpoint;
use crate::proof::names::TreeName;
use crate::proof::signer;
use crate::proof::store::{self, Kind, StoreError};
use crate::proof::verify::Verifier;

/// A checkpoint, and the note in which it was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    /// What it says.
    pub checkpoint: Checkpoint,
    /// As it was signed.
    pub note: String,
}

impl Verifier {
    /// The newest final checkpoint of an organization, if a day has ended, and then the newest of each tree that is
    /// open. Notes that do not hold are passed over.
    pub fn newest(&self, organization: Option<&str>) -> Result<Vec<SignedCheckpoint>, StoreError> {
        let mut found = Vec::new();
        let (closings, _) = store::read_tail(&self.store.closings(organization))?;
        found.extend(self.newest_of(&closings, |checkpoint| {
            checkpoint.is_final && checkpoint.tree.organization.as_deref() == organization
        }));
        for (day, part) in store::trees(&self.store.organization(organization), Kind::Open)? {
            let tree = TreeName { organization: organization.map(Into::into), day, part };
            let (notes, _) = store::read_tail(&self.store.tree(&tree, Kind::Open))?;
            let newest = self.newest_of(&notes, |checkpoint| checkpoint.tree == tree);
            // A tree that was closed and not tidied up yet is there twice.
            found.extend(newest.filter(|_| found.first().is_none_or(|closing| closing.checkpoint.tree != tree)));
        }
        Ok(found)
    }

    /// The first day of an organization of which more is kept than the final checkpoint: its records have to be there,
    /// since the rest is removed only when they are dropped. `None` if there is no such day.
    pub fn first_day(&self, organization: Option<&str>) -> Result<Option<i64>, StoreError> {
        let directory = self.store.organization(organization);
        let days = [Kind::Open, Kind::Closed].map(|kind| store::trees(&directory, kind));
        let mut first: Option<i64> = None;
        for trees in days {
            let earliest = trees?.first().map(|(day, _)| *day);
            first = first.into_iter().chain(earliest).min();
        }
        Ok(first)
    }

    fn newest_of(&self, notes: &[u8], is_own: impl Fn(&Checkpoint) -> bool) -> Option<SignedCheckpoint> {
        let newest = signer::newest(notes, |note| {
            let checkpoint = Checkpoint::parse(self.key.open(note).ok()?).ok()?;
            (checkpoint.log == self.log && is_own(&checkpoint)).then_some(checkpoint)
        });
        newest.found.map(|(note, checkpoint)| SignedCheckpoint { checkpoint, note })
    }
}

//! The one-time set-up token. Whoever can read the server's output becomes its first administrator; only a digest of
//! the token is stored, and it is taken away when it is used.

use crate::app::App;
use crate::authn::mint::mint;
use crate::db::{self, DbError, Tx, WriteTx, installation};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use secrecy::SecretString;
use tegata_core::secret::{SecretKind, classify};

/// Makes a new set-up token while nobody administers the installation, and takes the old one away in any case.
pub(super) async fn renew_setup_token(app: &App, tx: &mut WriteTx) -> Result<Option<SecretString>, DbError> {
    if has_administrator(tx).await? {
        take_any(tx).await?;
        return Ok(None);
    }
    let minted = mint(&app.hasher, &app.entropy, &app.product, SecretKind::Setup);
    installation::set(tx, installation::SETUP_DIGEST, &minted.digest.to_hex()).await?;
    Ok(Some(minted.text))
}

/// Whether somebody administers the publisher's organization.
pub(super) async fn has_administrator(tx: &mut Tx) -> Result<bool, DbError> {
    match db::orgs::publisher(tx).await? {
        Some(publisher) => Ok(db::assignments::count_administrators(tx, publisher.id).await? > 0),
        None => Ok(false),
    }
}

/// The stored digest, if this is the set-up token. Compared in constant time.
pub(super) async fn matching(app: &App, tx: &mut Tx, text: &str) -> Result<Option<String>, DbError> {
    let stored = installation::get(tx, installation::SETUP_DIGEST).await?;
    if classify(&app.product, text) != Some(SecretKind::Setup) {
        return Ok(None);
    }
    let shown = [Some(app.hasher.digest(text)), app.hasher.previous_digest(text)];
    Ok(stored.filter(|stored| {
        shown
            .iter()
            .flatten()
            .any(|digest| verify_slices_are_equal(digest.to_hex().as_bytes(), stored.as_bytes()).is_ok())
    }))
}

/// Takes the stored digest away, whatever it is.
pub(super) async fn take_any(tx: &mut WriteTx) -> Result<(), DbError> {
    match installation::get(tx, installation::SETUP_DIGEST).await? {
        Some(digest) => installation::take(tx, installation::SETUP_DIGEST, &digest).await,
        None => Ok(()),
    }
}

//! The key that signs: that of the key file, or a fresh one that is put there.

use crate::app::App;
use crate::authn::key_file::{self, KeyFileError, Keys, SigningSecret};
use crate::db::installation;
use crate::serve::{Config, StartError};

/// What signs the access log. A key file of an earlier version gets a key here.
///
/// `None`, and the reason in the log, if there is none and none can be made: the key file cannot be written, or it is an
/// older copy than the proofs, which a fresh key could not go on with.
pub async fn prepare(config: &Config, app: &App, mut keys: Keys) -> Result<Option<SigningSecret>, StartError> {
    if let Some(secret) = keys.signing {
        return Ok(Some(secret));
    }
    let file = config.key_file();
    if config.proofs().join("node").join("checkpoints").exists() {
        tracing::error!(
            file = %file.display(), proofs = %config.proofs().display(),
            "the access log is not signed: the key file does not hold the key that signed these proofs; put its newer copy back, or move the proofs away"
        );
        return Ok(None);
    }
    let mut tx = app.db.read().await?;
    let installation = installation::get(&mut tx, installation::INSTALLATION_ID).await?.unwrap_or_default();
    drop(tx);
    // Not the public URL: it may change, and a key cannot be given another name.
    keys.signing = Some(SigningSecret::generate(format!("tegata-{installation}"), &app.entropy));
    match key_file::write(&file, &keys) {
        Ok(()) => {
            tracing::info!(file = %file.display(), "a key that signs the access log was added to the key file: renew the copy that is kept elsewhere");
            Ok(keys.signing)
        }
        Err(error @ KeyFileError::Unreadable(..)) => {
            tracing::error!(%error, "the access log is not signed: the key file has no key for it and cannot be written");
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

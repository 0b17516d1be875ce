//! Give an application a new client secret, where it is registered. What was signed in by the old one ends with it.

use super::holder::{held, require_covered};
use super::view::{ApplicationView, ApplicationWithSecret};
use crate::authn::mint::mint;
use crate::db::feed::Topic;
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::tokens::regenerate::{Body, checked_overlap};
use crate::ops::{Act, Change, Changes, Mutation};
use secrecy::ExposeSecret as _;
use serde_json::json;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};
use tegata_core::secret::SecretKind;

/// Give an application a new client secret.
#[derive(Debug, Clone)]
pub struct RegenerateClientSecret {
    /// The organization.
    pub org: String,
    /// Its id, client id or name.
    pub application: String,
    /// How.
    pub body: Body,
}

impl Mutation for RegenerateClientSecret {
    const OPERATION: &'static Operation = operations::APPLICATION_SECRET_REGENERATE;
    type Output = ApplicationWithSecret;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Self::Output, Changes), Problem> {
        let held = held(act, Self::OPERATION, &self.org, &self.application).await?;
        let overlap = checked_overlap(&self.body)?;
        if !held.at_home() {
            let detail = "the client secret is changed where the application is registered; block it, or remove it";
            return Err(Problem::new(Code::Forbidden, detail));
        }
        super::change::require_alive(act, &held).await?;
        require_covered(act, &held).await?;
        let (app, now, id) = (act.app, act.now, held.application.id);
        let (subject, ends_at) = (id.to_string(), now.plus(overlap));
        let minted = mint(&app.hasher, &app.entropy, &app.product, SecretKind::ClientSecret);
        db::secrets::end_at(&mut act.tx, &subject, ends_at).await.map_err(internal)?;
        db::secrets::insert(&mut act.tx, minted.digest, minted.key_id, &subject, now).await.map_err(internal)?;
        let mut change = Change::new(held.allowed.org.id, id)
            .after(json!({"name": held.application.name, "secret": "replaced", "old_secret_ends_at": ends_at}))
            .because(self.body.reason.as_deref());
        for install in db::applications::installs(act.tx(), id).await.map_err(internal)? {
            db::secrets::end_at(&mut act.tx, &install.token.to_string(), ends_at).await.map_err(internal)?;
            change = change.feed(Topic::Token, None, install.token);
        }
        let view = ApplicationView::of(act, &held).await.map_err(internal)?;
        let client_secret = minted.text.expose_secret().to_owned();
        Ok((ApplicationWithSecret { view, client_secret }, change.into()))
    }
}

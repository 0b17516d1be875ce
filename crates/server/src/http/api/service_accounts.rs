//! `/v1/orgs/{org}/service-accounts` and `/v1/orgs/{org}/access-keys`: what programs act as, and what shows it;
//! `/v1/access-keys/sign-in`.

use crate::http::routes::{NoBody, Routes};
use crate::ops::PageRequest;
use crate::ops::access_keys::change::{BlockAccessKey, RevokeAccessKey, UnblockAccessKey};
use crate::ops::access_keys::create::{self as create_key, CreateAccessKey};
use crate::ops::access_keys::look::{ListAccessKeys, ListParams, ShowAccessKey};
use crate::ops::access_keys::regenerate::{self, RegenerateAccessKey};
use crate::ops::access_keys::sign_in::{Form, SignInWithKey};
use crate::ops::service_accounts::activity::{ActivateServiceAccount, DeactivateServiceAccount};
use crate::ops::service_accounts::create::{self, CreateServiceAccount};
use crate::ops::service_accounts::look::{ListServiceAccounts, ShowServiceAccount};
use crate::ops::service_accounts::update::{self, UpdateServiceAccount};
use crate::ops::tokens::org::change::OnPart;
use crate::ops::tokens::revoke;

/// The routes.
pub fn routes() -> Routes {
    accounts().merge(keys())
}

fn accounts() -> Routes {
    Routes::new()
        .mutation::<CreateServiceAccount, create::Body, _>(201, |path, body| {
            Ok(CreateServiceAccount { org: path.get("org"), body })
        })
        .query::<ListServiceAccounts, PageRequest, _>(|path, page| {
            Ok(ListServiceAccounts { org: path.get("org"), page })
        })
        .query::<ShowServiceAccount, NoBody, _>(|path, _| {
            Ok(ShowServiceAccount { org: path.get("org"), account: path.get("account") })
        })
        .mutation::<UpdateServiceAccount, update::Body, _>(200, |path, body| {
            Ok(UpdateServiceAccount { org: path.get("org"), account: path.get("account"), body })
        })
        .mutation::<DeactivateServiceAccount, revoke::Body, _>(200, |path, body| {
            Ok(DeactivateServiceAccount { org: path.get("org"), account: path.get("account"), body })
        })
        .mutation::<ActivateServiceAccount, revoke::Body, _>(200, |path, body| {
            Ok(ActivateServiceAccount { org: path.get("org"), account: path.get("account"), body })
        })
}

fn keys() -> Routes {
    let on = |org: String, token, body: revoke::Body| OnPart { org, token, body };
    Routes::new()
        .mutation_prepared::<CreateAccessKey, create_key::Body, _, _>(201, |app, caller, path, body| async move {
            CreateAccessKey::prepare(&app, &caller, path.get("org"), body).await
        })
        .query::<ListAccessKeys, ListParams, _>(|path, params| Ok(ListAccessKeys { org: path.get("org"), params }))
        .query::<ShowAccessKey, NoBody, _>(|path, _| {
            Ok(ShowAccessKey { org: path.get("org"), key: path.id("access_key")? })
        })
        .mutation::<BlockAccessKey, revoke::Body, _>(200, move |path, body| {
            Ok(BlockAccessKey(on(path.get("org"), path.id("access_key")?, body)))
        })
        .mutation::<UnblockAccessKey, revoke::Body, _>(200, move |path, body| {
            Ok(UnblockAccessKey(on(path.get("org"), path.id("access_key")?, body)))
        })
        .mutation::<RevokeAccessKey, revoke::Body, _>(200, move |path, body| {
            Ok(RevokeAccessKey(on(path.get("org"), path.id("access_key")?, body)))
        })
        .mutation_prepared::<RegenerateAccessKey, regenerate::Body, _, _>(200, |app, caller, path, body| async move {
            RegenerateAccessKey::prepare(&app, &caller, path.get("org"), path.id("access_key")?, body).await
        })
        .mutation_prepared::<SignInWithKey, Form, _, _>(201, |app, caller, _, body| async move {
            SignInWithKey::prepare(&app, &caller, body).await
        })
}

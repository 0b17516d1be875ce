//! `/v1/orgs/{org}/applications`: programs that organizations let in; `/v1/applications/sign-in`.

use crate::http::routes::{NoBody, Routes};
use crate::ops::PageRequest;
use crate::ops::applications::ask::{self, AskRights};
use crate::ops::applications::change::{BlockApplication, OnApplication, UnblockApplication, UninstallApplication};
use crate::ops::applications::contexts::{self, AddContexts, RemoveContext};
use crate::ops::applications::create::{self, CreateApplication};
use crate::ops::applications::install::{self, InstallApplication};
use crate::ops::applications::look::{
    ListApplications, ListOffers, ListParams, ListRights, RightParams, ShowApplication,
};
use crate::ops::applications::require::{self, RequireRights};
use crate::ops::applications::secret::RegenerateClientSecret;
use crate::ops::applications::sign_in::{Form, SignInApplication};
use crate::ops::applications::tokens::{self, CreateApplicationToken, ListApplicationTokens, RevokeApplicationToken};
use crate::ops::applications::update::{self, UpdateApplication};
use crate::ops::tokens::{regenerate, revoke};

/// The routes.
pub fn routes() -> Routes {
    themselves().merge(rights()).merge(secrets())
}

fn themselves() -> Routes {
    let on = |org, application, body: revoke::Body| OnApplication { org, application, body };
    Routes::new()
        .mutation::<CreateApplication, create::Body, _>(201, |path, body| {
            Ok(CreateApplication { org: path.get("org"), body })
        })
        .query::<ListApplications, ListParams, _>(|path, params| Ok(ListApplications { org: path.get("org"), params }))
        .query::<ListOffers, PageRequest, _>(|path, page| Ok(ListOffers { org: path.get("org"), page }))
        .query::<ShowApplication, NoBody, _>(|path, _| {
            Ok(ShowApplication { org: path.get("org"), application: path.get("application") })
        })
        .mutation::<UpdateApplication, update::Body, _>(200, |path, body| {
            Ok(UpdateApplication { org: path.get("org"), application: path.get("application"), body })
        })
        .mutation::<InstallApplication, install::Body, _>(201, |path, body| {
            Ok(InstallApplication { org: path.get("org"), application: path.get("application"), body })
        })
        .mutation::<BlockApplication, revoke::Body, _>(200, move |path, body| {
            Ok(BlockApplication(on(path.get("org"), path.get("application"), body)))
        })
        .mutation::<UnblockApplication, revoke::Body, _>(200, move |path, body| {
            Ok(UnblockApplication(on(path.get("org"), path.get("application"), body)))
        })
        .mutation::<UninstallApplication, revoke::Body, _>(200, move |path, body| {
            Ok(UninstallApplication(on(path.get("org"), path.get("application"), body)))
        })
}

fn rights() -> Routes {
    Routes::new()
        .mutation::<RequireRights, require::Body, _>(200, |path, body| {
            Ok(RequireRights { org: path.get("org"), application: path.get("application"), body })
        })
        .mutation::<AskRights, ask::Body, _>(201, |path, body| {
            Ok(AskRights { org: path.get("org"), application: path.get("application"), body })
        })
        .query::<ListRights, RightParams, _>(|path, params| {
            Ok(ListRights { org: path.get("org"), application: path.get("application"), params })
        })
        .mutation::<AddContexts, contexts::Body, _>(201, |path, body| {
            Ok(AddContexts { org: path.get("org"), application: path.get("application"), body })
        })
        .mutation::<RemoveContext, NoBody, _>(200, |path, _| {
            let (org, application) = (path.get("org"), path.get("application"));
            Ok(RemoveContext { org, application, context: path.get("context") })
        })
}

fn secrets() -> Routes {
    Routes::new()
        .mutation::<RegenerateClientSecret, regenerate::Body, _>(200, |path, body| {
            Ok(RegenerateClientSecret { org: path.get("org"), application: path.get("application"), body })
        })
        .mutation::<CreateApplicationToken, tokens::Body, _>(201, |path, body| {
            Ok(CreateApplicationToken { org: path.get("org"), application: path.get("application"), body })
        })
        .query::<ListApplicationTokens, PageRequest, _>(|path, page| {
            Ok(ListApplicationTokens { org: path.get("org"), application: path.get("application"), page })
        })
        .mutation::<RevokeApplicationToken, revoke::Body, _>(200, |path, body| {
            let (org, application) = (path.get("org"), path.get("application"));
            Ok(RevokeApplicationToken { org, application, token: path.id("token")?, body })
        })
        .mutation_prepared::<SignInApplication, Form, _, _>(201, |app, caller, _, body| async move {
            SignInApplication::prepare(&app, &caller, body).await
        })
}

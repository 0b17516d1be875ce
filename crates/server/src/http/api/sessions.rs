//! `/v1/setup`, `/v1/sessions` and `/v1/me`: the first administrator, signing in and out, oneself.

use crate::http::routes::{NoBody, Routes};
use crate::ops::PageRequest;
use crate::ops::sessions::create::{SignIn, SignInForm};
use crate::ops::sessions::end::EndSession;
use crate::ops::sessions::list::ListSessions;
use crate::ops::sessions::me::ShowMe;
use crate::ops::sessions::password::{ChangePassword, PasswordForm};
use crate::ops::setup::complete::{CompleteSetup, SetupForm};

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
        .mutation_prepared::<CompleteSetup, SetupForm, _, _>(201, |app, _, _, body| async move {
            CompleteSetup::prepare(&app, body).await
        })
        .mutation_prepared::<SignIn, SignInForm, _, _>(201, |app, caller, _, body| async move {
            SignIn::prepare(&app, &caller, body).await
        })
        .query::<ListSessions, PageRequest, _>(|_, page| Ok(ListSessions { page }))
        .mutation::<EndSession, NoBody, _>(200, |path, _| Ok(EndSession { session: path.get("session") }))
        .query::<ShowMe, NoBody, _>(|_, _| Ok(ShowMe))
        .mutation_prepared::<ChangePassword, PasswordForm, _, _>(200, |app, caller, _, body| async move {
            ChangePassword::prepare(&app, &caller, body).await
        })
}

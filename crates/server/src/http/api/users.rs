//! `/v1/users`: accounts of people.

use crate::http::routes::{NoBody, Routes};
use crate::ops::PageRequest;
use crate::ops::users::activate::ActivateUser;
use crate::ops::users::create::{CreateUser, NewUser};
use crate::ops::users::deactivate::DeactivateUser;
use crate::ops::users::list::ListUsers;
use crate::ops::users::show::ShowUser;

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
        .mutation_prepared::<CreateUser, NewUser, _, _>(201, |app, caller, _, body| async move {
            CreateUser::prepare(&app, &caller, body).await
        })
        .query::<ListUsers, PageRequest, _>(|_, page| Ok(ListUsers { page }))
        .query::<ShowUser, NoBody, _>(|path, _| Ok(ShowUser { user: path.get("user") }))
        .mutation::<DeactivateUser, NoBody, _>(200, |path, _| Ok(DeactivateUser { user: path.get("user") }))
        .mutation::<ActivateUser, NoBody, _>(200, |path, _| Ok(ActivateUser { user: path.get("user") }))
}

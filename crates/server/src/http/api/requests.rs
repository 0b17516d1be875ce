//! `/v1/me/requests` and `/v1/orgs/{org}/requests`: what was asked for and needs somebody's word.

use crate::http::routes::{NoBody, Routes};
use crate::ops::requests::ask::{self, FileRequest};
use crate::ops::requests::decide::{self, DecideRequest};
use crate::ops::requests::look::{ListParams, ListRequests, ShowRequest};
use crate::ops::requests::mine::{self, ListOwnRequests, ShowOwnRequest, WithdrawRequest};
use crate::ops::requests::ungrant::{self, Ungrant};

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
        .query::<ListOwnRequests, ListParams, _>(|_, params| Ok(ListOwnRequests { params }))
        .mutation::<FileRequest, ask::Body, _>(201, |_, body| Ok(FileRequest { body }))
        .query::<ShowOwnRequest, NoBody, _>(|path, _| Ok(ShowOwnRequest { request: path.id("request")? }))
        .mutation::<WithdrawRequest, mine::Body, _>(200, |path, body| {
            Ok(WithdrawRequest { request: path.id("request")?, body })
        })
        .query::<ListRequests, ListParams, _>(|path, params| Ok(ListRequests { org: path.get("org"), params }))
        .query::<ShowRequest, NoBody, _>(|path, _| {
            Ok(ShowRequest { org: path.get("org"), request: path.id("request")? })
        })
        .mutation::<DecideRequest, decide::Body, _>(200, |path, body| {
            Ok(DecideRequest { org: path.get("org"), request: path.id("request")?, body })
        })
        .mutation::<Ungrant, ungrant::Body, _>(200, |path, body| {
            Ok(Ungrant { org: path.get("org"), request: path.id("request")?, body })
        })
}

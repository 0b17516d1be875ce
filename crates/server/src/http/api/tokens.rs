//! `/v1/me/tokens`: one's own tokens; `/v1/orgs/{org}/tokens`: an organization's part of those that are used in it.

use crate::http::routes::{NoBody, Routes};
use crate::ops::PageRequest;
use crate::ops::tokens::create::{self, CreateToken};
use crate::ops::tokens::legacy::{self, CreateLegacyToken};
use crate::ops::tokens::look::{ListTokens, ShowToken};
use crate::ops::tokens::org::change::{BlockOrgToken, OnPart, RevokeOrgToken, UnblockOrgToken};
use crate::ops::tokens::org::look::{ListOrgTokens, ShowOrgToken};
use crate::ops::tokens::regenerate::{self, RegenerateToken};
use crate::ops::tokens::revoke::{self, RevokeToken};

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
        .mutation::<CreateToken, create::Body, _>(201, |_, body| Ok(CreateToken { body }))
        .mutation::<CreateLegacyToken, legacy::Body, _>(201, |_, body| Ok(CreateLegacyToken { body }))
        .query::<ListTokens, PageRequest, _>(|_, page| Ok(ListTokens { page }))
        .query::<ShowToken, NoBody, _>(|path, _| Ok(ShowToken { token: path.id("token")? }))
        .mutation::<RegenerateToken, regenerate::Body, _>(200, |path, body| {
            Ok(RegenerateToken { token: path.id("token")?, body })
        })
        .mutation::<RevokeToken, revoke::Body, _>(200, |path, body| Ok(RevokeToken { token: path.id("token")?, body }))
        .query::<ListOrgTokens, PageRequest, _>(|path, page| Ok(ListOrgTokens { org: path.get("org"), page }))
        .query::<ShowOrgToken, NoBody, _>(|path, _| Ok(ShowOrgToken { org: path.get("org"), token: path.id("token")? }))
        .mutation::<BlockOrgToken, revoke::Body, _>(200, |path, body| {
            Ok(BlockOrgToken(OnPart { org: path.get("org"), token: path.id("token")?, body }))
        })
        .mutation::<UnblockOrgToken, revoke::Body, _>(200, |path, body| {
            Ok(UnblockOrgToken(OnPart { org: path.get("org"), token: path.id("token")?, body }))
        })
        .mutation::<RevokeOrgToken, revoke::Body, _>(200, |path, body| {
            Ok(RevokeOrgToken(OnPart { org: path.get("org"), token: path.id("token")?, body }))
        })
}

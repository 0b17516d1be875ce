//! SCIM 2.0 (RFC 7644) at `/scim/v2/orgs/{org}`, for identity providers: the same use cases and frame as `/v1`, with the
//! media type, the headers and the errors that SCIM has.

mod shapes;
mod told;

pub use shapes::ScimError;
pub use told::{is_scim, not_found, wrong_method};

use super::problem::add_headers;
use super::routes::{
    BODY_MAX_BYTES, PathParams, RawPath, Routes, caller, idempotency_key, read_body, read_json, read_query,
};
use crate::app::App;
use crate::ops::scim::discovery::{ListSchemas, ListTypes, ShowConfiguration, ShowSchema, ShowType};
use crate::ops::scim::groups::{create::CreateGroup, delete::DeleteGroup, list as groups, update as group};
use crate::ops::scim::listing::{Listing, Params};
use crate::ops::scim::search::Search;
use crate::ops::scim::users::{create::CreateUser, delete::DeleteUser, list as users, update as user};
use crate::ops::{Mutation, Query, Reply};
use crate::scim::projection::Asked;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse as _;
use serde_json::{Map, Value};
use shapes::{ScimDocument, ScimGroup, ScimList, ScimPatch, ScimSearch, ScimUser};
use std::sync::Arc;
use tegata_core::problem::Problem;
use told::ScimTold;
use user::Update;
use utoipa::ToSchema;

/// The media type.
pub const MEDIA_TYPE: &str = "application/scim+json";

/// What came with a request, besides its path.
struct Sent {
    body: Map<String, Value>,
    if_match: Option<String>,
    params: Params,
}

impl Sent {
    fn asked(&self) -> Asked {
        Asked::of(self.params.attributes.as_deref(), self.params.excluded_attributes.as_deref())
    }

    fn update(self, path: &PathParams, id: &str) -> Update {
        let asked = self.asked();
        Update { org: path.get("org"), id: path.get(id), body: self.body, if_match: self.if_match, asked }
    }
}

/// The routes.
pub fn routes() -> Routes {
    let org = |path: &PathParams| path.get("org");
    let listing = |sent: &Sent| Listing::of(&sent.params);
    let searched = |sent: &Sent| Listing::of_search(&sent.body);
    let routes = Routes::new();
    let routes =
        looks::<ShowConfiguration, Params, ScimDocument>(routes, move |path, _| ShowConfiguration { org: org(path) });
    let routes = looks::<ListTypes, Params, ScimList>(routes, move |path, _| ListTypes { org: org(path) });
    let routes = looks::<ShowType, Params, ScimDocument>(routes, move |path, _| ShowType {
        org: org(path),
        name: path.get("type"),
    });
    let routes = looks::<ListSchemas, Params, ScimList>(routes, move |path, _| ListSchemas { org: org(path) });
    let routes = looks::<ShowSchema, Params, ScimDocument>(routes, move |path, _| ShowSchema {
        org: org(path),
        schema: path.get("schema"),
    });
    let routes = looks::<Search, ScimSearch, ScimList>(routes, move |path, sent| Search {
        org: org(path),
        listing: searched(&sent),
    });

    let routes = changes::<CreateUser, ScimUser, ScimUser>(routes, 201, move |path, sent| {
        let asked = sent.asked();
        CreateUser { org: org(path), body: sent.body, asked }
    });
    let routes = looks::<users::ListUsers, Params, ScimList>(routes, move |path, sent| users::ListUsers {
        org: org(path),
        listing: listing(&sent),
    });
    let routes = looks::<users::SearchUsers, ScimSearch, ScimList>(routes, move |path, sent| {
        users::SearchUsers(users::ListUsers { org: org(path), listing: searched(&sent) })
    });
    let routes = looks::<users::ShowUser, Params, ScimUser>(routes, move |path, sent| users::ShowUser {
        org: org(path),
        user: path.get("user"),
        asked: sent.asked(),
    });
    let routes = changes::<user::ReplaceUser, ScimUser, ScimUser>(routes, 200, |path, sent| {
        user::ReplaceUser(sent.update(path, "user"))
    });
    let routes = changes::<user::UpdateUser, ScimPatch, ScimUser>(routes, 200, |path, sent| {
        user::UpdateUser(sent.update(path, "user"))
    });
    let routes = changes::<DeleteUser, ScimDocument, ScimDocument>(routes, 204, move |path, sent| DeleteUser {
        org: org(path),
        user: path.get("user"),
        if_match: sent.if_match,
    });

    let routes = changes::<CreateGroup, ScimGroup, ScimGroup>(routes, 201, move |path, sent| {
        let asked = sent.asked();
        CreateGroup { org: org(path), body: sent.body, asked }
    });
    let routes = looks::<groups::ListGroups, Params, ScimList>(routes, move |path, sent| groups::ListGroups {
        org: org(path),
        listing: listing(&sent),
    });
    let routes = looks::<groups::SearchGroups, ScimSearch, ScimList>(routes, move |path, sent| {
        groups::SearchGroups(groups::ListGroups { org: org(path), listing: searched(&sent) })
    });
    let routes = looks::<groups::ShowGroup, Params, ScimGroup>(routes, move |path, sent| groups::ShowGroup {
        org: org(path),
        team: path.get("team"),
        asked: sent.asked(),
    });
    let routes = changes::<group::ReplaceGroup, ScimGroup, ScimGroup>(routes, 200, |path, sent| {
        group::ReplaceGroup(sent.update(path, "team"))
    });
    let routes = changes::<group::UpdateGroup, ScimPatch, ScimGroup>(routes, 200, |path, sent| {
        group::UpdateGroup(sent.update(path, "team"))
    });
    changes::<DeleteGroup, ScimDocument, ScimDocument>(routes, 204, move |path, sent| DeleteGroup {
        org: org(path),
        team: path.get("team"),
        if_match: sent.if_match,
    })
}

/// A route that changes something: input and output are the shapes that OpenAPI shows.
fn changes<M, I, O>(
    routes: Routes,
    status: u16,
    make: impl Fn(&PathParams, Sent) -> M + Clone + Send + Sync + 'static,
) -> Routes
where
    M: Mutation<Output = Value> + 'static,
    I: ToSchema,
    O: ToSchema,
{
    let handler = move |State(app): State<Arc<App>>, path: RawPath, request: Request| {
        let make = make.clone();
        async move {
            let (parts, body) = request.into_parts();
            let bytes = read_body(&parts.headers, body, BODY_MAX_BYTES).await?;
            let idempotency = idempotency_key(&app, &parts, &bytes)?;
            let caller = caller(&parts, idempotency)?;
            let work = make(&path.0, sent(&parts, &bytes)?);
            let reply = crate::ops::mutate(&app, &caller, status, &work).await?;
            Ok::<_, ScimTold>(render(&parts.headers, &reply))
        }
    };
    routes.add::<I, O, _, _>(M::OPERATION, status, handler)
}

/// A route that only looks.
fn looks<Q, I, O>(routes: Routes, make: impl Fn(&PathParams, Sent) -> Q + Clone + Send + Sync + 'static) -> Routes
where
    Q: Query<Output = Value> + 'static,
    I: ToSchema,
    O: ToSchema,
{
    let handler = move |State(app): State<Arc<App>>, path: RawPath, request: Request| {
        let make = make.clone();
        async move {
            let (parts, body) = request.into_parts();
            let bytes = read_body(&parts.headers, body, BODY_MAX_BYTES).await?;
            let caller = caller(&parts, None)?;
            let work = make(&path.0, sent(&parts, &bytes)?);
            let reply = crate::ops::query(&app, &caller, &work).await?;
            Ok::<_, ScimTold>(render(&parts.headers, &reply))
        }
    };
    routes.add::<I, O, _, _>(Q::OPERATION, 200, handler)
}

fn sent(parts: &axum::http::request::Parts, bytes: &[u8]) -> Result<Sent, Problem> {
    let if_match = parts.headers.get(header::IF_MATCH).and_then(|value| value.to_str().ok()).map(str::to_owned);
    Ok(Sent { body: read_json(bytes)?, if_match, params: read_query(parts.uri.query().unwrap_or_default())? })
}

fn render(asked: &HeaderMap, reply: &Reply) -> Response<Body> {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK);
    let meta = |name: &str| reply.body.get("meta")?.get(name)?.as_str();
    let version = meta("version");
    let known = asked.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let unchanged = status == StatusCode::OK
        && version.is_some_and(|version| known.is_some_and(|known| known.split(',').any(|tag| tag.trim() == version)));
    let mut response = match status {
        _ if unchanged => StatusCode::NOT_MODIFIED.into_response(),
        StatusCode::NO_CONTENT => status.into_response(),
        _ => {
            let mut response = (status, reply.body.to_string()).into_response();
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
            response
        }
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(version) = version.and_then(|version| HeaderValue::from_str(version).ok()) {
        headers.insert(header::ETAG, version);
    }
    let location = meta("location").filter(|_| status == StatusCode::CREATED);
    if let Some(location) = location.and_then(|location| HeaderValue::from_str(location).ok()) {
        headers.insert(header::LOCATION, location);
    }
    add_headers(headers, &reply.limit_headers);
    if reply.replayed {
        headers.insert("idempotency-replayed", HeaderValue::from_static("true"));
    }
    response
}

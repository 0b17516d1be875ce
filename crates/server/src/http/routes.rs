//! From a request to a use case and back. A route is a use case, the shape of its input, and a closure that joins the
//! path and the input; everything else, OpenAPI included, follows from the table of operations.

use super::problem::{Told, add_headers};
use crate::app::App;
use crate::authn::Presented;
use crate::ops::frame::IdempotencyKey;
use crate::ops::{Caller, Meta, Mutation, Query, Reply};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{MethodFilter, on};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use secrecy::SecretString;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use tegata_core::operations::Operation;
use tegata_core::problem::{Code, Problem};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// Largest body of an ordinary call.
pub const BODY_MAX_BYTES: usize = 256 * 1024;
/// Largest body of a catalogue import: the document's own limit, and room for its JSON dress.
pub const IMPORT_MAX_BYTES: usize = 20 * 1024 * 1024;

/// The address of the peer, as the accept loop saw it.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

/// The id of a request, as the accept loop made or took it.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// The parameters of a path by name, decoded.
#[derive(Debug, Default)]
pub struct PathParams(HashMap<String, String>);

impl PathParams {
    /// A parameter; empty when the path has none of this name, which no id is.
    pub fn get(&self, name: &str) -> String {
        self.0.get(name).cloned().unwrap_or_default()
    }

    /// A parameter that has to be an id; anything else cannot exist.
    pub fn id<I: std::str::FromStr>(&self, name: &str) -> Result<I, Problem> {
        self.0.get(name).and_then(|text| text.parse().ok()).ok_or_else(|| Problem::not_found(name))
    }
}

/// No body, or an empty object.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NoBody {}

/// What one route looks like from outside, for OpenAPI.
pub struct Face {
    /// The operation.
    pub operation: &'static Operation,
    /// The status of success.
    pub status: u16,
    /// The shape of the body or of the query parameters.
    pub input: Shape,
    /// The shape of the answer.
    pub output: Shape,
}

/// A schema with those that it refers to.
pub struct Shape {
    /// Its name.
    pub name: String,
    /// The schema itself.
    pub schema: RefOr<Schema>,
    /// What it refers to.
    pub others: Vec<(String, RefOr<Schema>)>,
}

impl Shape {
    /// The shape of a type.
    pub fn of<T: ToSchema>() -> Self {
        let mut others = Vec::new();
        T::schemas(&mut others);
        Self { name: T::name().into_owned(), schema: <T as PartialSchema>::schema(), others }
    }
}

/// Routes under construction.
#[derive(Default)]
pub struct Routes {
    router: Router<Arc<App>>,
    faces: Vec<Face>,
}

impl Routes {
    /// No routes.
    pub fn new() -> Self {
        Self::default()
    }

    /// A route that changes something. `status` is that of success: 200 or 201.
    #[must_use]
    pub fn mutation<M, B, F>(self, status: u16, make: F) -> Self
    where
        M: Mutation + 'static,
        M::Output: ToSchema,
        B: DeserializeOwned + ToSchema + Send + 'static,
        F: Fn(&PathParams, B) -> Result<M, Problem> + Clone + Send + Sync + 'static,
    {
        let limit = if M::OPERATION.id == "api.import" { IMPORT_MAX_BYTES } else { BODY_MAX_BYTES };
        let handler = move |State(app): State<Arc<App>>, path: RawPath, request: Request| {
            let make = make.clone();
            async move {
                let (parts, body) = request.into_parts();
                let bytes = read_body(&parts.headers, body, limit).await?;
                let idempotency = idempotency_key(&app, &parts, &bytes)?;
                let caller = caller(&parts, idempotency)?;
                let work = make(&path.0, read_json(&bytes)?)?;
                let reply = crate::ops::mutate(&app, &caller, status, &work).await?;
                Ok::<_, Told>(render(&reply))
            }
        };
        self.add::<B, M::Output, _, _>(M::OPERATION, status, handler)
    }

    /// A route that changes something, with work before it that must not run within the transaction: hashing a
    /// password. `prepare` gets the caller as well, so that it can find out who asks before it spends anything.
    #[must_use]
    pub fn mutation_prepared<M, B, F, W>(self, status: u16, prepare: F) -> Self
    where
        M: Mutation + 'static,
        M::Output: ToSchema,
        B: DeserializeOwned + ToSchema + Send + 'static,
        F: Fn(Arc<App>, Caller, PathParams, B) -> W + Clone + Send + Sync + 'static,
        W: Future<Output = Result<M, Problem>> + Send + 'static,
    {
        let handler = move |State(app): State<Arc<App>>, path: RawPath, request: Request| {
            let prepare = prepare.clone();
            async move {
                let (parts, body) = request.into_parts();
                let bytes = read_body(&parts.headers, body, BODY_MAX_BYTES).await?;
                let idempotency = idempotency_key(&app, &parts, &bytes)?;
                let caller = caller(&parts, idempotency)?;
                if let Some(reply) = crate::ops::frame::replayed(&app, &caller, M::OPERATION).await? {
                    return Ok(render(&reply));
                }
                let work = prepare(Arc::clone(&app), caller.clone(), path.0, read_json(&bytes)?).await?;
                let reply = crate::ops::mutate(&app, &caller, status, &work).await?;
                Ok::<_, Told>(render(&reply))
            }
        };
        self.add::<B, M::Output, _, _>(M::OPERATION, status, handler)
    }

    /// A route that only looks; its input comes from the query of the URL.
    #[must_use]
    pub fn query<Q, P, F>(self, make: F) -> Self
    where
        Q: Query + 'static,
        Q::Output: ToSchema,
        P: DeserializeOwned + ToSchema + Send + 'static,
        F: Fn(&PathParams, P) -> Result<Q, Problem> + Clone + Send + Sync + 'static,
    {
        let handler = move |State(app): State<Arc<App>>, path: RawPath, request: Request| {
            let make = make.clone();
            async move {
                let (parts, _) = request.into_parts();
                let caller = caller(&parts, None)?;
                let params = read_query(parts.uri.query().unwrap_or_default())?;
                let work = make(&path.0, params)?;
                let reply = crate::ops::query(&app, &caller, &work).await?;
                Ok::<_, Told>(render(&reply))
            }
        };
        self.add::<P, Q::Output, _, _>(Q::OPERATION, 200, handler)
    }

    /// A route with a handler of its own, which OpenAPI shows with these shapes.
    #[must_use]
    pub fn add<I: ToSchema, O: ToSchema, H, X>(mut self, operation: &'static Operation, status: u16, handler: H) -> Self
    where
        H: axum::handler::Handler<X, Arc<App>>,
        X: 'static,
    {
        let filter = match operation.method {
            "GET" => MethodFilter::GET,
            "PUT" => MethodFilter::PUT,
            "PATCH" => MethodFilter::PATCH,
            "DELETE" => MethodFilter::DELETE,
            _ => MethodFilter::POST,
        };
        self.router = self.router.route(operation.path, on(filter, handler));
        self.faces.push(Face { operation, status, input: Shape::of::<I>(), output: Shape::of::<O>() });
        self
    }

    /// Joins two sets of routes.
    #[must_use]
    pub fn merge(mut self, mut other: Self) -> Self {
        self.router = self.router.merge(other.router);
        self.faces.append(&mut other.faces);
        self
    }

    /// The router and what it looks like from outside.
    pub fn finish(self) -> (Router<Arc<App>>, Vec<Face>) {
        (self.router, self.faces)
    }
}

/// The path's parameters, taken before the body.
pub struct RawPath(pub PathParams);

impl<S: Send + Sync> axum::extract::FromRequestParts<S> for RawPath {
    type Rejection = Told;

    async fn from_request_parts(parts: &mut axum::http::request::Parts, state: &S) -> Result<Self, Told> {
        let params = axum::extract::Path::<HashMap<String, String>>::from_request_parts(parts, state).await;
        match params {
            // No name or id holds a NUL, and not every database could even be asked for one.
            Ok(axum::extract::Path(params)) if !params.values().any(|value| value.contains('\0')) => {
                Ok(Self(PathParams(params)))
            }
            _ => Err(Told(Problem::not_found("path"))),
        }
    }
}

/// Who calls, from the head of the request.
pub fn caller(parts: &axum::http::request::Parts, idempotency: Option<IdempotencyKey>) -> Result<Caller, Problem> {
    let text = |name: header::HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok());
    Ok(Caller {
        presented: presented(&parts.headers)?,
        meta: Meta {
            address: parts.extensions.get::<Peer>().map(|peer| peer.0),
            user_agent: text(header::USER_AGENT).map(|text| text.chars().take(256).collect()),
            accept_language: text(header::ACCEPT_LANGUAGE).map(|text| text.chars().take(256).collect()),
            request_id: parts.extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default(),
            path: parts.uri.path().to_owned(),
        },
        idempotency,
    })
}

/// The bearer secret of a request (RFC 6750 §2.1).
pub fn presented(headers: &HeaderMap) -> Result<Presented, Problem> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Ok(Presented::Nothing);
    };
    let wrong = || Problem::new(Code::Unauthenticated, "send one `Authorization: Bearer …` header");
    if values.next().is_some() {
        return Err(wrong());
    }
    let text = value.to_str().map_err(|_| wrong())?;
    let (scheme, secret) = text.split_once(' ').ok_or_else(wrong)?;
    if !scheme.eq_ignore_ascii_case("bearer") || secret.trim().is_empty() {
        return Err(wrong());
    }
    Ok(Presented::Bearer(SecretString::from(secret.trim())))
}

/// Reads a body up to a limit; it has to say that it is JSON.
pub async fn read_body(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, Problem> {
    let collected = Limited::new(body, limit).collect().await.map_err(|error| {
        if error.downcast_ref::<LengthLimitError>().is_some() {
            Problem::new(Code::BodyTooLarge, format!("a body here has at most {limit} bytes"))
        } else {
            Problem::new(Code::MalformedBody, "the body ended early")
        }
    })?;
    let bytes = collected.to_bytes();
    if !bytes.is_empty() {
        require_json(headers)?;
    }
    Ok(bytes)
}

/// A body that is there has to say that it is JSON.
pub fn require_json(headers: &HeaderMap) -> Result<(), Problem> {
    let json = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(|value| {
        if value == "application/json" {
            return true;
        }
        let kind = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        kind == "application/json" || kind.ends_with("+json")
    });
    if json { Ok(()) } else { Err(Problem::new(Code::UnsupportedMediaType, "send `Content-Type: application/json`")) }
}

/// Reads JSON, naming the field that does not fit.
///
/// What is sound is read at once; only what is not is read again, to find the place.
pub fn read_json<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Problem> {
    let bytes = if bytes.is_empty() { b"{}" } else { bytes };
    // A list would be read as the fields of an object, in their order.
    if bytes.trim_ascii_start().first() == Some(&b'[') {
        return Err(Problem::new(Code::MalformedBody, "send a JSON object, and no list"));
    }
    // What is known to be UTF-8 as a whole need not be looked at again text by text.
    if let Some(value) = std::str::from_utf8(bytes).ok().and_then(|text| serde_json::from_str(text).ok()) {
        refuse_nul(bytes)?;
        return Ok(value);
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let field = error.path().to_string();
        let message = error.inner().to_string();
        Problem::new(Code::MalformedBody, format!("{field}: {message}")).with(field, message)
    })?;
    reader.end().map_err(|_| Problem::new(Code::MalformedBody, "something follows the JSON value"))?;
    refuse_nul(bytes)?;
    Ok(value)
}

/// Refuses a NUL in any text: no name, key or reason holds one, and not every database can store it.
fn refuse_nul(bytes: &[u8]) -> Result<(), Problem> {
    // A NUL can only come as this escape; most bodies have no escapes at all, and only the others are looked through.
    if !bytes.contains(&b'\\') || !bytes.windows(6).any(|window| window == b"\\u0000") {
        return Ok(());
    }
    let value: serde_json::Value = serde_json::from_slice(bytes).unwrap_or_default();
    match nul_in(&value, String::new()) {
        Some(field) => {
            let message = "a text here cannot hold the character NUL";
            Err(Problem::new(Code::MalformedBody, format!("{field}: {message}")).with(field, message))
        }
        None => Ok(()),
    }
}

/// The path of the first text with a NUL.
fn nul_in(value: &serde_json::Value, at: String) -> Option<String> {
    use serde_json::Value;
    match value {
        Value::String(text) if text.contains('\0') => Some(at),
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(place, item)| nul_in(item, format!("{at}[{place}]")))
        }
        Value::Object(fields) => fields.iter().find_map(|(name, value)| {
            let dot = if at.is_empty() { "" } else { "." };
            if name.contains('\0') { Some(at.clone()) } else { nul_in(value, format!("{at}{dot}{name}")) }
        }),
        _ => None,
    }
}

/// Reads query parameters, naming the one that does not fit.
pub fn read_query<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    if query.contains("%00") {
        let message = "a parameter cannot hold the character NUL";
        return Err(Problem::new(Code::InvalidParameter, message).with("query", message));
    }
    let uri: axum::http::Uri = format!("/?{query}").parse().unwrap_or_default();
    axum::extract::Query::try_from_uri(&uri).map(|axum::extract::Query(value)| value).map_err(|rejection| {
        let message = rejection.body_text();
        Problem::new(Code::InvalidParameter, message.clone()).with("query", message)
    })
}

/// How a repetition of a request is recognized, where its sender wants that.
pub fn idempotency_key(
    app: &App,
    parts: &axum::http::request::Parts,
    body: &[u8],
) -> Result<Option<IdempotencyKey>, Problem> {
    let Some(value) = parts.headers.get("idempotency-key") else {
        return Ok(None);
    };
    let key = value.to_str().ok().filter(|key| !key.is_empty() && key.len() <= 255);
    let Some(key) = key else {
        let message = "an Idempotency-Key has 1 to 255 visible characters";
        return Err(Problem::new(Code::InvalidParameter, message).with("Idempotency-Key", message));
    };
    let mut asked = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    for part in [parts.method.as_str().as_bytes(), b" ", parts.uri.path().as_bytes(), b"\n", body] {
        asked.update(part);
    }
    // Keyed, since it is stored and a body may hold a password: a bare digest could be guessed at.
    let request_hash = app.hasher.digest(&crate::authn::hasher::hex(asked.finish().as_ref())).to_hex();
    Ok(Some(IdempotencyKey { key: key.to_owned(), request_hash }))
}

/// An answer as it is sent.
pub fn render(reply: &Reply) -> Response<Body> {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK);
    let mut response = (status, reply.body.to_string()).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    add_headers(headers, &reply.limit_headers);
    if reply.replayed {
        headers.insert("idempotency-replayed", HeaderValue::from_static("true"));
    }
    response
}

//! The client of `/v1`: one server, one credential, and problems told as errors of the command line.

use super::call::Call;
use super::credentials::Credentials;
use super::error::CliError;
use super::exit::Exit;
use crate::app::Entropy;
use clap::Args;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Response, StatusCode, Url};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use std::error::Error as _;
use std::net::IpAddr;
use std::time::Duration;
use tegata_core::operations::Guard;

/// The server when nothing is said.
const URL_DEFAULT: &str = "http://127.0.0.1:7700";
/// The variable that holds a token in place of a session.
pub const TOKEN_VARIABLE: &str = "TEGATA_TOKEN";
/// How often a call is sent again whose answer did not arrive.
const TRIES: u32 = 3;
/// Largest answer that is read as a whole.
const ANSWER_MAX_BYTES: usize = 64 * 1024 * 1024;

/// Which server.
#[derive(Debug, Clone, Default, Args)]
pub struct Remote {
    /// The server's URL; if not said, the one that was signed in to last
    #[arg(long, global = true, value_name = "URL", env = "TEGATA_URL", help_heading = "Server")]
    pub url: Option<String>,
}

/// What a call is made with.
#[derive(Debug, Clone)]
enum Credential {
    /// A secret.
    Known(SecretString),
    /// None, for calls that need none.
    Nothing,
}

/// A client of one server.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    server: Url,
    credential: Credential,
}

/// How long the next piece of an answer is waited for.
const PATIENCE: Duration = Duration::from_mins(2);

fn http(server: &Url, patience: Duration) -> Result<reqwest::Client, CliError> {
    let mut http = reqwest::Client::builder()
        .user_agent(concat!("tegata-cli/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(Duration::from_secs(10))
        .read_timeout(patience)
        // A credential follows no redirect.
        .redirect(reqwest::redirect::Policy::none());
    if server.scheme() == "http" {
        // Without TLS there is nothing to verify; looking for certificates would fail where there are none.
        http = http.tls_certs_only(std::iter::empty());
    }
    if is_local(server) {
        http = http.no_proxy();
    }
    http.build().map_err(|error| CliError::failed(format!("no connection can be made: {error}")))
}

impl Client {
    /// A client with the credential of the environment, or the session of the last sign-in at this server.
    pub fn open(remote: &Remote) -> Result<Self, CliError> {
        let from_env = std::env::var(TOKEN_VARIABLE).ok().filter(|token| !token.is_empty()).map(SecretString::from);
        // With a server and a token from outside, the file is not needed, and may not even have a place.
        if let (Some(url), Some(token)) = (&remote.url, &from_env) {
            return Self::with(&server_url(url)?, Some(token.clone()));
        }
        let stored = Credentials::read(&Credentials::path()?)?;
        let server = match remote.url.as_deref().or(stored.current.as_deref()) {
            Some(url) => server_url(url)?,
            None => server_url(URL_DEFAULT)?,
        };
        let session = stored.servers.get(&name_of(&server)).map(|known| known.token.clone());
        Self::with(&server, from_env.or(session))
    }

    /// A client without any credential.
    pub fn anonymous(remote: &Remote) -> Result<Self, CliError> {
        let stored = match &remote.url {
            Some(_) => None,
            None => Credentials::read(&Credentials::path()?)?.current,
        };
        let url = remote.url.as_deref().or(stored.as_deref()).unwrap_or(URL_DEFAULT);
        Self::with(&server_url(url)?, None)
    }

    /// A client of this server with this credential.
    pub fn with(server: &Url, credential: Option<SecretString>) -> Result<Self, CliError> {
        let credential = credential.map_or(Credential::Nothing, Credential::Known);
        Ok(Self { http: http(server, PATIENCE)?, server: server.clone(), credential })
    }

    /// The same client, which waits so long for the next piece of an answer: for calls that take their time.
    pub fn patient(&self, patience: Duration) -> Result<Self, CliError> {
        let (server, credential) = (self.server.clone(), self.credential.clone());
        Ok(Self { http: http(&server, patience)?, server, credential })
    }

    /// The server's name in the file of credentials.
    pub fn server_name(&self) -> String {
        name_of(&self.server)
    }

    /// Whether secrets would travel in clear text through a network.
    pub fn is_in_the_open(&self) -> bool {
        self.server.scheme() == "http" && !is_local(&self.server)
    }

    /// Calls an operation and reads its answer; one without a body is null.
    pub async fn call(&self, call: &Call) -> Result<Value, CliError> {
        let response = self.open_answer(call).await?;
        let bytes = read_whole(response).await?;
        if bytes.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&bytes).map_err(|_| {
            CliError::new(Exit::Unavailable, "unexpected_answer", "the server's answer is not JSON")
                .hint("look whether the URL is that of a Tegata server")
        })
    }

    /// Calls an operation whose answer is read piece by piece.
    pub async fn open_answer(&self, call: &Call) -> Result<Response, CliError> {
        let response = self.send(call).await?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let text = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (request_id, retry_after) = (text("x-request-id"), text("retry-after"));
        let body = read_whole(response).await.unwrap_or_default();
        let mut error = CliError::of_answer(status.as_u16(), &body);
        if status.is_server_error() {
            error.request_id = request_id.map(String::into_boxed_str);
        }
        if error.hint.is_none() {
            error.hint = self.way_out(status, &error.code, retry_after.as_deref());
        }
        Err(error)
    }

    async fn send(&self, call: &Call) -> Result<Response, CliError> {
        let operation = call.operation;
        let url = call.url(&self.server)?;
        let method = Method::from_bytes(operation.method.as_bytes())
            .map_err(|_| CliError::failed(format!("{} is no method", operation.method)))?;
        let mut headers = HeaderMap::new();
        match &self.credential {
            Credential::Known(secret) => {
                let value = HeaderValue::try_from(format!("Bearer {}", secret.expose_secret()));
                let mut value = value.map_err(|_| CliError::usage("the token holds letters that no token has"))?;
                value.set_sensitive(true);
                headers.insert(AUTHORIZATION, value);
            }
            Credential::Nothing if operation.guard != Guard::Public => return Err(self.not_signed_in()),
            Credential::Nothing => {}
        }
        let keyed = operation.changes && operation.method == "POST" && operation.guard != Guard::Public;
        if keyed {
            let key = crate::authn::hasher::hex(&Entropy::System.bytes::<16>());
            if let Ok(value) = HeaderValue::try_from(key) {
                headers.insert(HeaderName::from_static("idempotency-key"), value);
            }
        }
        let repeatable = keyed || operation.method == "GET";
        let mut tries = 0;
        loop {
            tries += 1;
            let mut request = self.http.request(method.clone(), url.clone()).headers(headers.clone());
            if let Some(body) = call.body() {
                request = request.json(body);
            }
            match request.send().await {
                Ok(response) => return Ok(response),
                // The server may have done it already: the key makes the repetition the same call.
                Err(error) if repeatable && tries < TRIES && !error.is_connect() && !error.is_timeout() => {}
                Err(error) => return Err(self.unreachable(&error)),
            }
        }
    }

    fn not_signed_in(&self) -> CliError {
        let detail = format!("you are not signed in to {}", self.server_name());
        CliError::new(Exit::NotAllowed, "unauthenticated", detail)
            .hint(format!("tegata login --url {}, or set {TOKEN_VARIABLE}", self.server_name()))
    }

    fn unreachable(&self, error: &reqwest::Error) -> CliError {
        let mut cause = error.source();
        while let Some(deeper) = cause.and_then(std::error::Error::source) {
            cause = Some(deeper);
        }
        let why = cause.map_or_else(|| "no answer".to_owned(), ToString::to_string);
        let why = if error.is_timeout() { "it takes too long".to_owned() } else { why };
        let detail = format!("{} cannot be reached: {why}", self.server_name());
        CliError::new(Exit::Unavailable, "unreachable", detail)
            .hint("is the server running? `--url` or TEGATA_URL says where it is")
    }

    /// What to do after a refusal.
    fn way_out(&self, status: StatusCode, code: &str, retry_after: Option<&str>) -> Option<Box<str>> {
        let way = match (status.as_u16(), code) {
            (401, "unauthenticated") => Some(format!("tegata login --url {}", self.server_name())),
            (429 | 503, _) => retry_after.map(|seconds| format!("try again in {seconds} s")),
            (500, _) => Some("the server's log says more under this request id".to_owned()),
            (301..=308, _) => Some("the server points elsewhere; write that URL, with https if it has it".to_owned()),
            _ => None,
        };
        way.map(String::into_boxed_str)
    }
}

/// Reads the URL of a server.
pub fn server_url(text: &str) -> Result<Url, CliError> {
    let wrong =
        |why: &str| CliError::usage(format!("--url {why}")).hint("for example --url https://tegata.example.com");
    let url: Url = text.parse().map_err(|_| wrong("is not a URL"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(wrong("begins with http:// or https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("holds no name or password; sign in with `tegata login`"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("ends before `?` and `#`"));
    }
    Ok(url)
}

fn name_of(server: &Url) -> String {
    server.as_str().trim_end_matches('/').to_owned()
}

fn is_local(server: &Url) -> bool {
    let host = server.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

async fn read_whole(mut response: Response) -> Result<Vec<u8>, CliError> {
    let broken = |_| CliError::new(Exit::Unavailable, "unreachable", "the server's answer ended early");
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        if bytes.len() + chunk.len() > ANSWER_MAX_BYTES {
            return Err(CliError::failed("the server's answer is too large"));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_named_alike_however_they_are_written() {
        let name = |text: &str| server_url(text).map(|url| name_of(&url));
        assert_eq!(name("https://Tegata.Example:443/"), Ok("https://tegata.example".to_owned()));
        assert_eq!(name("http://127.0.0.1:7700"), Ok("http://127.0.0.1:7700".to_owned()));
        for wrong in ["tegata.example", "ftp://x", "https://a:b@x", "https://x/#tegata_set_1", "https://x/?a"] {
            assert!(name(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_error_about_a_url_does_not_repeat_it() {
        let error = server_url("https://aoi:hunter2@x").unwrap_err();
        assert!(!error.lines().join("\n").contains("hunter2"));
    }

    #[test]
    fn only_this_machine_is_local() {
        for (text, local) in [
            ("http://localhost:1", true),
            ("http://127.0.0.9", true),
            ("http://[::1]:7700", true),
            ("http://10.0.0.1", false),
            ("http://localhost.example.com", false),
        ] {
            assert_eq!(is_local(&server_url(text).unwrap()), local, "{text}");
        }
    }
}

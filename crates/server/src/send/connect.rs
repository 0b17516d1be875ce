//! From a destination to a connection: the name is resolved, each address is asked about, and the very address that was
//! asked about is connected to. No proxy, no redirect.

use super::backoff::Backoff;
use super::guard::Guard;
use super::{Destination, SendError};
use ipnet::IpNet;
use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls_platform_verifier::Verifier;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 4;

/// What an operator says about sending.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Networks that are not public and may be sent to all the same.
    pub allowed: Vec<IpNet>,
    /// Whether something may be sent unencrypted.
    pub insecure: bool,
    /// A file (PEM) with authorities whose certificates count, besides those of the system.
    pub authorities: Option<PathBuf>,
    /// How long a sending may take, from the name to the answer.
    pub patience: Duration,
    /// When to try again.
    pub backoff: Backoff,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            allowed: Vec::new(),
            insecure: false,
            authorities: None,
            patience: Duration::from_secs(20),
            backoff: Backoff::default(),
        }
    }
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The authorities.
    #[error("the certificates of authorities in {0} cannot be read: {1}")]
    Authorities(PathBuf, #[source] pem::Error),
}

/// Whatever goes through a connection, encrypted or not.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// What connects.
#[derive(Clone)]
pub struct Sender {
    guard: Arc<Guard>,
    insecure: bool,
    patience: Duration,
    tls: Result<TlsConnector, String>,
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("guard", &self.guard).field("insecure", &self.insecure).finish_non_exhaustive()
    }
}

impl Sender {
    /// What connects under these settings.
    pub fn new(settings: &Settings) -> Result<Self, SettingsError> {
        let authorities = match &settings.authorities {
            None => Vec::new(),
            Some(path) => CertificateDer::pem_file_iter(path)
                .and_then(Iterator::collect::<Result<Vec<_>, _>>)
                .map_err(|error| SettingsError::Authorities(path.clone(), error))?,
        };
        let tls = client(authorities).map(|config| TlsConnector::from(Arc::new(config)));
        let tls = tls.map_err(|error| error.to_string());
        if let Err(error) = &tls {
            tracing::warn!(error, "nothing can be sent over TLS: the system has no certificates of authorities");
        }
        let guard = Arc::new(Guard { allowed: settings.allowed.clone() });
        Ok(Self { guard, insecure: settings.insecure, patience: settings.patience, tls })
    }

    /// Whether something may be sent there, as far as can be said without asking for the name's addresses.
    pub fn may_send(&self, there: &Destination) -> Result<(), SendError> {
        if !there.scheme.is_encrypted() && !self.insecure {
            return Err(SendError::Insecure);
        }
        match there.address() {
            Some(address) if !self.guard.allows(address) => Err(SendError::Forbidden(address)),
            _ => Ok(()),
        }
    }

    /// A whole sending, which ends in time.
    pub(super) async fn in_time<T>(&self, sending: impl Future<Output = Result<T, SendError>>) -> Result<T, SendError> {
        timeout(self.patience, sending).await.unwrap_or(Err(SendError::TimedOut))
    }

    /// Connects, and secures the connection.
    pub(super) async fn connect(&self, there: &Destination) -> Result<Box<dyn Stream>, SendError> {
        self.may_send(there)?;
        let stream = self.reach(there).await?;
        if !there.scheme.is_encrypted() {
            return Ok(Box::new(stream));
        }
        let connector = self.tls.as_ref().map_err(|error| SendError::NoTls(error.clone()))?;
        let name = ServerName::try_from(there.host.trim_end_matches('.').to_owned());
        let name = name.map_err(|_| SendError::Unresolved)?;
        Ok(Box::new(connector.connect(name, stream).await.map_err(SendError::Tls)?))
    }

    async fn reach(&self, there: &Destination) -> Result<TcpStream, SendError> {
        let found = lookup_host((there.host.as_str(), there.port)).await.map_err(|_| SendError::Unresolved)?;
        let mut failed = SendError::Unresolved;
        for address in found.take(ADDRESSES_MAX) {
            if !self.guard.allows(address.ip()) {
                failed = SendError::Forbidden(address.ip());
                continue;
            }
            match TcpStream::connect(address).await {
                Ok(stream) => {
                    // A message is written in one piece and then waited for.
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Err(error) => failed = SendError::Connect(error),
            }
        }
        Err(failed)
    }
}

fn client(authorities: Vec<CertificateDer<'static>>) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(default_provider());
    let verifier = Verifier::new_with_extra_roots(authorities, Arc::clone(&provider))?;
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth())
}

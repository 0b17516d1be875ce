//! A destination as people write it: a URL.

use std::fmt;
use std::net::IpAddr;
use url::{Host, Url};

/// Longest URL of a destination, in bytes.
pub const URL_MAX_BYTES: usize = 2_000;

/// How a destination is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// HTTP over TLS.
    Https,
    /// HTTP, unencrypted.
    Http,
    /// Messages over TLS.
    Tls,
    /// Messages over TCP, unencrypted.
    Tcp,
}

impl Scheme {
    const ALL: [(Self, &'static str, u16); 4] =
        [(Self::Https, "https", 443), (Self::Http, "http", 80), (Self::Tls, "tls", 6514), (Self::Tcp, "tcp", 601)];

    /// Whether nobody in between can read what is sent.
    pub const fn is_encrypted(self) -> bool {
        matches!(self, Self::Https | Self::Tls)
    }
}

/// Where something is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// How.
    pub scheme: Scheme,
    /// A name or an address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Path and query, for HTTP.
    pub target: String,
}

/// Why a text is no destination, as a sentence to put behind a field's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DestinationError(&'static str);

impl Destination {
    /// Reads a URL, which has one of these schemes.
    pub fn read(text: &str, schemes: &[Scheme]) -> Result<Self, DestinationError> {
        if text.len() > URL_MAX_BYTES {
            return Err(DestinationError("a URL has at most 2,000 bytes"));
        }
        let url: Url =
            text.parse().map_err(|_| DestinationError("write a URL, such as https://siem.example.com/in"))?;
        let known = Scheme::ALL.iter().find(|(scheme, name, _)| *name == url.scheme() && schemes.contains(scheme));
        let Some((scheme, _, port)) = known else {
            return Err(if schemes.contains(&Scheme::Https) {
                DestinationError("a webhook's URL begins with https://")
            } else {
                DestinationError("a syslog receiver's URL is tls://host:port, or tcp://host:port without encryption")
            });
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(DestinationError("leave out user and password: deliveries are signed in their place"));
        }
        if url.fragment().is_some() {
            return Err(DestinationError("leave out what follows the #: it is never sent"));
        }
        let messages = matches!(scheme, Scheme::Tls | Scheme::Tcp);
        if messages && (!matches!(url.path(), "" | "/") || url.query().is_some()) {
            return Err(DestinationError("a syslog receiver has a host and a port, and no path"));
        }
        let host = match url.host() {
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            Some(Host::Domain(name)) if is_name(name) => name.to_ascii_lowercase(),
            _ => return Err(DestinationError("name a host: letters, digits, '-' and '.', or an address")),
        };
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let target = if messages { String::new() } else { format!("{}{query}", url.path()) };
        Ok(Self { scheme: *scheme, host, port: url.port().unwrap_or(*port), target })
    }

    /// The address, where the host is one and no name.
    pub fn address(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    /// Host and port as a request names them (RFC 9110 §7.2).
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let usual = Scheme::ALL.iter().any(|(scheme, _, port)| *scheme == self.scheme && *port == self.port);
        if usual { host } else { format!("{host}:{}", self.port) }
    }
}

/// As people are shown it: the query may hold what its receiver takes for a secret, and stays out.
impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = Scheme::ALL.iter().find(|(scheme, ..)| *scheme == self.scheme).map_or("", |(_, name, _)| name);
        let (path, query) = self.target.split_once('?').map_or((self.target.as_str(), ""), |(path, _)| (path, "?…"));
        write!(f, "{scheme}://{}{path}{query}", self.authority())
    }
}

fn is_name(name: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    name.len() <= 253 && name.strip_suffix('.').unwrap_or(name).split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEBHOOK: &[Scheme] = &[Scheme::Https, Scheme::Http];
    const SYSLOG: &[Scheme] = &[Scheme::Tls, Scheme::Tcp];

    #[test]
    fn urls_are_read_and_shown_without_their_query() {
        let read = |text: &str, schemes| Destination::read(text, schemes).unwrap();
        let there = read("https://Hooks.Example/in/x?code=hush", WEBHOOK);
        assert_eq!((there.host.as_str(), there.port, there.target.as_str()), ("hooks.example", 443, "/in/x?code=hush"));
        assert_eq!(there.to_string(), "https://hooks.example/in/x?…");
        let there = read("https://[2001:DB8::1]:8443", WEBHOOK);
        assert_eq!((there.authority().as_str(), there.target.as_str()), ("[2001:db8::1]:8443", "/"));
        assert!(there.address().is_some());
        let there = read("tls://log.example", SYSLOG);
        assert_eq!((there.port, there.to_string().as_str()), (6514, "tls://log.example"));
        assert_eq!(read("tcp://10.0.0.1:514/", SYSLOG).address(), Some("10.0.0.1".parse().unwrap()));
        // However an address is written, it is read as one.
        assert_eq!(read("http://0x7f.1/", WEBHOOK).address(), Some("127.0.0.1".parse().unwrap()));
    }

    #[test]
    fn what_is_no_destination_is_refused() {
        for text in [
            "",
            "x",
            "ftp://a/",
            "https://",
            "https://a:b@c/",
            "https://a@c/",
            "https://a/#b",
            "https://a b/",
            "tls://a",
            "https://a..b/",
            "file:///etc/passwd",
            &format!("https://a/{}", "x".repeat(2_000)),
        ] {
            assert!(Destination::read(text, WEBHOOK).is_err(), "{text}");
        }
        for text in ["tls://", "tls://a/path", "tls://a?x=1", "https://a", "tcp://a%20b:1", "tcp:a"] {
            assert!(Destination::read(text, SYSLOG).is_err(), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn hostile_texts_never_panic(text in "\\PC{0,60}|(https|tcp)://\\PC{0,40}") {
            for schemes in [WEBHOOK, SYSLOG] {
                if let Ok(there) = Destination::read(&text, schemes) {
                    proptest::prop_assert!(!there.host.is_empty() && !there.to_string().is_empty());
                }
            }
        }
    }
}

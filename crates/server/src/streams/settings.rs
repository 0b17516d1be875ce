//! Where, how and which records a stream sends, as it is stored with it. Nothing secret is in here.

use crate::ops::records::filters::{Asked, Filters};
use crate::send::syslog::Confirm;
use crate::send::{Destination, Scheme};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The enterprise number of documents and examples (RFC 5612): whoever has one of their own says so.
pub const ENTERPRISE_NUMBER: u32 = 32_473;

/// Where, how and which.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Settings {
    /// The receiver.
    pub target: Target,
    /// How records are written.
    pub format: Format,
    /// Which records, as it was said.
    pub filter: StreamFilter,
    /// The same made ready for the log.
    pub asked: Asked,
}

/// A receiver.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Target {
    /// A signed webhook.
    Webhook {
        /// Its URL, whole.
        url: String,
    },
    /// A syslog receiver.
    Syslog {
        /// Its URL.
        url: String,
        /// How messages look, and when they count.
        syslog: Syslog,
    },
}

impl Target {
    /// Schemes of a webhook's URL.
    pub const WEBHOOK: &'static [Scheme] = &[Scheme::Https, Scheme::Http];
    /// Schemes of a syslog receiver's URL.
    pub const SYSLOG: &'static [Scheme] = &[Scheme::Tls, Scheme::Tcp];

    /// The word for the kind.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Webhook { .. } => "webhook",
            Self::Syslog { .. } => "syslog",
        }
    }

    /// The URL, read. What was stored was readable.
    pub fn destination(&self) -> Option<Destination> {
        match self {
            Self::Webhook { url } => Destination::read(url, Self::WEBHOOK).ok(),
            Self::Syslog { url, .. } => Destination::read(url, Self::SYSLOG).ok(),
        }
    }
}

/// How syslog messages look (RFC 5424), and when they count as delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Syslog {
    /// The facility: a number, 0 to 23. 13 (log audit) if it is left out.
    #[schema(maximum = 23)]
    pub facility: u8,
    /// The severity of what was allowed: 0 to 7. 6 (informational) if it is left out.
    #[schema(maximum = 7)]
    pub severity_allowed: u8,
    /// The severity of what was denied: 0 to 7. 4 (warning) if it is left out.
    #[schema(maximum = 7)]
    pub severity_denied: u8,
    /// The private enterprise number behind the `@` of the structured data's id. 32473, the number for examples, if it is
    /// left out.
    #[schema(minimum = 1)]
    pub enterprise_number: u32,
    /// When a batch counts as delivered. `close`: when the receiver has closed the connection after the sender did.
    /// `quiet`: when the connection stayed good for two seconds, for receivers that never close.
    pub confirm: Confirmation,
}

/// When messages count as delivered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Confirmation {
    /// The receiver closes after the sender.
    #[default]
    Close,
    /// The connection stays good.
    Quiet,
}

impl From<Confirmation> for Confirm {
    fn from(confirmation: Confirmation) -> Self {
        match confirmation {
            Confirmation::Close => Self::Close,
            Confirmation::Quiet => Self::Quiet,
        }
    }
}

impl Default for Syslog {
    fn default() -> Self {
        Self {
            facility: 13,
            severity_allowed: 6,
            severity_denied: 4,
            enterprise_number: ENTERPRISE_NUMBER,
            confirm: Confirmation::default(),
        }
    }
}

/// How records are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// As the API and the export as JSON Lines show them.
    Json,
    /// As events of OCSF 1.8, class 6003 (API Activity).
    Ocsf,
    /// As structured data of syslog (RFC 5424 §6.3), with a short text.
    Structured,
}

/// Which records are sent; all of the organization's where nothing is said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StreamFilter {
    /// Only of this API (its key).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api: Option<String>,
    /// Only of this credential (its id).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
    /// Only of credentials of this kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Only of this user (id, or e-mail address of a member).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// Only for this permission.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permission: Option<String>,
    /// Only in this context: an id, or a place as in scopes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// Only with this decision: `allow` or `deny`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
    /// Only with this reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Only of calls with this method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Only of paths that begin so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Only of this endpoint: the path as the catalogue writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Only from this address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Only permissions of this level: `read`, `write` or `admin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// Only records with this text in their path or principal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
}

impl StreamFilter {
    /// The same as questions to the log have it.
    pub fn filters(&self) -> Filters {
        let own = self.clone();
        Filters {
            api: own.api,
            credential: own.credential,
            kind: own.kind,
            principal: own.principal,
            permission: own.permission,
            context: own.context,
            decision: own.decision,
            reason: own.reason,
            method: own.method,
            path: own.path,
            endpoint: own.endpoint,
            address: own.address,
            level: own.level,
            text: own.q,
            ..Filters::default()
        }
    }
}

//! One line of the stops file. Its checksum is over the text before it, so that no tool need know more than JSON.

use super::Kind;
use serde::{Deserialize, Serialize};
use tegata_core::time::Timestamp;

/// One stop.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Stop {
    /// When.
    pub at: Timestamp,
    /// The number of its change.
    pub sequence: u64,
    /// What was stopped.
    pub kind: Kind,
    /// The operation that did it.
    pub operation: String,
    /// The id of what was stopped.
    pub id: String,
    /// The organization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org: Option<String>,
    /// The person, where `id` is their team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Header {
    tegata_stops: u32,
    installation: String,
}

const CHECKSUM: &str = ",\"crc\":\"";

fn sealed(json: &str) -> String {
    let body = json.strip_suffix('}').unwrap_or(json);
    format!("{body}{CHECKSUM}{:08x}\"}}\n", crc32fast::hash(body.as_bytes()))
}

/// The text that was sealed, if nothing of it was changed.
fn opened(line: &str) -> Option<String> {
    let (body, rest) = line.rsplit_once(CHECKSUM)?;
    let stated = u32::from_str_radix(rest.strip_suffix("\"}")?, 16).ok()?;
    (stated == crc32fast::hash(body.as_bytes())).then(|| format!("{body}}}"))
}

/// The first line of a file.
pub(super) fn header(installation: &str) -> String {
    let header = Header { tegata_stops: 1, installation: installation.to_owned() };
    sealed(&serde_json::to_string(&header).unwrap_or_default())
}

/// The installation that a first line names.
pub(super) fn read_header(line: &str) -> Option<String> {
    let header: Header = serde_json::from_str(&opened(line)?).ok()?;
    (header.tegata_stops == 1).then_some(header.installation)
}

impl Stop {
    pub(super) fn to_line(&self) -> String {
        // A struct of texts and numbers always has a JSON text.
        sealed(&serde_json::to_string(self).unwrap_or_default())
    }

    pub(super) fn read_line(line: &str) -> Option<Self> {
        serde_json::from_str(&opened(line)?).ok()
    }
}

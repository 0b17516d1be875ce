//! The calls of some kinds of credentials, alike ones together: for asking what would become of them under other rules.

use crate::log::AccessLog;
use crate::question::answer::SqlAnswer;
use crate::question::sql::{SqlError, SqlLimits};
use serde_json::Value;

/// Which calls.
#[derive(Debug, Clone, Copy)]
pub struct CallsWanted<'a> {
    /// Of credentials of these kinds: words of letters and underscores.
    pub kinds: &'a [&'a str],
    /// Of these credentials alone, by their ids; of all, where it is empty.
    pub credentials: &'a [&'a str],
    /// Whether calls from different addresses are told apart.
    pub addresses: bool,
    /// From this moment on, RFC 3339.
    pub from: &'a str,
    /// Before this moment, RFC 3339.
    pub to: &'a str,
    /// Calls of this API are left out.
    pub but: &'a str,
}

/// Calls that are alike: by whom, of what, where, from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calls {
    /// The credential.
    pub credential: String,
    /// The API's key.
    pub api: String,
    /// The method, of a call of an endpoint.
    pub method: Option<String>,
    /// The endpoint as the catalogue writes it.
    pub endpoint: Option<String>,
    /// One of their paths.
    pub path: Option<String>,
    /// The permission that decided.
    pub permission: Option<String>,
    /// The context.
    pub context: Option<String>,
    /// The address.
    pub address: Option<String>,
    /// How many there were.
    pub count: u64,
    /// How many were allowed.
    pub allowed: u64,
    /// When the last was made, RFC 3339.
    pub last: String,
}

impl AccessLog {
    /// The calls of an organization, the most frequent first; the second value says whether there were more groups than fit.
    /// May block.
    pub fn calls(
        &self,
        organization: &str,
        wanted: &CallsWanted<'_>,
        limits: &SqlLimits,
    ) -> Result<(Vec<Calls>, bool), SqlError> {
        let plain = |text: &str| text.chars().all(|letter| letter.is_ascii_alphanumeric() || "_-:.+".contains(letter));
        let words = wanted.kinds.iter().chain(wanted.credentials).copied().chain([wanted.from, wanted.to, wanted.but]);
        if let Some(odd) = words.into_iter().find(|word| !plain(word)) {
            return Err(SqlError::Refused(format!("`{odd}` is no plain word")));
        }
        let quoted = |words: &[&str]| words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(", ");
        let of_credentials = match wanted.credentials {
            [] => String::new(),
            ids => format!("AND credential IN ({})", quoted(ids)),
        };
        let (address, by_address) =
            if wanted.addresses { ("address", ", address") } else { ("CAST(NULL AS VARCHAR)", "") };
        let CallsWanted { from, to, but, .. } = wanted;
        let statement = format!(
            "SELECT credential, api, method, endpoint, min(path), permission, context_id, {address}, sum(count) AS calls,
                sum(count) FILTER (WHERE decision = 'allow'), max(time)
             FROM records
             WHERE kind IN ({}) AND time >= '{from}' AND time < '{to}' AND credential IS NOT NULL AND api IS NOT NULL
                AND api <> '{but}' {of_credentials}
             GROUP BY credential, api, method, endpoint, permission, context_id{by_address}
             ORDER BY calls DESC, credential",
            quoted(wanted.kinds)
        );
        let answer = self.sql(organization, &statement, limits)?;
        let truncated = answer.truncated;
        Ok((read(&answer), truncated))
    }
}

fn read(answer: &SqlAnswer) -> Vec<Calls> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let number = |value: Option<&Value>| value.and_then(Value::as_u64).unwrap_or_default();
    let rows = answer.rows.iter().map(|row| Calls {
        credential: text(row.first()).unwrap_or_default(),
        api: text(row.get(1)).unwrap_or_default(),
        method: text(row.get(2)),
        endpoint: text(row.get(3)),
        path: text(row.get(4)),
        permission: text(row.get(5)),
        context: text(row.get(6)),
        address: text(row.get(7)),
        count: number(row.get(8)),
        allowed: number(row.get(9)),
        last: text(row.get(10)).unwrap_or_default(),
    });
    rows.collect()
}

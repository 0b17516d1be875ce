//! Records as a busy organization has them, made from GitHub's published catalogue: the same for the same number, however
//! often they are asked for. A few credentials make most of the calls, and each calls from where it lives.

use crate::Fallible;
use tegata_core::catalogue::document::EndpointEntry;
use tegata_core::catalogue::parse::{self, Format};
use tegata_record::{Decision, NewRecord};

/// The organization that all of them belong to.
pub const ORGANIZATION: &str = "org_01m0d2h8k4w6y1a3c5e7g9j2n4";
/// Days that they are spread over.
pub const DAYS: i64 = 30;
/// Microseconds of a day.
pub const DAY_US: i64 = 86_400_000_000;
/// The beginning of the first day: 2026-10-01.
pub const BEGIN_US: i64 = 1_790_812_800_000_000;

const CREDENTIALS: u64 = 10_000;
const REPOSITORIES: u64 = 2_000;
const AGENTS: [&str; 6] = [
    "curl/8.14.1",
    "python-requests/2.32.5",
    "Go-http-client/2.0",
    "octokit-rest.js/22.0.0 node/24",
    "GitHubActions/2.0",
    "Mozilla/5.0 (X11; Linux x86_64)",
];

/// What records are made from.
#[derive(Debug)]
pub struct Maker {
    endpoints: Vec<Endpoint>,
    records: u64,
    with_request_ids: bool,
}

#[derive(Debug)]
struct Endpoint {
    method: String,
    path: String,
    permission: String,
}

/// What is a record's own.
#[derive(Debug)]
pub struct Row {
    number: u64,
    credential: String,
    principal: String,
    context: String,
    path: String,
    address: String,
    request_id: String,
}

impl Maker {
    /// For so many records, with or without a request's id in each.
    pub fn new(records: u64, with_request_ids: bool) -> Fallible<Self> {
        let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../catalogues/github.yaml"))?;
        let document = parse::parse(&text, Format::Yaml).map_err(|problems| problems.to_string())?;
        let endpoints: Vec<Endpoint> = document.endpoints.iter().filter_map(Endpoint::of).collect();
        if endpoints.is_empty() {
            return Err("the catalogue has no endpoint with a permission".into());
        }
        Ok(Self { endpoints, records: records.max(1), with_request_ids })
    }

    /// How many there are.
    pub const fn records(&self) -> u64 {
        self.records
    }

    /// The texts of a record.
    pub fn row(&self, number: u64) -> Row {
        let who = who(number);
        let (repository, item) = (random(who) % REPOSITORIES, random(number ^ 2) % 5_000);
        let mut path = self.endpoint(number).path.clone();
        while let (Some(begin), Some(end)) = (path.find('{'), path.find('}')) {
            let value = match path.get(begin + 1..end) {
                Some("owner" | "org") => format!("team-{}", repository % 40),
                Some("repo") => format!("service-{repository}"),
                _ => item.to_string(),
            };
            path.replace_range(begin..=end, &value);
        }
        Row {
            number,
            credential: id("tok", 1, who),
            principal: id("usr", 2, who / 3),
            context: id("ctx", 3, repository),
            path,
            address: format!("198.51.{}.{}", random(who) >> 56, random(who ^ 9) >> 56),
            request_id: format!("{:016x}{:016x}", random(4 * number + 1), random(4 * number + 3)),
        }
    }

    /// The record of these texts.
    pub fn record<'a>(&'a self, row: &'a Row) -> NewRecord<'a> {
        let endpoint = self.endpoint(row.number);
        let number = i64::try_from(row.number).unwrap_or(0);
        let step = DAYS * DAY_US / i64::try_from(self.records).unwrap_or(i64::MAX);
        let time_us = BEGIN_US + number * step + i64::try_from(random(row.number ^ 4) % 1_000).unwrap_or(0);
        let (decision, reason) = match random(row.number ^ 7) % 100 {
            0 => (Decision::Deny, "insufficient_scope"),
            1 => (Decision::Deny, "owner_lacks_permission"),
            _ => (Decision::Allow, "granted"),
        };
        NewRecord {
            api: Some("github"),
            organization: Some(ORGANIZATION),
            alternative: Some(0),
            permission: Some(&endpoint.permission),
            context_id: Some(&row.context),
            level: Some(if endpoint.method == "GET" { "read" } else { "write" }),
            credential: Some(&row.credential),
            kind: Some("personal_token"),
            principal: Some(&row.principal),
            acted_for: Some(&row.principal),
            method: Some(&endpoint.method),
            endpoint: Some(&endpoint.path),
            path: Some(&row.path),
            address: Some(&row.address),
            user_agent: usize::try_from(random(who(row.number) ^ 5) % 6).ok().and_then(|at| AGENTS.get(at)).copied(),
            request_id: Some(row.request_id.as_str()).filter(|_| self.with_request_ids),
            rule_version: 1,
            catalogue_version: 12,
            ..NewRecord::new(time_us, decision, reason)
        }
    }

    /// The first of the catalogue are called more often than the last.
    fn endpoint(&self, number: u64) -> &Endpoint {
        let count = self.endpoints.len() as u64;
        let at = (random(number ^ 3) % (count * count)).isqrt();
        let at = usize::try_from(count - 1 - at.min(count - 1)).unwrap_or(0);
        &self.endpoints[at.min(self.endpoints.len() - 1)]
    }
}

impl Endpoint {
    fn of(entry: &EndpointEntry) -> Option<Self> {
        let mut needs = entry.all_of.iter().chain(entry.any_of.iter().flatten());
        let permission = entry.permission.as_deref().or_else(|| Some(needs.next()?.permission()))?;
        Some(Self { method: entry.method.clone(), path: entry.path.clone(), permission: permission.to_owned() })
    }
}

/// The id of the credential of a record, for questions.
pub fn credential(number: u64) -> String {
    id("tok", 1, who(number))
}

/// Whose call it is: some make many.
fn who(number: u64) -> u64 {
    (random(number) % CREDENTIALS) * (random(number ^ 1) % CREDENTIALS) / CREDENTIALS
}

/// An id as the server makes them: a prefix and 26 letters and digits.
fn id(prefix: &str, kind: u64, number: u64) -> String {
    const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let wide = (u128::from(random(number ^ (kind << 60))) << 64) | u128::from(random(number ^ (kind << 59) ^ 0xb));
    let letter = |place: u32| {
        let at = usize::try_from((wide >> (5 * place)) & 31).unwrap_or(0);
        char::from(LETTERS[at % LETTERS.len()])
    };
    std::iter::once(prefix.to_owned() + "_").chain((0..26).rev().map(|place| letter(place).to_string())).collect()
}

/// Numbers that look random and are the same each time (`splitmix64`).
fn random(seed: u64) -> u64 {
    let mut value = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

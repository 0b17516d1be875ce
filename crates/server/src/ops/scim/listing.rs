//! What a list asks for: a filter, which page, which attributes (RFC 7644 §3.4.2).

use crate::scim::filter::{self, Filter};
use crate::scim::projection::Asked;
use crate::scim::schema::RESULTS_MAX;
use crate::scim::{Resource, Wrong};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// Which resources.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
#[schema(as = ScimListParams)]
pub struct Params {
    /// Only those that fit: `userName eq "ann@example.com"`.
    pub filter: Option<String>,
    /// The first of the page, counted from 1.
    pub start_index: Option<i64>,
    /// How many at most: 200, if not said.
    pub count: Option<i64>,
    /// Only these attributes, separated by commas.
    pub attributes: Option<String>,
    /// All attributes but these, separated by commas.
    pub excluded_attributes: Option<String>,
}

/// What was asked for, read.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// The filter, as it was written.
    pub filter: Option<String>,
    /// How many come before the page.
    pub skip: usize,
    /// How many at most.
    pub take: usize,
    /// Which attributes.
    pub asked: Asked,
}

impl Listing {
    /// From the query of a URL. Numbers that make no sense are the nearest that do (§3.4.2.4).
    pub fn of(params: &Params) -> Self {
        let number = |number: i64| usize::try_from(number).unwrap_or(0);
        Self {
            filter: params.filter.clone(),
            skip: number(params.start_index.unwrap_or(1)).saturating_sub(1),
            take: params.count.map_or(RESULTS_MAX, number).min(RESULTS_MAX),
            asked: Asked::of(params.attributes.as_deref(), params.excluded_attributes.as_deref()),
        }
    }

    /// From the body of a search (§3.4.3).
    pub fn of_search(body: &Map<String, Value>) -> Self {
        let field =
            |name: &str| body.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        let names = |name: &str| {
            let list = field(name)?.as_array()?;
            Some(list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","))
        };
        Self::of(&Params {
            filter: field("filter").and_then(Value::as_str).map(str::to_owned),
            start_index: field("startIndex").and_then(Value::as_i64),
            count: field("count").and_then(Value::as_i64),
            attributes: names("attributes"),
            excluded_attributes: names("excludedAttributes"),
        })
    }

    /// The filter, as it is asked of resources of one type.
    pub fn read(&self, resource: Resource) -> Result<Option<Filter>, Wrong> {
        let Some(text) = self.filter.as_deref().filter(|text| !text.trim().is_empty()) else { return Ok(None) };
        let filter = filter::parse(resource, text)?;
        filter.check(resource)?;
        Ok(Some(filter))
    }
}

/// A page that is being filled while all that fits is counted.
#[derive(Debug)]
pub struct Page<T> {
    skip: usize,
    take: usize,
    /// How many fit so far.
    pub total: usize,
    /// Those of the page.
    pub items: Vec<T>,
}

impl<T> Page<T> {
    /// An empty page.
    pub const fn new(skip: usize, take: usize) -> Self {
        Self { skip, take, total: 0, items: Vec::new() }
    }

    /// One more fits.
    pub fn add(&mut self, item: T) {
        if self.total >= self.skip && self.items.len() < self.take {
            self.items.push(item);
        }
        self.total += 1;
    }
}

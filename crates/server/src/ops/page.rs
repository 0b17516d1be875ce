//! Pages of lists: a limit, and a cursor that means something to this server only.

use crate::db::PageAsk;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use tegata_core::problem::{Code, Problem};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

/// Rows of a page when nothing is asked for.
pub const LIMIT_DEFAULT: i64 = 50;
/// Most rows of a page.
pub const LIMIT_MAX: i64 = 200;

/// Which page of a list.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct PageRequest {
    /// How many at most: 1 to 200, 50 if not said.
    #[schema(minimum = 1, maximum = 200)]
    pub limit: Option<i64>,
    /// Where to go on: the `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// A page of a list.
#[derive(Debug, Clone, Serialize)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// The cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

// By hand, since a derived schema refers to the rows' schema without bringing it along.
impl<T: ToSchema> PartialSchema for Page<T> {
    fn schema() -> RefOr<Schema> {
        let rows = ArrayBuilder::new().items(Ref::from_schema_name(T::name())).description(Some("The rows."));
        let cursor = ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("The cursor of the next page; absent on the last."));
        let page = ObjectBuilder::new()
            .description(Some("A page of a list."))
            .property("items", rows)
            .required("items")
            .property("next_cursor", cursor);
        page.into()
    }
}

impl<T: ToSchema> ToSchema for Page<T> {
    fn name() -> Cow<'static, str> {
        Cow::Owned(format!("Page_{}", T::name()))
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}

impl PageRequest {
    /// What to ask the database for: one row more than is shown, to know whether there is a next page.
    pub fn ask(&self) -> Result<PageAsk, Problem> {
        let limit = self.limit()?;
        let after = self.cursor.as_deref().map(read_cursor).transpose()?;
        Ok(PageAsk { after, limit: limit + 1 })
    }

    /// A cursor after a row that was looked at, where a page ends there.
    pub fn cursor_after(key: &str) -> String {
        write_cursor(key)
    }

    /// How many rows to show.
    pub fn limit(&self) -> Result<i64, Problem> {
        let limit = self.limit.unwrap_or(LIMIT_DEFAULT);
        if (1..=LIMIT_MAX).contains(&limit) {
            Ok(limit)
        } else {
            let message = "limit: ask for 1 to 200 rows";
            Err(Problem::new(Code::InvalidParameter, message).with("limit", message))
        }
    }

    /// Makes the page out of what the database gave; `key` is what the next page begins after.
    pub fn page<R, T>(
        &self,
        mut rows: Vec<R>,
        key: impl Fn(&R) -> String,
        show: impl FnMut(R) -> T,
    ) -> Result<Page<T>, Problem> {
        let limit = usize::try_from(self.limit()?).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = if more { rows.last().map(|row| write_cursor(&key(row))) } else { None };
        Ok(Page { items: rows.into_iter().map(show).collect(), next_cursor })
    }
}

/// A cursor is the key of the last row with a checksum, in hexadecimal: opaque, and mistyped ones are noticed.
fn write_cursor(key: &str) -> String {
    use std::fmt::Write as _;
    let mut text = format!("{:08x}", crc32fast::hash(key.as_bytes()));
    for byte in key.bytes() {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn read_cursor(text: &str) -> Result<String, Problem> {
    let wrong = || {
        let message = "cursor: send back a `next_cursor` as it was given, or none to begin anew";
        Problem::new(Code::MalformedCursor, message).with("cursor", message)
    };
    if text.len() < 8
        || text.len() > 600
        || !text.len().is_multiple_of(2)
        || !text.bytes().all(|byte| byte.is_ascii_hexdigit())
    {
        return Err(wrong());
    }
    let (sum, key) = text.split_at(8);
    let bytes = (0..key.len() / 2)
        .map(|place| u8::from_str_radix(&key[place * 2..place * 2 + 2], 16))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| wrong())?;
    let fits = u32::from_str_radix(sum, 16).is_ok_and(|sum| sum == crc32fast::hash(&bytes));
    if fits { String::from_utf8(bytes).map_err(|_| wrong()) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_cursor_reads_back(key in "\\PC{0,60}") {
            prop_assert_eq!(read_cursor(&write_cursor(&key)), Ok(key));
        }

        #[test]
        fn hostile_cursors_never_panic(text in "\\PC{0,60}|[0-9a-f]{0,60}") {
            let _ = read_cursor(&text);
        }
    }

    #[test]
    fn pages_end() {
        let request = PageRequest { limit: Some(2), cursor: None };
        let page = request.page(vec![1, 2, 3], ToString::to_string, |row| row).unwrap();
        assert_eq!(page.items, [1, 2]);
        assert!(page.next_cursor.is_some());
        assert!(request.page(vec![1, 2], ToString::to_string, |row| row).unwrap().next_cursor.is_none());
        assert!(PageRequest { limit: Some(0), cursor: None }.ask().is_err());
    }
}

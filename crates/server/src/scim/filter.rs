//! Filters and paths (RFC 7644 §3.4.2.2 and §3.5.2): read, and asked of a resource. A parser by descent whose depth, length and
//! number of terms are bounded.

#[cfg(test)]
mod tests;

use super::schema::{Attribute, Resource};
use super::wrong::{Kind, Wrong};
use serde_json::Value;

/// Longest filter or path, in bytes.
pub const LENGTH_MAX: usize = 4096;
/// Deepest nesting.
const DEPTH_MAX: usize = 16;
/// Most comparisons.
const TERMS_MAX: usize = 64;

/// An attribute, or a part of one. Names are as they were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributePath {
    /// The attribute.
    pub attribute: String,
    /// The part.
    pub part: Option<String>,
}

/// How a value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// Equal.
    Equal,
    /// Not equal.
    NotEqual,
    /// Contains.
    Contains,
    /// Starts with.
    Starts,
    /// Ends with.
    Ends,
    /// Greater than.
    Greater,
    /// Greater than or equal.
    GreaterOrEqual,
    /// Less than.
    Less,
    /// Less than or equal.
    LessOrEqual,
}

/// A filter.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// A comparison with a text, a number, a boolean or null.
    Compare(AttributePath, Comparison, Value),
    /// The attribute has a value.
    Present(AttributePath),
    /// Both.
    And(Box<Filter>, Box<Filter>),
    /// Either.
    Or(Box<Filter>, Box<Filter>),
    /// Not.
    Not(Box<Filter>),
    /// One value of the attribute fits a filter over its parts.
    Within(AttributePath, Box<Filter>),
}

/// The path of a patch operation.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    /// The attribute, without the URI of its schema.
    pub attribute: String,
    /// Which of its values.
    pub filter: Option<Filter>,
    /// The part.
    pub part: Option<String>,
}

/// Reads a filter.
pub fn parse(resource: Resource, text: &str) -> Result<Filter, Wrong> {
    let mut reader = Reader::new(resource, text, Kind::InvalidFilter)?;
    let filter = reader.alternatives(0)?;
    reader.end()?;
    Ok(filter)
}

/// Reads the path of a patch operation.
pub fn parse_path(resource: Resource, text: &str) -> Result<Path, Wrong> {
    let mut reader = Reader::new(resource, text, Kind::InvalidPath)?;
    let AttributePath { attribute, part } = reader.attribute()?;
    let mut path = Path { attribute, filter: None, part };
    if path.part.is_none() && reader.take("[") {
        path.filter = Some(reader.alternatives(1)?);
        reader.expect("]")?;
        if reader.rest().starts_with('.') {
            reader.take(".");
            path.part = Some(reader.name()?.to_owned());
        }
    }
    reader.end()?;
    Ok(path)
}

struct Reader<'a> {
    resource: Resource,
    text: &'a str,
    at: usize,
    terms: usize,
    kind: Kind,
}

impl<'a> Reader<'a> {
    fn new(resource: Resource, text: &'a str, kind: Kind) -> Result<Self, Wrong> {
        if text.len() > LENGTH_MAX {
            return Err(Wrong::new(kind, format!("it is longer than {LENGTH_MAX} bytes")));
        }
        Ok(Self { resource, text, at: 0, terms: 0, kind })
    }

    fn wrong(&self, what: &str) -> Wrong {
        Wrong::new(self.kind, format!("{what}, at character {}", self.at + 1))
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip_spaces(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(' ').len();
    }

    fn take(&mut self, sign: &str) -> bool {
        self.skip_spaces();
        let found = self.rest().starts_with(sign);
        if found {
            self.at += sign.len();
        }
        found
    }

    fn expect(&mut self, sign: &str) -> Result<(), Wrong> {
        if self.take(sign) { Ok(()) } else { Err(self.wrong(&format!("`{sign}` is missing"))) }
    }

    fn end(&mut self) -> Result<(), Wrong> {
        self.skip_spaces();
        if self.rest().is_empty() { Ok(()) } else { Err(self.wrong("something follows that does not belong there")) }
    }

    /// A word of letters, in whichever case, if it comes next and ends there.
    fn word(&mut self, word: &str) -> bool {
        self.skip_spaces();
        let rest = self.rest();
        let found = rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
            && rest.get(word.len()..).is_none_or(|after| !after.starts_with(is_of_name));
        if found {
            self.at += word.len();
        }
        found
    }

    fn name(&mut self) -> Result<&'a str, Wrong> {
        let rest = self.rest();
        let length = rest.find(|sign| !is_of_name(sign)).unwrap_or(rest.len());
        let name = rest.get(..length).unwrap_or_default();
        if !name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '$') {
            return Err(self.wrong("the name of an attribute is missing"));
        }
        self.at += length;
        Ok(name)
    }

    fn attribute(&mut self) -> Result<AttributePath, Wrong> {
        self.skip_spaces();
        let rest = self.rest();
        // A URI has dots and colons of its own, and ends at its last colon.
        let length = rest.find([' ', '[', ')', ']', '(']).unwrap_or(rest.len());
        let whole = rest.get(..length).unwrap_or_default();
        if whole.to_ascii_lowercase().starts_with("urn:") {
            let name = self.resource.without_schema(whole);
            let name = name.ok_or_else(|| self.wrong("it begins with the URI of another schema"))?;
            let start = whole.len() - name.len();
            // The extension as a whole has no name after its URI.
            if !whole.ends_with(name) {
                self.at += whole.len();
                return Ok(AttributePath { attribute: name.to_owned(), part: None });
            }
            self.at += start;
        }
        let attribute = self.name()?.to_owned();
        let part = if self.rest().starts_with('.') {
            self.at += 1;
            Some(self.name()?.to_owned())
        } else {
            None
        };
        Ok(AttributePath { attribute, part })
    }

    fn alternatives(&mut self, depth: usize) -> Result<Filter, Wrong> {
        let mut left = self.conjunction(depth)?;
        while self.word("or") {
            left = Filter::Or(Box::new(left), Box::new(self.conjunction(depth)?));
        }
        Ok(left)
    }

    fn conjunction(&mut self, depth: usize) -> Result<Filter, Wrong> {
        let mut left = self.term(depth)?;
        while self.word("and") {
            left = Filter::And(Box::new(left), Box::new(self.term(depth)?));
        }
        Ok(left)
    }

    fn term(&mut self, depth: usize) -> Result<Filter, Wrong> {
        self.terms += 1;
        if depth > DEPTH_MAX || self.terms > TERMS_MAX {
            return Err(self.wrong("it is too complicated"));
        }
        if self.word("not") {
            self.expect("(")?;
            let inner = self.alternatives(depth + 1)?;
            self.expect(")")?;
            return Ok(Filter::Not(Box::new(inner)));
        }
        if self.take("(") {
            let inner = self.alternatives(depth + 1)?;
            self.expect(")")?;
            return Ok(inner);
        }
        let path = self.attribute()?;
        if path.part.is_none() && self.rest().starts_with('[') {
            self.take("[");
            let inner = self.alternatives(depth + 1)?;
            self.expect("]")?;
            return Ok(Filter::Within(path, Box::new(inner)));
        }
        if self.word("pr") {
            return Ok(Filter::Present(path));
        }
        let comparisons = [
            ("eq", Comparison::Equal),
            ("ne", Comparison::NotEqual),
            ("co", Comparison::Contains),
            ("sw", Comparison::Starts),
            ("ew", Comparison::Ends),
            ("gt", Comparison::Greater),
            ("ge", Comparison::GreaterOrEqual),
            ("lt", Comparison::Less),
            ("le", Comparison::LessOrEqual),
        ];
        let Some((_, comparison)) = comparisons.into_iter().find(|(word, _)| self.word(word)) else {
            return Err(self.wrong("write eq, ne, co, sw, ew, gt, ge, lt, le or pr"));
        };
        Ok(Filter::Compare(path, comparison, self.value()?))
    }

    /// A text, a number, a boolean or null, as in JSON.
    fn value(&mut self) -> Result<Value, Wrong> {
        self.skip_spaces();
        let rest = self.rest();
        let length = if rest.starts_with('"') {
            let mut escaped = false;
            let inside = rest.char_indices().skip(1).find(|(_, sign)| {
                let ends = *sign == '"' && !escaped;
                escaped = *sign == '\\' && !escaped;
                ends
            });
            inside.map_or(rest.len(), |(at, _)| at + 1)
        } else {
            rest.find([' ', ')', ']']).unwrap_or(rest.len())
        };
        let literal = rest.get(..length).unwrap_or_default();
        let value: Option<Value> = match literal {
            // As some clients write them.
            "True" => Some(Value::Bool(true)),
            "False" => Some(Value::Bool(false)),
            _ => serde_json::from_str(literal).ok(),
        };
        match value.filter(|value| !value.is_array() && !value.is_object()) {
            Some(value) => {
                self.at += length;
                Ok(value)
            }
            None => Err(self.wrong("a value is missing: a text in quotes, a number, true, false or null")),
        }
    }
}

fn is_of_name(sign: char) -> bool {
    sign.is_ascii_alphanumeric() || matches!(sign, '$' | '-' | '_')
}

impl Filter {
    /// Refuses attributes that are not kept, and so cannot be searched.
    pub fn check(&self, resource: Resource) -> Result<(), Wrong> {
        let unknown = |name: &str| Wrong::new(Kind::InvalidFilter, format!("`{name}` cannot be searched"));
        let known = |path: &AttributePath| {
            if path.attribute.eq_ignore_ascii_case("meta") {
                return Ok(());
            }
            // Who is in which team is asked of teams.
            let attribute = resource.find(&path.attribute).filter(|found| found.name != "groups");
            let attribute = attribute.ok_or_else(|| unknown(&path.attribute))?;
            match path.part.as_deref() {
                Some(part) if attribute.part(part).is_none() => Err(unknown(part)),
                _ => Ok(()),
            }
        };
        match self {
            Self::Compare(path, ..) | Self::Present(path) => known(path),
            Self::And(left, right) | Self::Or(left, right) => left.check(resource).and_then(|()| right.check(resource)),
            Self::Not(inner) => inner.check(resource),
            Self::Within(path, inner) => {
                known(path)?;
                let attribute = resource.find(&path.attribute).ok_or_else(|| unknown(&path.attribute))?;
                inner.check_parts(attribute)
            }
        }
    }

    /// Refuses what is no part of an attribute.
    pub fn check_parts(&self, attribute: &Attribute) -> Result<(), Wrong> {
        match self {
            Self::Compare(path, ..) | Self::Present(path) => {
                let known = path.part.is_none()
                    && (attribute.part(&path.attribute).is_some() || attribute.is_part_not_kept(&path.attribute));
                let detail = || format!("`{}` has no part `{}`", attribute.name, path.attribute);
                if known { Ok(()) } else { Err(Wrong::new(Kind::InvalidFilter, detail())) }
            }
            Self::And(left, right) | Self::Or(left, right) => {
                left.check_parts(attribute).and_then(|()| right.check_parts(attribute))
            }
            Self::Not(inner) => inner.check_parts(attribute),
            Self::Within(..) => {
                Err(Wrong::new(Kind::InvalidFilter, "a filter within a filter has no further one within"))
            }
        }
    }

    /// Whether it asks about an attribute anywhere.
    pub fn asks_for(&self, attribute: &str) -> bool {
        match self {
            Self::Compare(path, ..) | Self::Present(path) | Self::Within(path, _) => {
                path.attribute.eq_ignore_ascii_case(attribute)
            }
            Self::And(left, right) | Self::Or(left, right) => left.asks_for(attribute) || right.asks_for(attribute),
            Self::Not(inner) => inner.asks_for(attribute),
        }
    }

    /// The text that an attribute has to equal, where no other resource can fit.
    pub fn must_equal(&self, attribute: &str) -> Option<&str> {
        match self {
            Self::Compare(path, Comparison::Equal, Value::String(text))
                if path.part.is_none() && path.attribute.eq_ignore_ascii_case(attribute) =>
            {
                Some(text)
            }
            Self::And(left, right) => left.must_equal(attribute).or_else(|| right.must_equal(attribute)),
            _ => None,
        }
    }

    /// Whether a resource fits, or one value of an attribute with parts.
    pub fn fits(&self, value: &Value, exact: &dyn Fn(&AttributePath) -> bool) -> bool {
        match self {
            Self::Compare(path, comparison, wanted) => {
                let found = values(value, path);
                let fits = |found: &&Value| compare(found, *comparison, wanted, exact(path));
                match comparison {
                    // Nothing is something else than any value, and equal to null.
                    Comparison::NotEqual => {
                        !found.iter().any(|found| compare(found, Comparison::Equal, wanted, exact(path)))
                    }
                    Comparison::Equal if wanted.is_null() => found.is_empty(),
                    _ => found.iter().any(fits),
                }
            }
            Self::Present(path) => values(value, path).iter().any(|found| !super::schema::is_unassigned(found)),
            Self::And(left, right) => left.fits(value, exact) && right.fits(value, exact),
            Self::Or(left, right) => left.fits(value, exact) || right.fits(value, exact),
            Self::Not(inner) => !inner.fits(value, exact),
            Self::Within(path, inner) => {
                let list = field(value, &path.attribute);
                let items = match list {
                    Some(Value::Array(items)) => items.as_slice(),
                    Some(one) => std::slice::from_ref(one),
                    None => &[],
                };
                items.iter().any(|item| inner.fits(item, &|part| exact(&within(path, part))))
            }
        }
    }

    /// Whether a resource of this type fits.
    pub fn fits_resource(&self, resource: Resource, value: &Value) -> bool {
        self.fits(value, &|path| is_exact(resource, path))
    }
}

fn within(path: &AttributePath, part: &AttributePath) -> AttributePath {
    AttributePath { attribute: path.attribute.clone(), part: Some(part.attribute.clone()) }
}

/// Whether upper and lower case differ in an attribute.
pub fn is_exact(resource: Resource, path: &AttributePath) -> bool {
    let Some(attribute) = resource.find(&path.attribute) else { return true };
    let part = path.part.as_deref().or_else(|| attribute.part("value").map(|_| "value"));
    part.and_then(|part| attribute.part(part)).map_or(attribute.case_exact, |part| part.case_exact)
}

fn field<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    value.as_object()?.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// The values that a path leads to. Of values with parts and without a part named, it is the part `value`.
fn values<'v>(value: &'v Value, path: &AttributePath) -> Vec<&'v Value> {
    let found = match field(value, &path.attribute) {
        Some(Value::Array(items)) => items.iter().collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    };
    let part = path.part.as_deref();
    let of_part = |found: &'v Value| match (found, part) {
        (Value::Object(_), Some(part)) => field(found, part),
        (Value::Object(fields), None) => fields.get("value").or(Some(found)),
        (_, Some(_)) => None,
        (found, None) => Some(found),
    };
    found.into_iter().filter_map(of_part).filter(|found| !found.is_null()).collect()
}

fn compare(found: &Value, comparison: Comparison, wanted: &Value, exact: bool) -> bool {
    match (found, wanted) {
        (Value::String(found), Value::String(wanted)) => {
            let fold = |text: &str| if exact { text.to_owned() } else { text.to_lowercase() };
            let (found, wanted) = (fold(found), fold(wanted));
            match comparison {
                Comparison::Equal => found == wanted,
                Comparison::NotEqual => found != wanted,
                Comparison::Contains => found.contains(&wanted),
                Comparison::Starts => found.starts_with(&wanted),
                Comparison::Ends => found.ends_with(&wanted),
                Comparison::Greater => found > wanted,
                Comparison::GreaterOrEqual => found >= wanted,
                Comparison::Less => found < wanted,
                Comparison::LessOrEqual => found <= wanted,
            }
        }
        // Some clients write booleans as texts.
        (Value::Bool(found), Value::String(wanted)) => {
            comparison == Comparison::Equal && wanted.eq_ignore_ascii_case(if *found { "true" } else { "false" })
        }
        (found, wanted) => match comparison {
            Comparison::Equal => found == wanted,
            Comparison::NotEqual => found != wanted,
            _ => false,
        },
    }
}

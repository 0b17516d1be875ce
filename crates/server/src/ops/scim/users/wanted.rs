//! What an identity provider wants somebody to be, checked.

use crate::scim::{Kind, Wrong};
use serde_json::{Map, Value, json};
use tegata_core::name;

/// Longest text, in characters.
const TEXT_MAX_CHARS: usize = 254;
/// Most addresses of a person.
const EMAILS_MAX: usize = 20;

/// What an identity provider wants somebody to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// What it calls them.
    pub user_name: String,
    /// Its id of them.
    pub external_id: Option<String>,
    /// Whether the membership is active.
    pub active: bool,
    /// The address that the account would have.
    pub email: String,
    /// The name that the account would have.
    pub name: String,
    /// What is kept of it for this organization, without `active`.
    pub attributes: Map<String, Value>,
}

impl Wanted {
    /// Reads the attributes that are kept, `active` among them.
    pub fn read(kept: &Map<String, Value>) -> Result<Self, Wrong> {
        let mut attributes = kept.clone();
        let active = match attributes.remove("active") {
            None => true,
            Some(Value::Bool(active)) => active,
            Some(_) => return Err(Wrong::value("`active` has to be true or false")),
        };
        let user_name = text(&attributes, "userName")?;
        let user_name = user_name.ok_or_else(|| Wrong::value("`userName` is missing"))?.to_owned();
        let external_id = text(&attributes, "externalId")?.map(str::to_owned);
        let display = text(&attributes, "displayName")?;
        let whole = name_of(&attributes)?;
        let name = display.map(str::to_owned).or(whole).unwrap_or_else(|| user_name.clone());
        let email = match email_of(&attributes)? {
            Some(email) => email,
            None if name::check_email(&user_name).is_ok() => user_name.clone(),
            None => return Err(Wrong::value("`emails` is missing, and `userName` is no address")),
        };
        let name = name.trim().chars().take(name::TITLE_MAX_CHARS).collect::<String>().trim().to_owned();
        Ok(Self { user_name, external_id, active, email, name, attributes })
    }

    /// What is kept, as it is stored.
    pub fn stored(&self) -> String {
        Value::Object(self.attributes.clone()).to_string()
    }

    /// What is kept, as activity tells it.
    pub fn told(&self) -> Value {
        json!(self.attributes)
    }
}

/// A text of a kind that people read.
fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, Wrong> {
    match fields.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => {
            if text.trim().is_empty() || text.chars().count() > TEXT_MAX_CHARS || text.chars().any(char::is_control) {
                let detail = format!("`{name}` has to have 1 to {TEXT_MAX_CHARS} characters, and none of control");
                return Err(Wrong::value(detail));
            }
            Ok(Some(text))
        }
        Some(_) => Err(Wrong::value(format!("`{name}` has to be a text"))),
    }
}

fn name_of(attributes: &Map<String, Value>) -> Result<Option<String>, Wrong> {
    let parts = match attributes.get("name") {
        None => return Ok(None),
        Some(Value::Object(parts)) => parts,
        Some(_) => return Err(Wrong::value("`name` has to be an object")),
    };
    let formatted = text(parts, "formatted")?;
    let (given, family) = (text(parts, "givenName")?, text(parts, "familyName")?);
    let joined = [given, family].into_iter().flatten().collect::<Vec<_>>().join(" ");
    Ok(formatted.map(str::to_owned).or(Some(joined)).filter(|name| !name.is_empty()))
}

/// The address that counts: the primary one, or else that for work, or else the first.
fn email_of(attributes: &Map<String, Value>) -> Result<Option<String>, Wrong> {
    let list = match attributes.get("emails") {
        None => return Ok(None),
        Some(Value::Array(list)) if list.len() <= EMAILS_MAX => list,
        Some(_) => return Err(Wrong::value(format!("`emails` has to be a list of at most {EMAILS_MAX}"))),
    };
    let mut emails = Vec::with_capacity(list.len());
    for email in list {
        let fields = email.as_object().ok_or_else(|| Wrong::value("an entry of `emails` has to be an object"))?;
        let value = text(fields, "value")?.ok_or_else(|| Wrong::value("an entry of `emails` has no `value`"))?;
        name::check_email(value).map_err(|error| Wrong::value(format!("`emails`: {error}")))?;
        let primary = match fields.get("primary") {
            None => false,
            Some(Value::Bool(primary)) => *primary,
            Some(_) => return Err(Wrong::value("`primary` has to be true or false")),
        };
        emails.push((value, text(fields, "type")?, primary));
    }
    if emails.iter().filter(|(_, _, primary)| *primary).count() > 1 {
        return Err(Wrong::new(Kind::InvalidValue, "one address at most is `primary`"));
    }
    let counts = emails.iter().find(|(_, _, primary)| *primary);
    let counts = counts.or_else(|| emails.iter().find(|(_, kind, _)| kind.is_some_and(|kind| kind == "work")));
    Ok(counts.or_else(|| emails.first()).map(|(value, _, _)| (*value).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &Value) -> Result<Wanted, Wrong> {
        Wanted::read(value.as_object().unwrap())
    }

    #[test]
    fn the_account_follows_from_what_is_written() {
        let of = |value: Value| read(&value).map(|wanted| (wanted.email, wanted.name, wanted.active)).unwrap();
        let own = |email: &str, name: &str| (email.to_owned(), name.to_owned(), true);
        assert_eq!(of(json!({"userName": "ann@x.example"})), own("ann@x.example", "ann@x.example"));
        assert_eq!(
            of(json!({"userName": "ann", "name": {"givenName": "Ann", "familyName": "Berg"},
                "emails": [{"value": "a@x.example"}, {"value": "b@x.example", "type": "work"}]})),
            own("b@x.example", "Ann Berg")
        );
        assert_eq!(
            of(json!({"userName": "ann", "displayName": "A", "name": {"formatted": "F"},
                "emails": [{"value": "a@x.example", "type": "work"}, {"value": "b@x.example", "primary": true}]})),
            own("b@x.example", "A")
        );
    }

    #[test]
    fn what_does_not_fit_is_told() {
        for broken in [
            json!({}),
            json!({"userName": ""}),
            json!({"userName": 1}),
            json!({"userName": "ann"}),
            json!({"userName": "a@x.example", "active": "perhaps"}),
            json!({"userName": "a@x.example", "displayName": "x".repeat(300)}),
            json!({"userName": "a@x.example", "emails": "a"}),
            json!({"userName": "a@x.example", "emails": [{"value": "no address"}]}),
            json!({"userName": "a@x.example", "emails": [{"type": "work"}]}),
            json!({"userName": "a@x.example", "name": "Ann"}),
        ] {
            assert_eq!(read(&broken).unwrap_err().kind, Kind::InvalidValue, "{broken}");
        }
    }
}

//! A call of one operation: where it goes and what it carries. Method and path come from the table of operations.

use super::error::CliError;
use reqwest::Url;
use serde_json::{Map, Value};
use tegata_core::operations::Operation;

/// A call under construction. It may carry a password, so it does not print.
pub struct Call {
    /// What is called.
    pub operation: &'static Operation,
    path: Vec<(&'static str, String)>,
    query: Vec<(&'static str, String)>,
    body: Option<Value>,
}

impl Call {
    /// A call of this operation.
    pub fn to(operation: &'static Operation) -> Self {
        Self { operation, path: Vec::new(), query: Vec::new(), body: None }
    }

    /// Fills in a parameter of the path.
    #[must_use]
    pub fn at(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.path.push((name, value.into()));
        self
    }

    /// Adds a parameter to the query, if there is a value.
    #[must_use]
    pub fn ask(mut self, name: &'static str, value: impl Into<Option<String>>) -> Self {
        self.query.extend(value.into().map(|value| (name, value)));
        self
    }

    /// Adds a field to the body, unless it is null.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        let value = value.into();
        let body = self.body.get_or_insert_with(|| Value::Object(Map::new()));
        if let (Some(fields), false) = (body.as_object_mut(), value.is_null()) {
            fields.insert(name.to_owned(), value);
        }
        self
    }

    /// The same call for another page.
    pub fn page(&self, limit: usize, cursor: Option<&str>) -> Self {
        let mut query = self.query.clone();
        query.push(("limit", limit.to_string()));
        query.extend(cursor.map(|cursor| ("cursor", cursor.to_owned())));
        Self { operation: self.operation, path: self.path.clone(), query, body: None }
    }

    /// The body.
    pub const fn body(&self) -> Option<&Value> {
        self.body.as_ref()
    }

    /// Where the call goes.
    pub fn url(&self, server: &Url) -> Result<Url, CliError> {
        let mut url = server.clone();
        {
            let mut segments = url.path_segments_mut().map_err(|()| CliError::usage("this URL cannot have a path"))?;
            segments.pop_if_empty();
            for segment in self.operation.path.split('/').skip(1) {
                match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
                    None => segments.push(segment),
                    Some(name) => segments.push(self.parameter(name)?),
                };
            }
        }
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        Ok(url)
    }

    /// A parameter of the path. An empty one, or dots, would lead to another path.
    fn parameter(&self, name: &str) -> Result<&str, CliError> {
        let value = self.path.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value.as_str());
        if matches!(value, "" | "." | "..") {
            return Err(CliError::usage(format!("{name}: `{value}` is neither a key nor an id")));
        }
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tegata_core::operations;

    fn url(call: &Call) -> String {
        call.url(&"http://127.0.0.1:7700".parse().unwrap()).unwrap().to_string()
    }

    #[test]
    fn paths_follow_the_table_and_stay_within_their_segment() {
        assert_eq!(url(&Call::to(operations::ORG_LIST)), "http://127.0.0.1:7700/v1/orgs");
        let call = Call::to(operations::CONTEXT_SHOW).at("org", "acme").at("context", "repository:key:octo/hello");
        assert_eq!(url(&call), "http://127.0.0.1:7700/v1/orgs/acme/contexts/repository:key:octo%2Fhello");
        let call = Call::to(operations::ORG_LIST).ask("type", None).ask("q", "a b&c".to_owned());
        assert_eq!(url(&call), "http://127.0.0.1:7700/v1/orgs?q=a+b%26c");
        let below: Url = "https://example.com/tegata/".parse().unwrap();
        assert_eq!(Call::to(operations::ME_SHOW).url(&below).unwrap().path(), "/tegata/v1/me");
    }

    #[test]
    fn what_would_lead_elsewhere_is_refused() {
        for value in ["", ".", ".."] {
            let call = Call::to(operations::TEAM_DELETE).at("org", "acme").at("team", value);
            assert!(call.url(&"http://127.0.0.1:7700".parse().unwrap()).is_err(), "{value}");
        }
    }

    #[test]
    fn fields_without_a_value_are_left_out() {
        let call = Call::to(operations::ORG_CREATE).with("key", "acme").with("administrator", None::<String>);
        assert_eq!(call.body().unwrap().to_string(), r#"{"key":"acme"}"#);
        assert!(call.page(50, Some("c")).body().is_none());
    }
}

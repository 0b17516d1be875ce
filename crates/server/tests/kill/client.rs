//! Calls to a server that may die at any moment.

use serde_json::Value;
use std::time::Duration;

/// Somebody who calls the server.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    pub base: String,
    token: Option<String>,
}

impl Client {
    pub fn new(base: &str) -> Self {
        let http = reqwest::Client::builder().timeout(Duration::from_mins(1)).build().unwrap();
        Self { http, base: base.to_owned(), token: None }
    }

    /// The same with a credential.
    pub fn with(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// Calls; none where no whole answer came, and nobody knows what happened.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        key: Option<&str>,
    ) -> Option<(u16, Value)> {
        let mut request = self.http.request(method.parse().unwrap(), format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.ok()?;
        let status = response.status().as_u16();
        let text = response.text().await.ok()?;
        Some((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
    }

    /// Calls a server that lives, and expects this status.
    pub async fn must(&self, method: &str, path: &str, body: Value, expected: u16) -> Value {
        let body = Some(&body).filter(|body| !body.is_null());
        let (status, answer) =
            self.send(method, path, body, None).await.unwrap_or_else(|| panic!("{method} {path}: no answer"));
        assert_eq!(status, expected, "{method} {path}: {answer}");
        answer
    }
}

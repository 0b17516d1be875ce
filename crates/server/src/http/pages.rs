//! The few pages that the server brings along: the guided set-up. Static files, no library, and a policy that lets
//! nothing in from anywhere else.

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::IntoResponse;

const SETUP_HTML: &str = include_str!("pages/setup.html");
const SETUP_CSS: &str = include_str!("pages/setup.css");
const SETUP_JS: &str = include_str!("pages/setup.js");
const SETUP_TEXTS: &str = include_str!("pages/setup.texts.json");

/// What a page may load and do: its own files, calls to this server, and nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

fn file(kind: &'static str, text: &'static str) -> impl IntoResponse {
    let fixed = |value| HeaderValue::from_static(value);
    let headers: [(HeaderName, HeaderValue); 5] = [
        (header::CONTENT_TYPE, fixed(kind)),
        (header::CONTENT_SECURITY_POLICY, fixed(POLICY)),
        (header::REFERRER_POLICY, fixed("no-referrer")),
        (header::X_CONTENT_TYPE_OPTIONS, fixed("nosniff")),
        (header::CACHE_CONTROL, fixed("no-store")),
    ];
    (headers, text)
}

/// The guided set-up.
pub async fn setup() -> impl IntoResponse {
    file("text/html; charset=utf-8", SETUP_HTML)
}

/// Its style.
pub async fn setup_css() -> impl IntoResponse {
    file("text/css; charset=utf-8", SETUP_CSS)
}

/// Its script.
pub async fn setup_js() -> impl IntoResponse {
    file("text/javascript; charset=utf-8", SETUP_JS)
}

/// Its texts in both languages.
pub async fn setup_texts() -> impl IntoResponse {
    file("application/json", SETUP_TEXTS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::collections::BTreeSet;

    #[test]
    fn both_languages_say_everything_that_the_page_uses() {
        let texts: Value = serde_json::from_str(SETUP_TEXTS).unwrap();
        let keys = |language: &str| texts[language].as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
        assert_eq!(keys("en"), keys("ja"));
        let used = SETUP_HTML.split("data-text=\"").skip(1).filter_map(|rest| rest.split('"').next());
        for key in used {
            assert!(keys("en").contains(key), "{key}");
        }
    }
}

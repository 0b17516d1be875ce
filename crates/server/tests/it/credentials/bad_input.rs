//! Input that breaks a rule gets the field and the rule, and changes nothing.

use super::*;

both_databases! {
    async fn of_a_new_token(server: Server) {
        let desk_ = Desk::new(&server).await;
        let alice = &desk_.alice.client;
        let fine = token(&server, &json!([desk("acme", &["project:key:blue:tickets:read"])]));
        let scopes = |list: Value| ("grants", json!([{"organization": "acme", "api": "desk", "scopes": list}]));
        let many = vec![json!({"scopes": "tickets:read"}); 101];
        let cases: Vec<(&str, Value, &str)> = vec![
            ("name", json!(""), "name"),
            ("name", json!("  "), "name"),
            ("name", json!("x".repeat(101)), "name"),
            ("name", json!("a\u{1}b"), "name"),
            ("reason", json!("x".repeat(1001)), "reason"),
            ("expires_at", json!("tomorrow"), "expires_at"),
            ("expires_at", json!("2026-13-01T00:00:00Z"), "expires_at"),
            ("expires_at", json!("2001-01-01T00:00:00Z"), "expires_at"),
            ("expires_at", json!(server.in_days(366)), "expires_at"),
            ("addresses", json!(["10.0.0.0/33"]), "addresses[0]"),
            ("addresses", json!(["10.0.0.1", "here"]), "addresses[1]"),
            ("grants", json!([]), "grants"),
            ("grants", json!(many), "grants"),
            ("grants", json!([{"organization": "nowhere", "api": "desk", "scopes": "tickets:read"}]), "grants[0].organization"),
            ("grants", json!([{"organization": "acme", "api": "nothing", "scopes": "tickets:read"}]), "grants[0].api"),
            scopes(json!([])).with("grants[0].scopes"),
            scopes(json!("")).with("grants[0].scopes"),
            scopes(json!(["tickets:raed"])).with("grants[0].scopes[0]"),
            scopes(json!(["project:key:blue:tickets:read", "project:key:nowhere:tickets:read"])).with("grants[0].scopes[1]"),
            scopes(json!(["project:key:blue"])).with("grants[0].scopes[0]"),
            scopes(json!(["project:key:blue:reports:read"])).with("grants[0].scopes[0]"),
            scopes(json!(["tickets:purge"])).with("grants[0].scopes[0]"),
            scopes(json!(["tickets:read tickets:write"])).with("grants[0].scopes[0]"),
            scopes(json!(["x".repeat(2000)])).with("grants[0].scopes[0]"),
            scopes(json!("tickets:read ".repeat(1001))).with("grants"),
        ];
        for (field, value, named) in cases {
            let mut body = fine.clone();
            body[field] = value;
            let reply = alice.post("/v1/me/tokens", body).await;
            reply.field("invalid", named);
            assert_eq!(reply.status.as_u16(), 422);
        }
        for (field, value) in [("name", json!(7)), ("grants", json!("all")), ("colour", json!("red")),
            ("grants", json!([{"scopes": 7}])), ("expires_at", Value::Null)] {
            let mut body = fine.clone();
            body[field] = value;
            alice.post("/v1/me/tokens", body).await.problem("malformed_body");
        }
        let mut two = fine.clone();
        two["name"] = json!("");
        two["expires_at"] = json!("2001-01-01T00:00:00Z");
        let told = alice.post("/v1/me/tokens", two).await;
        told.field("invalid", "name");
        told.field("invalid", "expires_at");
        let near = alice.post("/v1/me/tokens", token(&server, &json!([desk("acme", &["ticket:read"])]))).await;
        assert!(near.problem("invalid").to_string().contains("did you mean `tickets:read`"));
        assert_eq!(alice.get("/v1/me/tokens").await["items"], json!([]));
        for path in ["/v1/me/tokens?limit=0", "/v1/me/tokens?limit=201", "/v1/me/tokens?limit=x"] {
            alice.get(path).await.problem("invalid_parameter");
        }
        alice.get("/v1/me/tokens?cursor=abc").await.problem("malformed_cursor");
        alice.get("/v1/me/tokens/tok_nothing").await.problem("not_found");
        policy(&desk_.admin, "acme", "allow", "all", 7).await;
        let late = alice.post("/v1/me/tokens", fine).await;
        late.field("invalid", "expires_at");
    }

    async fn of_a_new_verifier(server: Server) {
        let desk_ = Desk::new(&server).await;
        let cases = [
            (json!({"name": "", "apis": ["desk"]}), "name"),
            (json!({"name": "x".repeat(101), "apis": ["desk"]}), "name"),
            (json!({"name": "gate", "apis": []}), "apis"),
            (json!({"name": "gate", "apis": ["desk", "nothing"]}), "apis[1]"),
            (json!({"name": "gate", "apis": ["desk", "desk"]}), "apis[1]"),
        ];
        for (body, field) in cases {
            desk_.root.post("/v1/verifiers", body).await.field("invalid", field);
        }
        desk_.root.post("/v1/verifiers", json!({"name": "gate"})).await.problem("malformed_body");
        assert_eq!(desk_.root.get("/v1/verifiers").await["items"], json!([]));
    }
}

/// A case with the field that is to be named.
trait With {
    fn with(self, named: &'static str) -> (&'static str, Value, &'static str);
}

impl With for (&'static str, Value) {
    fn with(self, named: &'static str) -> (&'static str, Value, &'static str) {
        (self.0, self.1, named)
    }
}

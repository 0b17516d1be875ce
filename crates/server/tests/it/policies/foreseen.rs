//! What a change of policy would break is told beforehand, with what contexts say.

use super::*;

/// Calls from several places, and which of them were allowed.
async fn calls(office: &Office, secrets: &[String]) -> Vec<bool> {
    let mut checks = Vec::new();
    for number in 0..60 {
        let secret = &secrets[number % secrets.len()];
        let mut check = match number / secrets.len() % 4 {
            0 => doors_check(secret),
            1 => json!({"token": secret, "api": "town", "method": "POST", "path": "/houses/main/doors"}),
            2 => json!({"token": secret, "api": "town", "permission": "doors:read", "context": "room:key:hall"}),
            _ => json!({"token": secret, "api": "town", "permission": "doors:read", "context": "global"}),
        };
        check["organization"] = json!("octo");
        if number % 5 != 0 {
            check["ip"] = json!(format!("203.0.113.{}", number % 7));
        }
        checks.push(check);
    }
    let answer = office.gate.post("/v1/verify/batch", json!({"checks": checks})).await;
    answer.status(200)["results"].as_array().unwrap().iter().map(|one| one["allowed"] == true).collect()
}

fn count(before: &[bool], after: &[bool], was: bool) -> u64 {
    before.iter().zip(after).filter(|(before, after)| **before == was && **after != was).count() as u64
}

both_databases! {
    async fn what_is_foreseen_of_addresses_and_contexts_happens(server: Server) {
        let office = Office::open(&server).await;
        let mut secrets = Vec::new();
        for scopes in [&["doors:write"][..], &["house:key:main:doors:read"], &["room:key:hall:doors:write", "doors:read"]] {
            secrets.push(office.token(&server, scopes).await.1);
        }
        calls(&office, &secrets).await;
        let (from, to) = (server.in_days(-1), server.in_days(0));
        let mut broke = 0;
        for (context, change) in [
            (None, json!({"addresses": ["203.0.113.0/29"]})),
            (Some("house:key:main"), json!({"admission": "deny"})),
            (Some("house:key:main"), json!({"level": "read_only"})),
            (Some("room:key:hall"), json!({"addresses": ["203.0.113.2/31"]})),
            // By then the contexts say what they say, and the organization's dry run accounts for it.
            (None, json!({"level": "read_only"})),
            (None, json!({"addresses": [], "level": "all"})),
        ] {
            let before = calls(&office, &secrets).await;
            let mut body = change.clone();
            (body["from"], body["to"]) = (json!(from), json!(to));
            let path = context.map_or_else(|| "/v1/orgs/octo/policies/personal_token".to_owned(), |context| policy_of(context, "personal_token"));
            let thought = office.admin().post(&format!("{path}/dry-run"), body).await.status(200).clone();
            assert_eq!(calls(&office, &secrets).await, before, "nothing was changed");
            match context {
                None => office.set("personal_token", change.clone()).await.status(200).clone(),
                Some(context) => office.tighten(office.admin(), context, "personal_token", change.clone()).await.status(200).clone(),
            };
            let after = calls(&office, &secrets).await;
            let (denied, allowed) = (count(&before, &after, true), count(&before, &after, false));
            assert_eq!((thought["denied_newly"].as_u64(), thought["allowed_newly"].as_u64()), (Some(denied), Some(allowed)), "{context:?} {change}: {thought}");
            assert_eq!(thought["not_judged"], 0);
            broke += denied;
            if context == Some("house:key:main") {
                assert_eq!(thought["policy"]["effective"]["admission"], "allow");
                office.admin().delete(&policy_of("house:key:main", "personal_token")).await.status(200);
            }
        }
        assert!(broke > 20, "only {broke} calls were denied");
        office.admin().post(&format!("{}/dry-run", policy_of("house:key:main", "organization_key")), json!({"unscoped": false})).await.field("invalid", "unscoped");
        office.admin().post(&format!("{}/dry-run", policy_of("house:key:none", "personal_token")), json!({})).await.problem("not_found");
    }
}

//! The access log over HTTP: listing, filters, one record, exports; and that nobody sees another organization's.

use crate::support::{Client, Person, Reply, Server};
use serde_json::Value;

const RECORDS: &str = "/v1/orgs/acme/records";

/// Calls of Tegata's own API are recorded like those of any other: they fill the log here.
struct Acme {
    root: Client,
    admin: Person,
    bob: Person,
}

impl Acme {
    async fn new(server: &Server) -> Self {
        let root = server.admin().await;
        let admin = server.org(&root, "acme").await;
        let bob = server.member(&root, &admin.client, "acme", "bob", "member").await;
        for _ in 0..3 {
            bob.client.get("/v1/orgs/acme/roles").await.status(200);
        }
        bob.client.get("/v1/orgs/acme/activity").await.problem("forbidden");
        Self { root, admin, bob }
    }

    async fn list(&self, query: &str) -> Reply {
        self.admin.client.get(&format!("{RECORDS}?{query}")).await
    }
}

fn items(reply: &Reply) -> &Vec<Value> {
    reply.status(200)["items"].as_array().unwrap()
}

both_databases! {
    async fn records_are_listed_newest_first_and_filtered(server: Server) {
        let acme = Acme::new(&server).await;
        let all = acme.list("limit=200").await;
        let sequences: Vec<u64> = items(&all).iter().map(|record| record["sequence"].as_u64().unwrap()).collect();
        assert!(sequences.is_sorted_by(|a, b| a > b), "{sequences:?}");
        assert!(items(&all).iter().all(|record| record["api"] == "tegata"));

        let bob = &acme.bob.id;
        assert_eq!(items(&acme.list(&format!("principal={bob}")).await).len(), 4);
        assert_eq!(items(&acme.list("principal=bob@example.com&decision=allow").await).len(), 3);
        let denied = acme.list(&format!("principal={bob}&decision=deny")).await;
        let [denied] = items(&denied).as_slice() else { panic!("{denied:?}") };
        assert_eq!(denied["reason"], "owner_lacks_permission");
        assert_eq!(denied["permission"], "activity:read");
        assert_eq!(denied["path"], "/v1/orgs/acme/activity");
        assert_eq!(denied["method"], "GET");
        let shown = acme.admin.client.get(&format!("{RECORDS}/{}", denied["id"].as_str().unwrap())).await;
        assert_eq!(shown.status(200), denied);

        for query in [
            "permission=activity:read".to_owned(),
            "reason=owner_lacks_permission".to_owned(),
            "path=/v1/orgs/acme/activity".to_owned(),
            "endpoint=/v1/orgs/{org}/activity".to_owned(),
            format!("credential={}&decision=deny", denied["credential"].as_str().unwrap()),
            format!("request_id={}", denied["request_id"].as_str().unwrap()),
            format!("from={}&decision=deny", denied["time"].as_str().unwrap()),
        ] {
            let found = acme.list(&query).await;
            assert!(items(&found).iter().any(|record| record["id"] == denied["id"]), "{query}: {found:?}");
        }
        for query in ["permission=nothing", "kind=personal_token", "method=PATCH", "api=github", "address=192.0.2.1",
            "to=1999-01-01T00:00:00Z", "reason=revoked", "path=/nowhere"] {
            assert_eq!(items(&acme.list(query).await).len(), 0, "{query}");
        }
    }

    async fn pages_meet_without_gap_or_overlap(server: Server) {
        let acme = Acme::new(&server).await;
        let all = acme.list("principal=bob@example.com").await;
        let mut seen = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = acme.list(&format!("principal=bob@example.com&limit=2{cursor}")).await;
            seen.extend(items(&page).iter().cloned());
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(&seen, items(&all));
    }

    async fn questions_that_make_no_sense_are_refused(server: Server) {
        let acme = Acme::new(&server).await;
        acme.list("cursor=nonsense").await.problem("malformed_cursor");
        acme.list("limit=0").await.problem("invalid_parameter");
        acme.list("limit=many").await.problem("invalid_parameter");
        acme.list("from=yesterday").await.field("invalid_parameter", "from");
        acme.list("decision=maybe").await.field("invalid_parameter", "decision");
        acme.list("context=global").await.field("invalid_parameter", "context");
        acme.list("context=nonsense").await.field("invalid", "context");
        acme.admin.client.get(&format!("{RECORDS}/nonsense")).await.problem("not_found");
        acme.admin.client.get(&format!("{RECORDS}/export?format=xml")).await.field("invalid_parameter", "format");
    }

    async fn exports_hold_what_lists_show(server: Server) {
        let acme = Acme::new(&server).await;
        let listed = acme.list("principal=bob@example.com").await;
        let export = async |format: &str| {
            let path = format!("{RECORDS}/export?format={format}&principal=bob@example.com");
            acme.admin.client.get(&path).await
        };
        let lines = export("jsonl").await;
        assert_eq!(lines.headers["content-type"], "application/x-ndjson");
        assert_eq!(lines.headers["tegata-record-count"], "4");
        let name = lines.headers["content-disposition"].to_str().unwrap();
        assert!(name.starts_with("attachment; filename=\"records-acme-"), "{name}");
        let text = lines.status(200).as_str().unwrap();
        let mut exported: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        exported.reverse();
        assert_eq!(&exported, items(&listed));

        let csv = export("csv").await;
        assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8");
        let text = csv.status(200).as_str().unwrap();
        let mut rows = csv::Reader::from_reader(text.as_bytes());
        assert_eq!(rows.headers().unwrap().get(0), Some("id"));
        let ids: Vec<String> = rows.records().map(|row| row.unwrap()[0].to_owned()).collect();
        assert_eq!(ids, exported.iter().rev().map(|record| record["id"].as_str().unwrap()).collect::<Vec<_>>());

        // An export without a match is empty, not an error; and the export itself is on record.
        let path = format!("{RECORDS}/export?format=jsonl&reason=revoked");
        assert_eq!(acme.admin.client.get(&path).await.headers["tegata-record-count"], "0");
        assert_eq!(items(&acme.list("endpoint=/v1/orgs/{org}/records/export").await).len(), 3);
    }

    async fn records_need_their_permission_and_stay_in_their_organization(server: Server) {
        let acme = Acme::new(&server).await;
        let other = server.org(&acme.root, "other").await;
        let first = items(&acme.list("limit=1").await)[0]["id"].as_str().unwrap().to_owned();
        for path in [RECORDS.to_owned(), format!("{RECORDS}/{first}"), format!("{RECORDS}/export")] {
            acme.bob.client.get(&path).await.problem("forbidden");
            other.client.get(&path).await.problem("not_found");
            server.anybody().get(&path).await.problem("unauthenticated");
        }
        other.client.get(&format!("/v1/orgs/other/records/{first}")).await.problem("not_found");
        let theirs = other.client.get("/v1/orgs/other/records?limit=200").await;
        assert!(items(&theirs).iter().all(|record| record["principal"] == other.id.as_str()), "{theirs:?}");
        let exported = other.client.get("/v1/orgs/other/records/export?format=jsonl").await;
        assert!(!exported.status(200).to_string().contains(&acme.bob.id));
    }
}

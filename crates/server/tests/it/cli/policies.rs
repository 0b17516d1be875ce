//! Policies of organizations and contexts, from the command line.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_context_is_tightened_and_let_go() {
    let server = Server::start(Database::Sqlite).await;
    let town = crate::town::Town::found(&server).await;
    let admin = Shell::at(&server.base)
        .with("TEGATA_TOKEN", town.admin.client.token.as_deref().unwrap())
        .with("TEGATA_ORG", "octo");
    let set = |what: &str| admin.run(&format!("--json policy set personal_token {what} --reason test")).json();
    assert_eq!(set("--address 203.0.113.0/24 --address 198.51.100.7")["addresses"][0], "198.51.100.7/32");
    assert_eq!(set("--unused-days 90")["unused_days"], 90);
    let kept = set("--askable doors:read --api town");
    assert_eq!((&kept["addresses"][1], &kept["unused_days"]), (&"203.0.113.0/24".into(), &90.into()), "not named");
    assert_eq!(kept["permissions"][0]["scopes"][0], "global:doors:read");
    let open = set("--any-permission --any-address --unused-days 0");
    assert_eq!((&open["permissions"], &open["addresses"]), (&serde_json::json!([]), &serde_json::json!([])));

    let place = "--context house:key:main";
    assert_eq!(set(&format!("{place} --level read_only"))["effective"]["level"], "read_only");
    // What is not named stays as the context says it.
    let both = set(&format!("{place} --max-lifetime-days 30 --askable doors:read --api town"));
    assert_eq!((&both["own"]["level"], &both["own"]["max_lifetime_days"]), (&"read_only".into(), &30.into()));
    assert_eq!(both["own"]["permissions"][0]["api"], "town");
    admin.run("policy set personal_token --max-lifetime-days 20 --reason test").code(0);
    let looser = admin.run(&format!("policy set personal_token {place} --max-lifetime-days 40 --reason test")).code(1);
    assert!(looser.err.contains("a context only tightens"), "{}", looser.err);
    admin.run(&format!("policy set personal_token {place} --unscoped true --reason test")).code(2);
    let shown = admin.run(&format!("--json policy show personal_token {place}")).json();
    assert_eq!(
        (&shown["own"]["max_lifetime_days"], &shown["effective"]["max_lifetime_days"]),
        (&30.into(), &20.into())
    );
    assert_eq!(admin.run(&format!("--json policy list {place}")).lines().len(), 5);
    let thought = admin.run(&format!("--json policy dry-run personal_token {place} --admission deny")).json();
    assert_eq!((&thought["calls"], &thought["proposed"]["effective"]["admission"]), (&0.into(), &"deny".into()));
    let cleared = admin.run(&format!("--json policy clear personal_token {place}")).json();
    assert_eq!(cleared["effective"]["level"], "all");
}

//! Messages of syslog, read by hand as RFC 5424 writes them.

use super::receiver::{Log, pem};
use super::{Acme, STREAMS, id_of, once, path, until};
use crate::support::{Server, fresh_database};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

/// A message, taken apart.
#[derive(Debug)]
struct Message {
    priority: u16,
    time: String,
    host: String,
    process: String,
    kind: String,
    data: BTreeMap<String, String>,
    data_id: String,
    text: String,
}

/// Reads a message to its last byte: RFC 5424 §6, nothing else is taken.
fn parse(message: &str) -> Message {
    let rest = message.strip_prefix('<').unwrap();
    let (priority, rest) = rest.split_once('>').unwrap();
    let rest = rest.strip_prefix("1 ").expect("version 1");
    let mut words = rest.splitn(6, ' ');
    let mut word = || words.next().unwrap().to_owned();
    let (time, host, app, process, kind) = (word(), word(), word(), word(), word());
    assert_eq!(app, "tegata");
    for (name, most) in [(&host, 255), (&process, 128), (&kind, 32)] {
        assert!(!name.is_empty() && name.len() <= most && name.bytes().all(|byte| byte.is_ascii_graphic()), "{name}");
    }
    assert!(time.len() == 27 && time.ends_with('Z') && time.parse::<jiff::Timestamp>().is_ok(), "{time}");
    let rest = words.next().unwrap();
    let (data_id, data, rest) = match rest.strip_prefix('-') {
        Some(rest) => (String::new(), BTreeMap::new(), rest),
        None => structured(rest),
    };
    let text = rest.strip_prefix(' ').unwrap_or_else(|| {
        assert!(rest.is_empty(), "{rest}");
        ""
    });
    let text = if text.is_ascii() { text } else { text.strip_prefix('\u{feff}').expect("UTF-8 says so") };
    let priority = priority.parse().unwrap();
    Message { priority, time, host, process, kind, data, data_id, text: text.to_owned() }
}

fn structured(text: &str) -> (String, BTreeMap<String, String>, &str) {
    let rest = text.strip_prefix('[').unwrap();
    let end = rest.find([' ', ']']).unwrap();
    let (id, mut rest) = rest.split_at(end);
    let mut data = BTreeMap::new();
    while let Some(parameter) = rest.strip_prefix(' ') {
        let (name, value) = parameter.split_once("=\"").unwrap();
        assert!(!name.is_empty() && name.len() <= 32 && name.bytes().all(|byte| byte.is_ascii_graphic()), "{name}");
        let mut read = String::new();
        let mut letters = value.char_indices();
        let end = loop {
            match letters.next().expect("the value ends") {
                (place, '"') => break place,
                (_, '\\') => match letters.next().unwrap().1 {
                    letter @ ('"' | '\\' | ']') => read.push(letter),
                    other => read.extend(['\\', other]),
                },
                (_, ']') => panic!("a bracket that was not escaped: {value}"),
                (_, letter) => read.push(letter),
            }
        };
        assert!(data.insert(name.to_owned(), read).is_none());
        rest = &value[end + 1..];
    }
    (id.to_owned(), data, rest.strip_prefix(']').unwrap())
}

async fn all_of(acme: &Acme, log: &Log, ids_of: impl Fn(&Message) -> String) -> Vec<Message> {
    let ids = acme.ids().await;
    until("the receiver has all records", async || {
        let here: Vec<_> = log.messages().iter().map(|message| ids_of(&parse(message))).collect();
        ids.iter().all(|id| here.contains(id))
    })
    .await;
    let messages: Vec<_> = log.messages().iter().map(|message| parse(message)).collect();
    let here: Vec<_> = messages.iter().map(ids_of).filter(|id| !id.is_empty()).collect();
    assert_eq!(once(&here)[..ids.len()], ids, "in order, and none of another organization");
    messages
}

both_databases! {
    async fn records_arrive_as_structured_data_over_tcp(server: Server) {
        let acme = Acme::new(&server).await;
        let log = Log::open(false).await;
        let body = json!({"name": "syslog", "kind": "syslog", "url": format!("tcp://{}", log.address),
            "from": server.in_days(-1), "syslog": {"facility": 16, "enterprise_number": 99_999}});
        let stream = acme.admin.client.post(STREAMS, body).await.status(201).clone();
        assert!(stream.get("secret").is_none() && stream["format"] == "structured", "{stream}");
        assert_eq!(stream["syslog"]["severity_denied"], 4);
        acme.calls(3).await;
        let agent = [("user-agent", "a \"b\" \\c [d] e")];
        let roles = "/v1/orgs/acme/roles";
        acme.admin.client.send(reqwest::Method::GET, roles, None, &agent).await.status(200);
        let bob = server.member(&acme.root, &acme.admin.client, "acme", "bob", "member").await;
        bob.client.get("/v1/orgs/acme/activity").await.problem("forbidden");
        let id = |message: &Message| message.data.get("id").cloned().unwrap_or_default();
        let messages = all_of(&acme, &log, id).await;
        let listed = acme.admin.client.get("/v1/orgs/acme/records?limit=200").await;
        let mut denied = 0;
        for record in listed.status(200)["items"].as_array().unwrap() {
            let Some(message) = messages.iter().find(|message| id(message) == id_of(record)) else { continue };
            let allowed = record["decision"] == "allow";
            denied += u32::from(!allowed);
            assert_eq!(message.priority, 16 * 8 + if allowed { 6 } else { 4 });
            assert_eq!((message.kind.as_str(), message.data_id.as_str()), ("access", "tegata@99999"));
            assert_eq!((message.host.as_str(), message.time.as_str()), ("127.0.0.1", record["time"].as_str().unwrap()));
            assert_eq!(message.process, std::process::id().to_string());
            for (name, value) in record.as_object().unwrap() {
                let expected = match value {
                    Value::Null => None,
                    Value::String(text) => Some(text.clone()),
                    other => Some(other.to_string()),
                };
                assert_eq!(message.data.get(name), expected.as_ref(), "{name}");
            }
        }
        assert!(denied >= 1);
        assert!(messages.iter().any(|message| message.data.get("user_agent").is_some_and(|agent| agent == "a \"b\" \\c [d] e")));
        assert_eq!(acme.act(&stream, "test", json!({})).await["delivered"], true);
        until("the test arrived", async || log.messages().iter().any(|message| parse(message).kind == "test")).await;
        let rotate = acme.admin.client.post(&path(&stream, "rotate"), json!({})).await;
        rotate.problem("conflict");
    }

    async fn a_connection_that_breaks_loses_nothing(server: Server) {
        let acme = Acme::new(&server).await;
        let log = Log::open(false).await;
        log.is_cutting.store(true, Ordering::SeqCst);
        let body = json!({"name": "syslog", "kind": "syslog", "url": format!("tcp://{}", log.address),
            "from": server.in_days(-1), "format": "json"});
        let stream = acme.admin.client.post(STREAMS, body).await.status(201).clone();
        acme.calls(5).await;
        until("it is told", async || acme.show(&stream).await["reason"] == "connection_broken").await;
        assert_eq!(acme.show(&stream).await["delivered"], 0);
        log.is_cutting.store(false, Ordering::SeqCst);
        let id = |message: &Message| id_of(&serde_json::from_str(&message.text).unwrap());
        for message in all_of(&acme, &log, id).await {
            assert!(message.text.is_ascii() && message.data.is_empty());
        }
        until("it is told", async || acme.show(&stream).await["state"] == "active").await;
    }

    async fn records_arrive_over_tls_from_an_authority_that_the_operator_named(server: Server) {
        let acme = Acme::new(&server).await;
        let log = Log::open(true).await;
        let body = json!({"name": "tls", "kind": "syslog", "url": format!("tls://localhost:{}", log.address.port()),
            "from": server.in_days(-1), "format": "ocsf"});
        let stream = acme.admin.client.post(STREAMS, body).await.status(201).clone();
        until("nobody knows the authority", async || acme.show(&stream).await["reason"] == "not_secured").await;
        assert!(log.messages().is_empty());
        let (database, url) = (server.database, server.config.database.clone().unwrap());
        let Server { running, directory, .. } = server;
        running.stop().await;
        let named = |config: &mut tegata::serve::Config| config.sending.authorities = Some(pem("authority.pem"));
        let server = Server::start_as(database, directory, url, named).await;
        let acme = acme.at(&server);
        let id = |message: &Message| {
            let event: Value = serde_json::from_str(&message.text).unwrap();
            assert_eq!(event["class_uid"], 6_003);
            event["metadata"]["uid"].as_str().unwrap().to_owned()
        };
        all_of(&acme, &log, id).await;
    }
}

/// An authority whose file is not there: the server says so and does not start.
#[tokio::test]
async fn authorities_that_cannot_be_read_are_told_at_start() {
    let directory = tempfile::tempdir().unwrap();
    let url = fresh_database(crate::support::Database::Sqlite, &directory).await;
    let mut config = tegata::serve::Config::new(directory.path().join("data"), "127.0.0.1:0".parse().unwrap());
    config.database = Some(url);
    config.sending.authorities = Some(directory.path().join("none.pem"));
    let Err(error) = tegata::serve::start(&config).await else { panic!("it must not start") };
    assert!(error.to_string().contains("none.pem"), "{error}");
}

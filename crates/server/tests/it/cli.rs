//! The command line, as people and scripts use it: the real binary against a server.

mod policies;
mod waiting;

use crate::support::{Database, Server, fresh_database};
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

const PASSWORD: &str = "correct horse battery staple";

/// A person's shell: a home of its own, and variables.
struct Shell {
    home: TempDir,
    variables: Vec<(String, String)>,
}

/// A command that has ended.
struct Ran {
    what: String,
    code: i32,
    out: String,
    err: String,
}

impl Shell {
    fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap(), variables: Vec::new() }
    }

    fn at(url: &str) -> Self {
        Self::new().with("TEGATA_URL", url)
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tegata"));
        command.args(line.split_whitespace()).current_dir(self.home.path()).env_clear();
        command.env("HOME", self.home.path()).envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a command whose arguments hold no blanks.
    fn run(&self, line: &str) -> Ran {
        self.feed(line, "")
    }

    /// The same, with something on its standard input.
    fn feed(&self, line: &str, input: &str) -> Ran {
        tokio::task::block_in_place(|| {
            let mut child = self.command(line).spawn().unwrap();
            child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
            let output = child.wait_with_output().unwrap();
            Ran {
                what: line.to_owned(),
                code: output.status.code().unwrap(),
                out: String::from_utf8(output.stdout).unwrap(),
                err: String::from_utf8(output.stderr).unwrap(),
            }
        })
    }
}

impl Ran {
    #[track_caller]
    fn code(self, expected: i32) -> Self {
        assert_eq!(self.code, expected, "{}\n{}\n{}", self.what, self.out, self.err);
        self
    }

    #[track_caller]
    fn json(self) -> Value {
        let ran = self.code(0);
        serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{}: {error}: {}", ran.what, ran.out))
    }

    #[track_caller]
    fn lines(self) -> Vec<Value> {
        self.code(0).out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// The questions of `tegata record`, where the log holds four checks of GitHub's API.
fn asked_of_the_log(root: &Shell, csv: &str) {
    let counted = root.run("--json record histogram --api github --bucket 1h").json();
    assert_eq!((counted["allowed"].clone(), counted["denied"].clone()), (1.into(), 3.into()));
    let chart = root.run("record histogram --api github --bucket 12h --utc-offset -03:30").code(0);
    assert!(chart.out.contains("█") && chart.err.contains("1 allowed, 3 denied"), "{}{}", chart.out, chart.err);
    let top = root.run("--json record top reason --api github --decision allow").lines();
    assert_eq!((top.len(), text(&top[0], "/value")), (1, "granted"));
    root.run("record top shoes").code(2);
    let statement =
        "SELECT reason, count(*) AS calls FROM records WHERE api = 'github' GROUP BY reason ORDER BY reason";
    let rows = root.feed("--json record sql -", statement).lines();
    assert!(rows.iter().any(|row| row["reason"] == "granted" && row["calls"] == 1), "{rows:?}");
    let table = root.feed("record sql -", statement).code(0).out;
    assert!(table.lines().next().unwrap().contains("reason") && table.contains("insufficient_scope"), "{table}");
    let refused = root.feed("record sql -", "DELETE FROM records").code(1);
    assert!(refused.err.contains("only SELECT is allowed"), "{}", refused.err);
    let kept = root.run("--json record retention").json();
    assert_eq!((kept["days"].clone(), kept["hold"].clone()), (180.into(), false.into()));
    root.run("record retention --days 30").code(2);
    assert_eq!(root.run("--json record retention --days 30 --hold --reason case").json()["hold"], true);
    let released = root.run("--json record retention --release --reason done").json();
    assert_eq!((released["own_days"].clone(), released["hold"].clone()), (30.into(), false.into()));

    // Two records of an export that was cut off are there, and half of a third.
    let lines: Vec<&str> = csv.split_inclusive('\n').collect();
    let part = root.home.path().join("again.csv.part");
    std::fs::write(&part, format!("{}{}", lines[..3].concat(), &lines[3][..9])).unwrap();
    let cut = root.run("record export --format csv --api github --output again.csv").code(6);
    assert!(cut.err.contains("--resume"), "{}", cut.err);
    root.run("record export --format csv --api github --output again.csv --resume").code(0);
    assert_eq!(std::fs::read_to_string(root.home.path().join("again.csv")).unwrap(), csv);
    assert!(!part.exists());
    root.run("record export --format parquet --api github --output records.parquet").code(0);
    let parquet = std::fs::read(root.home.path().join("records.parquet")).unwrap();
    assert!(parquet.starts_with(b"PAR1") && parquet.ends_with(b"PAR1"));
    let first = csv.lines().nth(1).unwrap().split(',').next().unwrap();
    let followed = root.run(&format!("--json record tail --api github --after {first} --limit 3")).lines();
    assert_eq!(followed.len(), 3);
}

/// Where the log is sent on to: a name that leads nowhere (RFC 6761).
fn sent_on(root: &Shell) {
    let create = "record stream create --name siem --kind webhook --to https://siem.invalid/in --only decision=deny";
    let made = root.run(&format!("--json {create}")).json();
    let id = text(&made, "/id");
    assert!(text(&made, "/secret").starts_with("whsec_") && made["filter"]["decision"] == "deny");
    let shown = root.run(create).code(0);
    assert!(
        shown.out.lines().last().unwrap().starts_with("whsec_") && shown.err.contains("not shown again"),
        "{}",
        shown.err
    );
    let syslog = "--json record stream create --name log --kind syslog --to tls://siem.invalid --syslog facility=16 --syslog confirm=quiet";
    let syslog = root.run(syslog).json();
    assert_eq!((&syslog["syslog"]["facility"], &syslog["syslog"]["confirm"]), (&16.into(), &"quiet".into()));
    assert_eq!(root.run("--json record stream list").lines().len(), 3);
    let on = |verb: &str, rest: &str| root.run(&format!("--json record stream {verb} {id} {rest}"));
    assert_eq!(on("update", "--name other --all-records").json()["filter"], serde_json::json!({}));
    assert_eq!(on("update", "--only api=github").json()["filter"]["api"], "github");
    assert_eq!(on("pause", "--reason works").json()["state"], "paused");
    assert_eq!(on("resume", "").json()["state"], "active");
    assert_eq!(on("replay", "--from 2026-01-01T00:00:00Z").json()["position"]["sequence"], 0);
    assert!(text(&on("rotate", "--overlap 2h").json(), "/secret").starts_with("whsec_"));
    let tested = on("test", "").code(1);
    assert!(
        tested.out.contains("name_not_found") && tested.err.contains("did not take it"),
        "{}{}",
        tested.out,
        tested.err
    );
    assert_eq!(on("show", "").json()["name"], "other");
    assert_eq!(on("delete", "").json()["state"], "deleted");
    on("show", "").code(3);
    let wrong = root.run("record stream create --name siem --kind webhook --to https://10.0.0.1/").code(1);
    assert!(wrong.err.contains("--stream-allow"), "{}", wrong.err);
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer} in {value}"))
}

/// The first administrator's shell.
fn administrator(server: &Server) -> Shell {
    let shell = Shell::at(&server.base);
    let line = format!(
        "init --url {} --setup-token {} --non-interactive --email root@example.com --name Root --password-stdin",
        server.base,
        server.setup_token()
    );
    shell.feed(&line, &format!("{PASSWORD}\n")).code(0);
    shell
}

fn catalogue(name: &str) -> String {
    format!("{}/../../catalogues/{name}.yaml", env!("CARGO_MANIFEST_DIR"))
}

both_databases! {
    async fn the_main_job(server: Server) {
        let root = administrator(&server);
        let dry = root.run(&format!("--json catalogue import {} --dry-run", catalogue("github"))).json();
        assert_eq!((dry["dry_run"].clone(), dry["endpoints"].clone()), (true.into(), 952.into()));
        root.run(&format!("catalogue import {}", catalogue("github"))).code(0);
        root.run("org create --key octo --name Octo").code(0);
        let several = root.run("member list").code(2);
        assert!(several.err.contains("--org") && several.err.contains("octo"), "{}", several.err);

        let root = root.with("TEGATA_ORG", "octo");
        root.run("org enable-api github").code(0);
        root.run("org enable-api github").code(6);
        let aoi = root.feed("--json user create --email aoi@example.com --name Aoi --password-stdin", PASSWORD).json();
        root.run("member add aoi@example.com").code(0);
        let shown = root.run("--json member show aoi@example.com").json();
        assert_eq!(shown["id"], aoi["id"]);
        for name in ["hello", "other"] {
            root.run(&format!("context create --type repository --key octo/{name}")).code(0);
        }
        let permissions = "--permission github/issues:read --permission github/issues:write";
        root.run(&format!("role create --key triager --context-type repository {permissions}")).code(0);
        let place = "repository:key:octo/hello";
        root.run(&format!("assignment create --role triager --user aoi@example.com --context {place}")).code(0);
        root.run("policy set personal_token --admission allow --reason trial").code(0);
        let table = root.run("policy list").code(0).out;
        assert!(table.contains("ADMISSION") && table.contains("allow") && !table.contains('\u{1b}'), "{table}");
        let verifier = root.run("--json verifier create --name gateway --api github").json();

        let person = Shell::at(&server.base);
        person.feed("login --email aoi@example.com --password-stdin", PASSWORD).code(0);
        assert_eq!(text(&person.run("--json whoami").json(), "/user/email"), "aoi@example.com");
        let beyond = person.run("token create --name all --expires 30d --org octo --scope issues:read").code(4);
        assert!(beyond.err.starts_with("error: "), "{}", beyond.err);
        let created = person
            .run(&format!("--json token create --name ci --expires 30d --scope {place}:issues:read --reason build"))
            .json();
        let (id, token) = (text(&created, "/id"), text(&created, "/token"));

        let gateway = Shell::at(&server.base).with("TEGATA_VERIFIER_TOKEN", text(&verifier, "/token"));
        let check = |method: &str, repository: &str| {
            let path = format!("/repos/octo/{repository}/issues");
            gateway.feed(&format!("--json verify --api github --method {method} --path {path} --token-stdin"), token)
        };
        assert_eq!(check("GET", "hello").json()["reason"], "granted");
        assert!(check("POST", "hello").code(7).out.contains("insufficient_scope"));
        assert!(check("GET", "other").code(7).out.contains(r#""allowed":false"#));

        let receipt = person.run(&format!("--json token revoke {id} --reason done")).json();
        assert_eq!(text(&receipt, "/state"), "revoked");
        assert!(check("GET", "hello").code(7).out.contains(r#""reason":"revoked""#));
        person.run(&format!("token revoke {id}")).code(6);

        let records = root.run(&format!("--json record list --credential {id} --api github")).lines();
        let reasons: Vec<&str> = records.iter().map(|record| text(record, "/reason")).collect();
        assert_eq!((reasons.len(), reasons[0], reasons[3]), (4, "revoked", "granted"));
        let one = root.run(&format!("--json record list --credential {id} --limit 1")).code(0);
        assert_eq!(one.out.lines().count(), 1);
        assert!(one.err.contains("--all"), "{}", one.err);
        root.run(&format!("record show {}", text(&records[0], "/id"))).code(0);
        root.run("record export --format csv --api github --output records.csv").code(0);
        root.run("record export --format csv --api github --output records.csv").code(6);
        let exported = std::fs::read_to_string(root.home.path().join("records.csv")).unwrap();
        assert_eq!(exported.lines().count(), 5, "{exported}");
        assert_eq!(root.run("record export --api github").lines().len(), 4);
        asked_of_the_log(&root, &exported);
        sent_on(&root);
        let changes = root.run("--json activity list --all").lines();
        assert!(changes.iter().any(|change| change["operation"] == "role.create"));

        person.run("logout").code(0);
        let out = person.run("whoami").code(4);
        assert!(out.err.contains("tegata login --url"), "{}", out.err);
    }

    async fn catalogues_come_back_as_they_went(server: Server) {
        let root = administrator(&server);
        root.run(&format!("catalogue import {}", catalogue("esa"))).code(0);
        let exported = root.run("api export esa").code(0).out;
        std::fs::write(root.home.path().join("esa.yaml"), exported).unwrap();
        let again = root.run("--json catalogue import esa.yaml --dry-run").json();
        assert_eq!((again["created"].clone(), again["widens"].clone()), (false.into(), false.into()));
        let piped = root.feed("--json catalogue import - --dry-run", "api: demo\npermissions: {").code(1);
        assert_eq!(serde_json::from_str::<Value>(&piped.err).unwrap()["error"], "invalid_catalogue");
    }

    async fn every_end_has_its_code(server: Server) {
        let root = administrator(&server);
        root.run("org").code(2);
        root.run("token create --name x --expires tomorrow --scope a").code(2);
        root.run("org show ..").code(2);
        root.run("team list --org nobody").code(3);
        root.run("org create --key publisher --name P").code(6);
        let wrong = root.run("org create --key UPPER --name P").code(1);
        assert!(wrong.err.starts_with("error: key: "), "{}", wrong.err);
        let told: Value = serde_json::from_str(&root.run("--json org show nobody").code(3).err).unwrap();
        assert_eq!((told["error"].clone(), told["exit_code"].clone()), ("not_found".into(), 3.into()));
        Shell::at(&server.base).run("org list").code(4);
        Shell::at(&server.base).feed("login --email root@example.com --password-stdin", "wrong password").code(4);
        Shell::at("http://127.0.0.1:1").with("TEGATA_TOKEN", "x").run("org list").code(5);
        // A prompt without a terminal is refused, and not waited for.
        Shell::at(&server.base).run("login --email root@example.com").code(2);
    }

    async fn nothing_secret_is_said(server: Server) {
        let secret = "hunter2hunter2hunter2";
        let database = format!("postgres://tegata:{secret}@127.0.0.1:1/tegata");
        let shell = Shell::at(&server.base)
            .with("TEGATA_DATABASE", &database)
            .with("TEGATA_TOKEN", secret)
            .with("TEGATA_VERIFIER_TOKEN", secret)
            .with("TEGATA_COPY_TO", &database)
            .with("TEGATA_SETUP_TOKEN", secret);
        for line in [
            "--help",
            "serve --help",
            "init --help",
            "copy --help",
            "login --help",
            "verify --help",
            "org list",
            "doctor --json",
            "serve --listen 127.0.0.1:0",
            "user password root@example.com --password-stdin",
            "verify --api github --method GET --path / --token-stdin",
            "login --email root@example.com --password-stdin",
        ] {
            let ran = shell.feed(line, secret);
            assert!(!ran.out.contains(secret) && !ran.err.contains(secret), "{line}: {} {}", ran.out, ran.err);
        }
    }
}

/// A server of its own process.
struct Serving {
    child: Child,
    first: Value,
}

impl Serving {
    fn start(shell: &Shell, arguments: &str) -> Self {
        let mut child = shell.command(&format!("--json serve --listen 127.0.0.1:0 {arguments}")).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, first: serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}")) }
    }

    /// Asks it to stop, and waits until it has.
    fn stop(mut self, signal: &str) -> i32 {
        // Every shell has `kill`; as a program of its own it may be missing.
        let sent = Command::new("sh").args(["-c", &format!("kill {signal} {}", self.child.id())]).status().unwrap();
        assert!(sent.success());
        self.child.wait().unwrap().code().unwrap()
    }
}

async fn an_installation_of_its_own(database: Database) {
    let directory = tempfile::tempdir().unwrap();
    let shell = Shell::new().with("TEGATA_DATABASE", &fresh_database(database, &directory).await);
    let serving = Serving::start(&shell, "--token-prefix acme");
    assert!(text(&serving.first, "/setup_token").starts_with("acme_set_"));
    let init = "--json init --non-interactive --email root@example.com --name Root --password-env PASSWORD";
    let shell = shell.with("PASSWORD", PASSWORD);
    // Whoever serves is the only one who writes.
    shell.run(init).code(1);
    assert_eq!(serving.stop("-TERM"), 0);
    shell.run("init --non-interactive --email root@example.com --name Root").code(2);
    let short = shell.feed(&init.replace("--password-env PASSWORD", "--password-stdin"), "short").code(1);
    assert!(short.err.contains("12 characters"), "{}", short.err);
    assert_eq!(text(&shell.run(init).json(), "/user/email"), "root@example.com");
    shell.run(init).code(6);
    shell.run("doctor").code(0);

    std::fs::write(shell.home.path().join("tegata.toml"), "token_prefix = 'acme'\nlog_level = 'warn'\n").unwrap();
    let serving = Serving::start(&shell, "--config tegata.toml");
    assert_eq!(serving.first["setup_token"], Value::Null);
    let person = Shell::at(text(&serving.first, "/url"));
    person.feed("login --email root@example.com --password-stdin", PASSWORD).code(0);
    assert_eq!(person.run("--json org list").lines().len(), 2);
    let sessions = person.run("--json session list").lines();
    assert_eq!((sessions.len(), sessions[0]["current"].clone()), (1, true.into()));
    assert_eq!(serving.stop("-INT"), 0);
    person.run("whoami").code(5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_installation_of_its_own_on_sqlite() {
    an_installation_of_its_own(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_installation_of_its_own_on_postgres() {
    an_installation_of_its_own(Database::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shells_get_completions() {
    for shell in ["bash", "zsh", "fish"] {
        assert!(Shell::new().run(&format!("completions {shell}")).code(0).out.contains("assignment"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_leaves_and_somebody_else_takes_over() {
    let server = Server::start(Database::Sqlite).await;
    let town = crate::town::Town::found(&server).await;
    let gate = server.verifier(&town.root, "town").await;
    let admin = Shell::at(&server.base)
        .with("TEGATA_TOKEN", town.admin.client.token.as_deref().unwrap())
        .with("TEGATA_ORG", "octo");
    let set = "policy set organization_key --leaver revoke --reason gone";
    assert_eq!(admin.run(&format!("--json {set}")).json()["leaver"], "revoke");
    let set = "policy set access_key --succession-days 14 --reason gone";
    assert_eq!(admin.run(&format!("--json {set}")).json()["succession_days"], 14);
    let leaver = crate::leavers::Leaver::set(&server, &town, "ann").await;
    let bob = town.member(&server, "bob", "member").await;
    assert_eq!(admin.run("--json member deactivate ann@example.com").json()["state"], "inactive");
    assert_eq!(leaver.reasons(&gate).await, ["revoked", "revoked", "revoked", "granted"]);
    let waiting = admin.run("--json succession list --state waiting").lines();
    let id = text(&waiting[0], "/id");
    assert_eq!((waiting.len(), text(&waiting[0], "/subject/name")), (1, "ci-ann"));
    assert_eq!(admin.run(&format!("--json succession show {id}")).json()["leaver"]["email"], "ann@example.com");
    admin.run(&format!("succession hand-over {id} --to nobody@example.com")).code(1);
    let handed = admin.run(&format!("--json succession hand-over {id} --to bob@example.com")).json();
    assert_eq!((text(&handed, "/state"), text(&handed, "/successor/id")), ("handed_over", bob.id.as_str()));
    assert_eq!(admin.run("--json member activate ann@example.com").json()["state"], "active");
    assert_eq!(leaver.reasons(&gate).await[..3], ["revoked", "revoked", "revoked"]);
}

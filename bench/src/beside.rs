//! Tegata beside other ways to verify a key over HTTP, in one run: one key each, the same load, rounds interleaved. bench/beside has
//! the others' servers; docs/benchmarks.md says what each does for a request.

mod asked;
mod one_key;
mod rival;
mod table;

use crate::machine::{Seats, load_average};
use crate::report;
use crate::world;
use crate::{Fallible, Scale};
use asked::Asked;
use rival::Rival;
use std::path::{Path, PathBuf};
use std::time::Duration;
use table::{Rounds, Row};
use tokio::signal::unix::{SignalKind, signal};

/// A server that takes part.
struct Entrant {
    name: &'static str,
    title: &'static str,
    /// What Node is told to run, and with which arguments behind the directory; Tegata runs by itself.
    script: Option<(&'static str, &'static [&'static str])>,
}

/// Those who take part, Tegata first.
const ENTRANTS: [Entrant; 5] = [
    Entrant { name: "tegata", title: "Tegata", script: None },
    Entrant { name: "better_auth", title: "better-auth, SQLite", script: Some(("better-auth.js", &["sqlite"])) },
    Entrant { name: "better_auth_redis", title: "better-auth, Redis", script: Some(("better-auth.js", &["redis"])) },
    Entrant { name: "oidc_provider", title: "oidc-provider, introspection", script: Some(("oidc-provider.js", &[])) },
    Entrant { name: "node_redis", title: "Node, Redis, SHA-256", script: Some(("node-redis.js", &[])) },
];

/// On which processors servers and load run.
struct Way {
    name: &'static str,
    title: &'static str,
    seats: Option<Seats>,
    /// Whether the load has a processor to itself, and never sleeps.
    awake: bool,
}

/// What all servers of a run need.
struct Stage<'a> {
    /// A prepared directory for Tegata.
    prepared: PathBuf,
    asked: Asked,
    /// Where the others' servers are installed.
    servers: &'a Path,
    node: &'a Path,
    /// Where everything is kept while it runs.
    directory: &'a Path,
    rounds: u32,
    duration: Duration,
}

/// Measures the servers installed in a directory beside Tegata, and prints what came out.
pub fn run(servers: &Path, node: &Path, scale: Scale, as_json: bool) -> Fallible<()> {
    let (rounds, duration) = if scale.quick { (3, Duration::from_millis(700)) } else { (9, Duration::from_secs(4)) };
    let directory = tempfile::tempdir()?;
    let prepared = directory.path().join("prepared");
    eprintln!("beside: preparing Tegata");
    let asked = one_key::prepare(&prepared)?;
    let stage = Stage { prepared, asked, servers, node, directory: directory.path(), rounds, duration };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let failed = runtime.block_on(async {
        tokio::select! {
            failed = stage.play(as_json) => failed,
            name = interrupted() => Err(format!("stopped by {}", name?).into()),
        }
    })?;
    if failed.is_empty() { Ok(()) } else { Err(format!("not measured: {}", failed.join("; ")).into()) }
}

/// Waits for a signal that ends this process, so that it does not end before its servers.
async fn interrupted() -> Fallible<&'static str> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    tokio::select! {
        _ = interrupt.recv() => Ok("SIGINT"),
        _ = terminate.recv() => Ok("SIGTERM"),
        _ = hang_up.recv() => Ok("SIGHUP"),
    }
}

impl Stage<'_> {
    /// Measures in all ways that this machine has; returns what failed.
    async fn play(&self, as_json: bool) -> Fallible<Vec<String>> {
        let mut ways = vec![Way {
            name: "all_cores",
            title: "all processors for a server and the load together",
            seats: None,
            awake: false,
        }];
        match Seats::find() {
            Some(seats) => ways.push(Way {
                name: "one_core",
                title: "one processor for a server and what it needs, another for the load",
                seats: Some(seats),
                awake: true,
            }),
            None => eprintln!("two processors and taskset are missing: servers and load share what there is"),
        }
        let mut measured = Vec::new();
        for way in ways {
            // This process keeps to its seat from then on, so the way without seats is the first.
            if let Some(seats) = way.seats {
                seats.sit_down()?;
            }
            measured.push((self.measure(&way).await?, way));
        }
        let mut failed = Vec::new();
        // One core against one core counts first.
        for (rows, way) in measured.iter().rev() {
            if as_json {
                report::print(&table::figures(way.name, rows), true);
            } else {
                println!("{} ({}):\n{}\n", way.name, way.title, table::table(rows));
            }
            let failures = rows.iter().filter_map(|row| Some((row.name, row.measured.as_ref().err()?)));
            failed.extend(failures.map(|(name, why)| format!("{name} ({}): {why}", way.name)));
        }
        Ok(failed)
    }

    /// Starts all servers, loads them in turn, and stops them.
    async fn measure(&self, way: &Way) -> Fallible<Vec<Row>> {
        let mut entries = Vec::new();
        for entrant in &ENTRANTS {
            eprintln!("{}: starting {}", way.name, entrant.title);
            let started = self.start(way, entrant).await;
            if let Ok(rival) = &started {
                eprintln!("{}: {}", entrant.title, rival.versions.join(", "));
            }
            entries.push((entrant, started.map(|rival| (rival, Rounds::default())).map_err(|error| error.to_string())));
        }
        let (rounds, seconds) = (self.rounds, self.duration.as_secs_f64());
        for number in 0..=rounds {
            let what = if number == 0 { "warming up".to_owned() } else { format!("round {number} of {rounds}") };
            eprintln!("{}: {what}, {seconds} s each; load average {}", way.name, load_average());
            for (_, entry) in &mut entries {
                let Ok((rival, measured)) = entry else { continue };
                match rival.load(self.duration, way.awake).await {
                    Ok(cost) if number > 0 => measured.push(&cost),
                    Ok(_) => {}
                    // It has no say any more, and ends.
                    Err(error) => *entry = Err(error.to_string()),
                }
            }
        }
        let rows = entries.into_iter().map(|(entrant, entry)| Row {
            name: entrant.name,
            title: entrant.title,
            measured: entry.map(|(_, measured)| measured),
        });
        Ok(rows.collect())
    }

    async fn start(&self, way: &Way, entrant: &Entrant) -> Fallible<Rival> {
        let directory = self.directory.join(way.name).join(entrant.name);
        let text = |path: &Path| Ok::<_, String>(path.to_str().ok_or("the directory has an odd name")?.to_owned());
        let Some((script, more)) = entrant.script else {
            let directory = text(&world::copy(&self.prepared, &directory)?)?;
            let asked = Some(self.asked.clone());
            return Rival::start(way.seats, &std::env::current_exe()?, &["serve", &directory, "0"], asked).await;
        };
        std::fs::create_dir_all(&directory)?;
        let (script, directory) = (text(&self.servers.join(script))?, text(&directory)?);
        let arguments = [&[script.as_str(), directory.as_str()], more].concat();
        Rival::start(way.seats, self.node, &arguments, None).await
    }
}

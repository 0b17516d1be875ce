//! The check over HTTP against a bare hyper server that reads the same body and answers the same bytes: both in one
//! run, rounds interleaved, each server in a process of its own on the same processor.

use crate::load::{Asking, Connection, round};
use crate::machine::{Seats, cpu_seconds, load_average};
use crate::report::{Figure, short};
use crate::world;
use crate::{Fallible, Scale, in_process::as_f64};
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A server in a process of its own. It ends by itself when this process lets go of its input.
struct Server {
    child: Child,
    address: SocketAddr,
    /// Of each round.
    requests_per_second: Vec<f64>,
    /// Of each round, in microseconds.
    cpu_per_request: Vec<f64>,
}

impl Server {
    fn start(seats: Option<Seats>, arguments: &[&str]) -> Fallible<Self> {
        let program = std::env::current_exe()?;
        let mut command = match seats {
            Some(seats) => {
                let mut command = Command::new("taskset");
                command.args(["-c", &seats.servers.to_string()]).arg(program);
                command
            }
            None => Command::new(program),
        };
        let mut child = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut line)?;
        let address = line.trim().parse().map_err(|_| format!("a server did not start: {}", arguments.join(" ")))?;
        Ok(Self { child, address, requests_per_second: Vec::new(), cpu_per_request: Vec::new() })
    }

    /// One round of load; the first only warms up.
    async fn load(&mut self, asking: &Asking, number: u64, duration: Duration) -> Fallible<()> {
        let (pid, mut before) = (self.child.id(), 0.0);
        let done = round(self.address, asking, number << 8, duration, || {
            before = cpu_seconds(pid)?;
            Ok(())
        })
        .await?;
        let cpu = cpu_seconds(pid)? - before;
        if number > 0 {
            self.requests_per_second.push(as_f64(done.requests) / done.seconds);
            self.cpu_per_request.push(cpu * 1e6 / as_f64(done.requests));
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// Measures the bare server, and Tegata with few and with many tokens in memory.
pub fn run(scale: Scale) -> Fallible<Vec<Figure>> {
    let (few, many, rounds, duration) = if scale.quick {
        (1_000, 100_000, 3, Duration::from_millis(700))
    } else {
        (1_000, 10_000_000, 9, Duration::from_secs(4))
    };
    let directory = tempfile::tempdir()?;
    let prepared = directory.path().join("prepared");
    let world = world::prepare(&prepared)?;
    let seats = Seats::find();
    match seats {
        Some(seats) => seats.sit_down()?,
        None => eprintln!("two processors and taskset are missing: servers and load share what there is"),
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut tegata = Vec::new();
        for tokens in [few, many] {
            let place = world::copy(&prepared, &directory.path().join(short(tokens)))?;
            let place = place.to_str().ok_or("the temporary directory has an odd name")?;
            let server = Server::start(seats, &["serve", place, &tokens.to_string()])?;
            tegata.push((server, Asking { verifier: world.verifier.clone(), tokens }));
        }
        let answer = directory.path().join("answer");
        capture(&tegata[0].0, &tegata[0].1, &answer).await?;
        let mut bare = Server::start(seats, &["bare", answer.to_str().ok_or("an odd name")?])?;
        eprintln!("over HTTP: {rounds} rounds of {} s; load average {}", duration.as_secs_f64(), load_average());
        for number in 0..=rounds {
            bare.load(&tegata[0].1, number, duration).await?;
            for (server, asking) in &mut tegata {
                server.load(asking, number, duration).await?;
            }
        }
        Ok(figures(&bare, &tegata))
    })
}

/// Keeps what Tegata answers, for the bare server to answer.
async fn capture(server: &Server, asking: &Asking, to: &Path) -> Fallible<()> {
    let mut connection = Connection::open(server.address).await?;
    std::fs::write(to, connection.ask(&asking.request(0)).await?)?;
    Ok(())
}

fn figures(bare: &Server, tegata: &[(Server, Asking)]) -> Vec<Figure> {
    let mut figures = vec![
        Figure::new("http.bare.cpu", "us/request", bare.cpu_per_request.clone()),
        Figure::new("http.bare.requests", "requests/s", bare.requests_per_second.clone()),
    ];
    let by_round = |upper: &[f64], lower: &[f64]| upper.iter().zip(lower).map(|(upper, lower)| upper / lower).collect();
    for (server, asking) in tegata {
        let size = short(asking.tokens);
        let (cpu, requests) = (&server.cpu_per_request, &server.requests_per_second);
        figures.push(Figure::new(format!("http.tegata.{size}.cpu"), "us/request", cpu.clone()));
        figures.push(Figure::new(format!("http.tegata.{size}.requests"), "requests/s", requests.clone()));
        figures.push(
            Figure::new(format!("http.ratio.{size}.cpu"), "of bare", by_round(&bare.cpu_per_request, cpu))
                .target(">= 0.80")
                .reference("http.bare.cpu"),
        );
        figures.push(
            Figure::new(
                format!("http.ratio.{size}.requests"),
                "of bare",
                by_round(requests, &bare.requests_per_second),
            )
            .target(">= 0.80")
            .reference("http.bare.requests"),
        );
    }
    if let [(few, asking), .., (many, _)] = tegata {
        figures.push(
            Figure::new("http.growth.cpu", "times", by_round(&many.cpu_per_request, &few.cpu_per_request))
                .target("<= 2")
                .reference(format!("http.tegata.{}.cpu", short(asking.tokens))),
        );
    }
    figures
}

//! The check over HTTP against a bare hyper server that reads the same body and answers the same bytes: both in one
//! run, rounds interleaved, each server in a process of its own on the same processor.

use crate::load::{Asking, Connection, Place, round, round_batches, round_http2};
use crate::machine::{Seats, command, cpu_seconds, load_average};
use crate::report::{Figure, short};
use crate::world;
use crate::{Fallible, Scale, in_process::as_f64};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

/// A server in a process of its own. It ends by itself when this process lets go of its input.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub place: Place,
}

/// What was measured, round by round.
#[derive(Debug, Default, Clone)]
pub struct Rounds {
    /// Requests, or checks of batches, a second.
    pub per_second: Vec<f64>,
    /// Processor time of the server for each, in microseconds.
    pub cpu: Vec<f64>,
}

/// How a server is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// One check a request, over HTTP/1.1.
    One,
    /// One check a request, over HTTP/2.
    Http2,
    /// A thousand checks a request.
    Batches,
}

impl Server {
    /// Starts one, on the processor of servers where seats are given.
    pub fn start(seats: Option<Seats>, arguments: &[&str]) -> Fallible<Self> {
        let mut command = command(seats, &std::env::current_exe()?);
        let mut child = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut line)?;
        let address = line.trim().parse().map_err(|_| format!("a server did not start: {}", arguments.join(" ")))?;
        Ok(Self { child, place: Place::Tcp(address) })
    }

    /// One round of load at a place of this server; the first only warms up.
    pub async fn load(
        &self,
        (way, place): (Way, &Place),
        asking: &Asking,
        number: u64,
        duration: Duration,
        rounds: &mut Rounds,
    ) -> Fallible<()> {
        let (pid, mut before) = (self.child.id(), 0.0);
        let begin = || {
            before = cpu_seconds(pid)?;
            Ok(())
        };
        let seed = number << 8;
        let done = match way {
            Way::One => round(place, asking, seed, duration, begin).await,
            Way::Http2 => round_http2(place, asking, seed, duration, begin).await,
            Way::Batches => round_batches(place, asking, seed, duration, begin).await,
        }?;
        let cpu = cpu_seconds(pid)? - before;
        if number > 0 {
            rounds.per_second.push(as_f64(done.requests) / done.seconds);
            rounds.cpu.push(cpu * 1e6 / as_f64(done.requests));
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
    let (sizes, rounds, duration) = if scale.quick {
        (&[1_000, 100_000][..], 3, Duration::from_millis(700))
    } else {
        (&[1_000, 1_000_000, 10_000_000][..], 9, Duration::from_secs(4))
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
        for &tokens in sizes {
            let place = world::copy(&prepared, &directory.path().join(short(tokens)))?;
            let place = place.to_str().ok_or("the temporary directory has an odd name")?;
            let server = Server::start(seats, &["serve", place, &tokens.to_string()])?;
            tegata.push((server, Asking { verifier: world.verifier.clone(), tokens }, Rounds::default()));
        }
        let answer = directory.path().join("answer");
        capture(&tegata[0].0, &tegata[0].1, &answer).await?;
        let bare = Server::start(seats, &["bare", answer.to_str().ok_or("an odd name")?])?;
        eprintln!("over HTTP: {rounds} rounds of {} s; load average {}", duration.as_secs_f64(), load_average());
        let mut reference = Rounds::default();
        for number in 0..=rounds {
            bare.load((Way::One, &bare.place), &tegata[0].1, number, duration, &mut reference).await?;
            for (server, asking, rounds) in &mut tegata {
                server.load((Way::One, &server.place), asking, number, duration, rounds).await?;
            }
        }
        Ok(figures(&reference, &tegata))
    })
}

/// Keeps what Tegata answers, for the bare server to answer.
pub async fn capture(server: &Server, asking: &Asking, to: &Path) -> Fallible<()> {
    let mut connection = Connection::open(&server.place).await?;
    std::fs::write(to, connection.ask(&asking.request(0)).await?)?;
    Ok(())
}

fn figures(bare: &Rounds, tegata: &[(Server, Asking, Rounds)]) -> Vec<Figure> {
    let mut figures = vec![
        Figure::new("http.bare.cpu", "us/request", bare.cpu.clone()),
        Figure::new("http.bare.requests", "requests/s", bare.per_second.clone()),
    ];
    for (_, asking, rounds) in tegata {
        figures.extend(beside(bare, "http.bare", rounds, &short(asking.tokens)));
    }
    if let [(_, asking, few), .., (_, _, many)] = tegata {
        figures.push(
            Figure::new("http.growth.cpu", "times", by_round(&many.cpu, &few.cpu))
                .target("<= 2")
                .reference(format!("http.tegata.{}.cpu", short(asking.tokens))),
        );
    }
    figures
}

/// Tegata's figures beside those of a bare server.
pub fn beside(bare: &Rounds, reference: &str, tegata: &Rounds, name: &str) -> [Figure; 4] {
    [
        Figure::new(format!("http.tegata.{name}.cpu"), "us/request", tegata.cpu.clone()),
        Figure::new(format!("http.tegata.{name}.requests"), "requests/s", tegata.per_second.clone()),
        Figure::new(format!("http.ratio.{name}.cpu"), "of bare", by_round(&bare.cpu, &tegata.cpu))
            .target(">= 0.80")
            .reference(format!("{reference}.cpu")),
        Figure::new(format!("http.ratio.{name}.requests"), "of bare", by_round(&tegata.per_second, &bare.per_second))
            .target(">= 0.80")
            .reference(format!("{reference}.requests")),
    ]
}

/// One divided by the other, round by round.
pub fn by_round(upper: &[f64], lower: &[f64]) -> Vec<f64> {
    upper.iter().zip(lower).map(|(upper, lower)| upper / lower).collect()
}

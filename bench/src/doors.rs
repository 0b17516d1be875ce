//! The other ways to ask: HTTP/2, a Unix socket, batches, and records that are flushed before the answer.

use crate::http::{Rounds, Server, Way, beside, capture};
use crate::load::{Asking, Place};
use crate::machine::{Seats, load_average};
use crate::report::Figure;
use crate::served::unix_socket;
use crate::world;
use crate::{Fallible, Scale};
use std::time::Duration;

/// Tokens in memory.
const TOKENS: u64 = 1_000;

/// Measures the ways beside a bare server, where it has them, and batches on all processors.
pub fn run(scale: Scale) -> Fallible<Vec<Figure>> {
    let (rounds, duration) = if scale.quick { (3, Duration::from_millis(700)) } else { (9, Duration::from_secs(4)) };
    let directory = tempfile::tempdir()?;
    let prepared = directory.path().join("prepared");
    let world = world::prepare(&prepared)?;
    let asking = Asking { verifier: world.verifier, tokens: TOKENS };
    let seats = Seats::find();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let start = |name: &str, seats, more: &[&str]| {
            let place = world::copy(&prepared, &directory.path().join(name))?;
            let text = place.to_str().ok_or("the temporary directory has an odd name")?;
            let tokens = TOKENS.to_string();
            let server = Server::start(seats, &[&["serve", text, &tokens], more].concat())?;
            Fallible::Ok((server, unix_socket(&place)))
        };
        // Batches first, with the processors to themselves.
        let (server, _) = start("batches", None, &[])?;
        let mut batches = Rounds::default();
        eprintln!("batches: {rounds} rounds of {} s; load average {}", duration.as_secs_f64(), load_average());
        for number in 0..=rounds {
            server.load((Way::Batches, &server.place), &asking, number, duration, &mut batches).await?;
        }
        drop(server);
        match seats {
            Some(seats) => seats.sit_down()?,
            None => eprintln!("two processors and taskset are missing: servers and load share what there is"),
        }
        let (tegata, socket) = start("interval", seats, &[])?;
        let (always, _) = start("always", seats, &["always"])?;
        let (off, _) = start("off", seats, &["off"])?;
        let answer = directory.path().join("answer");
        capture(&tegata, &asking, &answer).await?;
        let bare = Server::start(seats, &["bare", answer.to_str().ok_or("an odd name")?])?;
        let bare_socket = Place::Unix(answer.with_extension("sock"));
        let socket = Place::Unix(socket);
        let ways = [
            (&bare, Way::One, &bare.place),
            (&bare, Way::Http2, &bare.place),
            (&bare, Way::One, &bare_socket),
            (&tegata, Way::Http2, &tegata.place),
            (&tegata, Way::One, &socket),
            (&always, Way::One, &always.place),
            (&tegata, Way::One, &tegata.place),
            (&off, Way::One, &off.place),
        ];
        let mut measured = vec![Rounds::default(); ways.len()];
        eprintln!("other ways: {rounds} rounds of {} s; load average {}", duration.as_secs_f64(), load_average());
        for number in 0..=rounds {
            for ((server, way, place), measured) in ways.iter().zip(&mut measured) {
                server.load((*way, place), &asking, number, duration, measured).await?;
            }
        }
        let [bare, bare_http2, bare_unix, http2, unix, always, on, off] = measured.as_slice() else {
            return Err("not every way was measured".into());
        };
        let mut figures = vec![
            Figure::new("http.batch.decisions", "decisions/s", batches.per_second).target(">= 1000000"),
            Figure::new("http.batch.cpu", "us/decision", batches.cpu),
            Figure::new("http.bare.http2.cpu", "us/request", bare_http2.cpu.clone()),
            Figure::new("http.bare.unix.cpu", "us/request", bare_unix.cpu.clone()),
        ];
        figures.extend(beside(bare_http2, "http.bare.http2", http2, "http2"));
        figures.extend(beside(bare_unix, "http.bare.unix", unix, "unix"));
        figures.extend(
            beside(bare, "http.bare", always, "always").into_iter().map(|figure| Figure { target: None, ..figure }),
        );
        // The difference that records make, of which no more than a twentieth is wanted.
        let cost = |on: &[f64], off: &[f64]| on.iter().zip(off).map(|(on, off)| on / off - 1.0).collect();
        figures.push(Figure::new("http.tegata.records_off.cpu", "us/request", off.cpu.clone()));
        figures.push(Figure::new("http.tegata.records_on.cpu", "us/request", on.cpu.clone()));
        figures.push(
            Figure::new("http.records.cost", "of a check", cost(&on.cpu, &off.cpu))
                .target("<= 0.05")
                .reference("http.tegata.records_off.cpu"),
        );
        Ok(figures)
    })
}

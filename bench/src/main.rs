//! Measurements of Tegata. `bench/run` builds and starts this; docs/benchmarks.md says what is measured and how.

mod bare;
mod beside;
mod doors;
mod fill;
mod http;
mod in_process;
mod instructions;
mod junk;
mod load;
mod log;
mod machine;
mod report;
mod served;
mod startup;
mod world;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use tegata_record::Flush;

// What the server itself runs with.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A measurement that went wrong has nothing to say but what it met.
type Fallible<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// How much is measured.
#[derive(Debug, Clone, Copy)]
struct Scale {
    /// Seconds in place of minutes, for trying whether it works.
    quick: bool,
}

const USAGE: &str = "usage: tegata-bench in-process|http|doors|start|junk|log [--json] [--quick]
       tegata-bench beside SERVERS NODE [--json] [--quick]   Tegata, and the servers of bench/beside installed in a directory
       tegata-bench prepare DIR              a directory with organization, catalogue, people and repositories
       tegata-bench instructions DIR         decisions over such a directory, to be counted by callgrind
       tegata-bench serve DIR TOKENS [always|off] | bare ANSWER     the servers that `http` and `doors` start";

/// When records reach the disk, unless something else is measured: the default.
const INTERVAL: Flush = Flush::Interval(Duration::from_millis(100));

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (flags, words): (Vec<&str>, Vec<&str>) =
        arguments.iter().map(String::as_str).partition(|argument| argument.starts_with("--"));
    if let Some(unknown) = flags.iter().find(|flag| !["--json", "--quick"].contains(*flag)) {
        eprintln!("{unknown} is not known\n{USAGE}");
        return ExitCode::from(2);
    }
    let as_json = flags.contains(&"--json");
    let scale = Scale { quick: flags.contains(&"--quick") };
    let figures = match *words.as_slice() {
        ["in-process"] => in_process::run(scale),
        ["http"] => http::run(scale),
        ["prepare", directory] => world::prepare(Path::new(directory)).map(|_| Vec::new()),
        ["instructions", directory] => instructions::run(Path::new(directory)).map(|()| Vec::new()),
        ["serve", directory, tokens] => served::run(Path::new(directory), tokens, Some(INTERVAL)).map(|()| Vec::new()),
        ["serve", directory, tokens, "always"] => {
            served::run(Path::new(directory), tokens, Some(Flush::Always)).map(|()| Vec::new())
        }
        ["serve", directory, tokens, "off"] => served::run(Path::new(directory), tokens, None).map(|()| Vec::new()),
        ["beside", servers, node] => {
            beside::run(Path::new(servers), Path::new(node), scale, as_json).map(|()| Vec::new())
        }
        ["log"] => log::run(scale),
        ["start"] => startup::run(scale),
        ["doors"] => doors::run(scale),
        ["junk"] => junk::run(scale),
        ["bare", answer] => bare::run(Path::new(answer)).map(|()| Vec::new()),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match figures {
        Ok(figures) => {
            report::print(&figures, as_json);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("tegata-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

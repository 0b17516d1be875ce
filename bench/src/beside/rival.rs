//! Servers that are measured: each a process of its own, with the processes that it needs.

use crate::Fallible;
use crate::beside::asked::{Asked, Seen, round};
use crate::load::{Place, post};
use crate::machine::{Seats, command, cpu_seconds, name_of, resident_bytes_of};
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// How long a server may take until it is ready.
const START_MAX: Duration = Duration::from_mins(1);
/// How long a server may take to end by itself.
const STOP_MAX: Duration = Duration::from_secs(10);
/// How often is looked whether it has.
const STOP_STEP: Duration = Duration::from_millis(20);

/// A process that ends when it is dropped, with those that it started.
struct Process {
    child: Child,
    /// What it started, with their names: a number alone may come to mean another process.
    helpers: Vec<(u32, String)>,
}

/// A server that is ready to be asked.
pub struct Rival {
    process: Process,
    place: Place,
    asked: Arc<Asked>,
    /// What it is made of, with versions.
    pub versions: Vec<String>,
}

/// What a server from the registry says when it is ready.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    address: String,
    helpers: Vec<u32>,
    versions: Vec<String>,
    asked: Asked,
}

/// What a measured round cost the server.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// What the load saw.
    pub seen: Seen,
    /// Processor time of the server and its helpers, in seconds.
    pub cpu: f64,
    /// Their memory after the round, in bytes.
    pub memory: f64,
}

impl Rival {
    /// Starts one, and tries it out. Whoever says on its own what it is asked is one from the registry; Tegata says its address.
    pub async fn start(
        seats: Option<Seats>,
        program: &Path,
        arguments: &[&str],
        asked: Option<Asked>,
    ) -> Fallible<Self> {
        let mut command = command(seats, program);
        command.args(arguments).env("NODE_ENV", "production").env_remove("NODE_OPTIONS");
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let child = child.map_err(|error| format!("{}: {error}", program.display()))?;
        let mut process = Process { child, helpers: Vec::new() };
        let output = process.child.stdout.take().ok_or("no output")?;
        let reading = spawn_blocking(move || {
            let mut line = String::new();
            BufReader::new(output).read_line(&mut line).map(|_| line)
        });
        let line = timeout(START_MAX, reading)
            .await
            .map_err(|_| format!("not ready after {} s", START_MAX.as_secs()))???;
        let said = match asked {
            Some(asked) => {
                let address = line.trim().to_owned();
                let versions = vec![format!("tegata {}", env!("CARGO_PKG_VERSION"))];
                Said { address, helpers: Vec::new(), versions, asked }
            }
            None => Said::parse(&line)?,
        };
        for pid in said.helpers {
            let name = name_of(pid).ok_or("a process that it started has ended")?;
            process.helpers.push((pid, name));
        }
        let address = said.address.parse().map_err(|_| "it did not start")?;
        let rival = Self { process, place: Place::Tcp(address), asked: said.asked.into(), versions: said.versions };
        rival.asked.try_out(&rival.place).await?;
        Ok(rival)
    }

    /// One round of load.
    pub async fn load(&self, duration: Duration, awake: bool) -> Fallible<Cost> {
        let mut before = 0.0;
        let begin = || {
            before = self.sum(cpu_seconds)?;
            Ok(())
        };
        let seen = round(&self.place, &self.asked, duration, awake, begin).await?;
        Ok(Cost { seen, cpu: self.sum(cpu_seconds)? - before, memory: self.sum(resident_bytes_of)? })
    }

    fn sum(&self, measure: impl Fn(u32) -> Fallible<f64>) -> Fallible<f64> {
        let helpers = self.process.helpers.iter().map(|(pid, _)| *pid);
        helpers.chain([self.process.child.id()]).map(measure).sum()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // All of them end when their input does.
        drop(self.child.stdin.take());
        let began = Instant::now();
        while began.elapsed() < STOP_MAX && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(STOP_STEP);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        for (pid, name) in &self.helpers {
            // Only where the server could not end it itself.
            if name_of(*pid).as_ref() == Some(name) {
                let _ = command(None, Path::new("kill")).args(["-KILL", &pid.to_string()]).status();
            }
        }
    }
}

impl Said {
    fn parse(line: &str) -> Fallible<Self> {
        if line.is_empty() {
            return Err("it ended before it was ready".into());
        }
        let said: Value = serde_json::from_str(line)?;
        let text = |value: &Value| value.as_str().map(str::to_owned).ok_or_else(|| format!("no text: {value}"));
        let list = |value: &Value| value.as_array().cloned().ok_or_else(|| format!("no list: {value}"));
        let request = |value: &Value| {
            let headers = value["headers"].as_object().ok_or_else(|| format!("no headers: {value}"))?;
            let headers: Option<Vec<_>> =
                headers.iter().map(|(name, value)| Some((name.as_str(), value.as_str()?))).collect();
            let headers = headers.ok_or_else(|| format!("a header without text: {value}"))?;
            Ok::<_, String>(post(&text(&value["path"])?, &headers, &text(&value["body"])?))
        };
        let pid = |value: &Value| value.as_u64().and_then(|pid| u32::try_from(pid).ok()).ok_or("no process id");
        Ok(Self {
            address: text(&said["address"])?,
            helpers: list(&said["helpers"])?.iter().map(pid).collect::<Result<_, _>>()?,
            versions: list(&said["versions"])?.iter().map(text).collect::<Result<_, _>>()?,
            asked: Asked {
                right: request(&said["right"])?,
                wrong: request(&said["wrong"])?,
                yes: text(&said["yes"])?.into_bytes(),
                no: text(&said["no"])?.into_bytes(),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn said() -> Value {
        let request =
            |key: &str| json!({"path": "/verify", "headers": {"x": "y"}, "body": format!("{{\"key\":\"{key}\"}}")});
        json!({"address": "127.0.0.1:1", "helpers": [7], "versions": ["node 24"], "right": request("a"),
            "wrong": request("b"), "yes": "{\"ok\":true", "no": "{\"ok\":false"})
    }

    #[test]
    fn what_a_server_says_becomes_its_requests() {
        let parsed = Said::parse(&said().to_string()).unwrap();
        assert_eq!((parsed.address.as_str(), parsed.helpers.as_slice()), ("127.0.0.1:1", &[7][..]));
        assert_eq!(
            parsed.asked.wrong,
            b"POST /verify HTTP/1.1\r\nhost: localhost\r\nx: y\r\ncontent-length: 11\r\n\r\n{\"key\":\"b\"}"
        );
        assert_eq!(parsed.asked.yes, b"{\"ok\":true");
    }

    #[test]
    fn whatever_is_missing_is_an_error() {
        for name in ["address", "helpers", "versions", "right", "wrong", "yes", "no"] {
            let mut less = said();
            less[name] = Value::Null;
            assert!(Said::parse(&less.to_string()).is_err(), "{name}");
        }
        for line in ["", "127.0.0.1:1", "[]", "{\"address\":"] {
            assert!(Said::parse(line).is_err(), "{line}");
        }
    }

    #[tokio::test]
    async fn a_server_that_does_not_come_up_says_so() {
        let started = |program: &'static str, arguments: &'static [&'static str]| async move {
            Rival::start(None, Path::new(program), arguments, None).await.err().map(|error| error.to_string())
        };
        assert_eq!(started("true", &[]).await.as_deref(), Some("it ended before it was ready"));
        assert!(started("/nonexistent/node", &[]).await.unwrap().starts_with("/nonexistent/node: "));
        assert!(started("echo", &["hello"]).await.is_some());
    }
}

//! What Linux tells of processes: processor time, memory, and on which processors they may run.

use crate::Fallible;
use std::path::Path;
use std::process::Command;

/// Ticks of `/proc/PID/stat` in a second: what Linux has told every program since 2.6, whatever its own clock does.
const TICKS_PER_SECOND: f64 = 100.0;

/// Processor time of a process so far, in seconds, to a hundredth.
pub fn cpu_seconds(pid: u32) -> Fallible<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name stands in brackets and may hold anything; what follows the last one is numbers.
    let (_, numbers) = stat.rsplit_once(')').ok_or("/proc/PID/stat has another form")?;
    let mut fields = numbers.split_whitespace().skip(11);
    let mut ticks = || -> Fallible<f64> { Ok(fields.next().ok_or("/proc/PID/stat is short")?.parse()?) };
    Ok((ticks()? + ticks()?) / TICKS_PER_SECOND)
}

/// Memory of this process that is in use, in bytes.
pub fn resident_bytes() -> Fallible<f64> {
    resident_bytes_of(std::process::id())
}

/// Memory of a process that is in use, in bytes.
pub fn resident_bytes_of(pid: u32) -> Fallible<f64> {
    let kilobytes: f64 = status_line(pid, "VmRSS:")?.trim_end_matches("kB").trim().parse()?;
    Ok(kilobytes * 1024.0)
}

fn status_line(pid: u32, name: &str) -> Fallible<String> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    Ok(line.ok_or_else(|| format!("/proc/{pid}/status has no {name}"))?.trim().to_owned())
}

/// The name of a process, cut to 15 bytes as Linux does; none when it has ended, reaped or not.
pub fn name_of(pid: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (name, rest) = stat.split_once('(')?.1.rsplit_once(')')?;
    (!rest.trim_start().starts_with('Z')).then(|| name.to_owned())
}

/// A command, on the processor of servers where seats are given.
pub fn command(seats: Option<Seats>, program: &Path) -> Command {
    let Some(seats) = seats else { return Command::new(program) };
    let mut command = Command::new("taskset");
    command.args(["-c", &seats.servers.to_string()]).arg(program);
    command
}

/// A processor for the servers, and one for whoever loads them.
#[derive(Debug, Clone, Copy)]
pub struct Seats {
    /// For the servers.
    pub servers: usize,
    /// For the load.
    pub load: usize,
}

impl Seats {
    /// Two processors that this process may use; none where there are fewer, or no `taskset`.
    pub fn find() -> Option<Self> {
        let allowed = status_line(std::process::id(), "Cpus_allowed_list:").ok()?;
        let mut processors = allowed.split(',').flat_map(|range| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            first.parse::<usize>().unwrap_or(0)..=last.parse::<usize>().unwrap_or(0)
        });
        let seats = Self { servers: processors.next()?, load: processors.next()? };
        let works = Command::new("taskset").arg("--version").output().is_ok_and(|output| output.status.success());
        works.then_some(seats)
    }

    /// Keeps this process on its own processor.
    pub fn sit_down(self) -> Fallible<()> {
        let (load, pid) = (self.load.to_string(), std::process::id().to_string());
        let output = Command::new("taskset").args(["-a", "-c", "-p", &load, &pid]).output()?;
        if output.status.success() { Ok(()) } else { Err("taskset could not move this process".into()) }
    }
}

/// The load on the machine as it is, for the notes.
pub fn load_average() -> String {
    std::fs::read_to_string("/proc/loadavg").map(|text| text.trim().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_and_time() {
        assert!(resident_bytes().unwrap() > 0.0);
        assert!(cpu_seconds(std::process::id()).unwrap() >= 0.0);
    }

    #[test]
    fn a_process_has_a_name_until_it_ends() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let pid = child.id();
        assert_eq!(name_of(pid).as_deref(), Some("sleep"));
        child.kill().unwrap();
        while name_of(pid).is_some() {
            std::thread::yield_now();
        }
        child.wait().unwrap();
        assert_eq!(name_of(pid), None, "gone");
    }
}

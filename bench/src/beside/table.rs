//! What was measured side by side: as figures for scripts, and as one table for people.

use crate::beside::rival::Cost;
use crate::http::by_round;
use crate::in_process::as_f64;
use crate::report::{Figure, median, rounded};

const MEBIBYTE: f64 = 1024.0 * 1024.0;

/// What was measured of one server, round by round.
#[derive(Debug, Default, Clone)]
pub struct Rounds {
    /// Requests a second.
    pub requests: Vec<f64>,
    /// Processor time of the server and its helpers for each, in microseconds.
    pub cpu: Vec<f64>,
    /// How long half of the answers took at most, in milliseconds.
    pub p50: Vec<f64>,
    /// How long 99 of 100 took at most, in milliseconds.
    pub p99: Vec<f64>,
    /// Memory of the server and its helpers, in MiB.
    pub memory: Vec<f64>,
}

impl Rounds {
    /// Adds a round.
    pub fn push(&mut self, cost: &Cost) {
        self.requests.push(cost.seen.per_second());
        self.cpu.push(cost.cpu * 1e6 / as_f64(cost.seen.requests));
        self.p50.push(cost.seen.p50_ms);
        self.p99.push(cost.seen.p99_ms);
        self.memory.push(cost.memory / MEBIBYTE);
    }
}

/// One server in one way of measuring.
#[derive(Debug)]
pub struct Row {
    /// Its name in figures.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// What was measured, or why it was not.
    pub measured: Result<Rounds, String>,
}

impl Row {
    /// How many times as many requests a second Tegata answered, and how many times as much processor time this server took.
    fn ratios(&self, tegata: &Rounds) -> Option<[Vec<f64>; 2]> {
        let rounds = self.measured.as_ref().ok()?;
        Some([by_round(&tegata.requests, &rounds.requests), by_round(&rounds.cpu, &tegata.cpu)])
    }
}

/// All figures of one way of measuring; the first row is Tegata's.
pub fn figures(way: &str, rows: &[Row]) -> Vec<Figure> {
    let mut figures = Vec::new();
    for row in rows {
        let Ok(rounds) = &row.measured else { continue };
        let mut add = |what: &str, unit, values: &[f64]| {
            figures.push(Figure::new(format!("beside.{way}.{}.{what}", row.name), unit, values.to_vec()));
        };
        add("requests", "requests/s", &rounds.requests);
        add("cpu", "us/request", &rounds.cpu);
        add("p50", "ms", &rounds.p50);
        add("p99", "ms", &rounds.p99);
        add("memory", "MiB", &rounds.memory);
    }
    for (row, [requests, cpu]) in compared(rows) {
        for (what, values) in [("requests", requests), ("cpu", cpu)] {
            figures.push(
                Figure::new(format!("beside.{way}.ratio.{}.{what}", row.name), "times", values)
                    .reference(format!("beside.{way}.{}.{what}", row.name)),
            );
        }
    }
    figures
}

/// The others, with what Tegata has ahead of them; none where Tegata was not measured.
fn compared(rows: &[Row]) -> Vec<(&Row, [Vec<f64>; 2])> {
    let Some((Row { measured: Ok(tegata), .. }, others)) = rows.split_first() else { return Vec::new() };
    others.iter().filter_map(|row| Some((row, row.ratios(tegata)?))).collect()
}

/// The table of one way of measuring, medians.
pub fn table(rows: &[Row]) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(["", "requests/s", "CPU us/request", "p50 ms", "p99 ms", "memory MiB", "x requests", "x CPU"]);
    let compared = compared(rows);
    for row in rows {
        let mut cells = vec![row.title.to_owned()];
        match &row.measured {
            Ok(rounds) => {
                let ratios = compared.iter().find(|(other, _)| other.name == row.name).map(|(_, ratios)| ratios);
                let columns = [&rounds.requests, &rounds.cpu, &rounds.p50, &rounds.p99, &rounds.memory];
                let all = columns.into_iter().chain(ratios.into_iter().flatten());
                cells.extend(all.map(|values| rounded(median(values)).to_string()));
            }
            Err(_) => cells.push("not measured".to_owned()),
        }
        table.add_row(cells);
    }
    table.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &'static str, requests: f64) -> Row {
        let cpu = vec![1e6 / requests; 3];
        let rounds =
            Rounds { requests: vec![requests; 3], cpu, p50: vec![1.0; 3], p99: vec![2.0; 3], memory: vec![64.0; 3] };
        Row { name, title: name, measured: Ok(rounds) }
    }

    fn failed(name: &'static str) -> Row {
        Row { name, title: name, measured: Err("it said no".to_owned()) }
    }

    #[test]
    fn others_are_held_against_tegata() {
        let rows = [row("tegata", 80_000.0), row("slow", 4_000.0), failed("broken")];
        let figures = figures("one_core", &rows);
        let value = |name: &str| figures.iter().find(|figure| figure.name == name).map(Figure::value);
        assert_eq!(value("beside.one_core.tegata.requests"), Some(80_000.0));
        assert_eq!(value("beside.one_core.ratio.slow.requests"), Some(20.0));
        assert_eq!(value("beside.one_core.ratio.slow.cpu"), Some(20.0));
        assert_eq!(figures.len(), 12, "nothing of what failed, and no ratio of Tegata to itself");
        let table = table(&rows);
        let line = |name: &str| table.lines().find(|line| line.contains(name)).unwrap().to_owned();
        assert!(line("slow").trim_end().ends_with("20"), "{table}");
        assert!(line("broken").contains("not measured"), "{table}");
    }

    #[test]
    fn without_tegata_there_are_no_ratios() {
        let rows = [failed("tegata"), row("slow", 4_000.0)];
        assert!(figures("one_core", &rows).iter().all(|figure| !figure.name.contains("ratio")));
        assert!(table(&rows).contains("4000"));
    }
}

//! Checking an access log against what was signed about it: in a backup, in a data directory, also while a server works
//! on it. Reads only, and needs nothing but the public key.

use super::{MaintenanceError, Progress, Report, Unit, io};
use crate::authn::key_file;
use crate::failing::word_of;
use crate::serve::{Config, PROOFS};
use serde::Serialize;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use tegata_record::proof::{
    DayRecords, Days, Held, Problem, Sequences, SourceError, Verified, Verifier, VerifyError, VerifyingKey, hold,
};
use tegata_record::{Location, LogReader, OpenError, has_columns};

/// No more problems of an organization are kept; those after them are like those before.
const PROBLEMS_MAX: usize = 10_000;
/// How often an organization is looked at again that was not as it should be while a server works on the log.
const LOOKS: usize = 3;
/// How often records are read again that moved into columns while they were read.
const READINGS: usize = 20;
/// Records between two reports of progress.
const REPORT_EVERY: u64 = 4_096;

/// What to check.
#[derive(Debug, Clone)]
pub struct VerifyOptions {
    /// A data directory, a backup, or a directory of access records itself.
    pub place: PathBuf,
    /// Where columns lie, if not beside the journal: a backup has its own, whatever it is of.
    pub columns: Option<Location>,
    /// The public key, as the line of a signed note.
    pub key: VerifyingKey,
    /// Only this organization, by its id; the node's checkpoints are not looked at then.
    pub organization: Option<String>,
    /// Records of this day (UTC, counted from 1970) and of those after it have to be there. If it is left out, those of
    /// days of which more is kept than the final checkpoint.
    pub since_day: Option<i64>,
    /// Files with checkpoints that were kept elsewhere.
    pub checkpoints: Vec<PathBuf>,
}

/// What was checked.
#[derive(Debug, Clone, Default, Serialize)]
pub struct VerifyDone {
    /// Organizations, the records without one included.
    pub organizations: usize,
    /// Records that were read.
    pub records: u64,
    /// Trees that they were held against.
    pub trees: u64,
    /// Trees whose records were dropped by retention.
    pub dropped_trees: u64,
    /// Records after everything that was signed.
    pub unsigned: u64,
    /// Every record up to this sequence was signed.
    pub signed_through: u64,
    /// Checkpoints of those that were kept elsewhere that hold.
    pub kept_checkpoints: usize,
    /// What does not fit, in words and with its place.
    pub problems: Vec<String>,
}

/// Checks.
pub fn verify(options: &VerifyOptions, report: Report<'_>) -> Result<VerifyDone, MaintenanceError> {
    let records = records_in(&options.place);
    let mut done = VerifyDone::default();
    let columns = options.columns.as_ref().filter(|_| !has_columns(&records));
    let reader = match LogReader::open(&records, columns) {
        // A manifest that was damaged is a finding, and names its place.
        Err(OpenError::Columns(error)) => {
            done.problems.push(error.to_string());
            return Ok(done);
        }
        opened => opened?,
    };
    done.problems.extend(reader.findings().map(ToString::to_string));
    let mut work = Work { options, proofs: records.join(PROOFS), reader, through: 0, sequences: RefCell::default() };
    work.organizations(&mut done, report)?;
    if options.organization.is_none() {
        work.node(&mut done)?;
        work.files(&mut done, report)?;
    }
    Ok(done)
}

/// The access records of a data directory or of a backup; the directory itself, if it holds a journal.
fn records_in(place: &Path) -> PathBuf {
    if place.join("journal.json").exists() || !place.join("records").is_dir() {
        return place.to_owned();
    }
    place.join("records")
}

struct Work<'a> {
    options: &'a VerifyOptions,
    proofs: PathBuf,
    reader: LogReader,
    /// Every record up to this one was signed before the first was read.
    through: u64,
    sequences: RefCell<Sequences>,
}

impl Work<'_> {
    /// The proofs as they are now. While the second part lives they stay so.
    fn verifier(&self, done: &mut VerifyDone) -> Result<(Verifier, Option<Held>), MaintenanceError> {
        let held = hold(&self.proofs).map_err(io(&self.proofs))?;
        let mut verifier = Verifier::open(&self.proofs, &self.options.key)?;
        done.kept_checkpoints = 0;
        for path in &self.options.checkpoints {
            let notes = std::fs::read_to_string(path).map_err(io(path))?;
            match verifier.remember(&notes) {
                0 => return Err(MaintenanceError::NoCheckpoint(path.clone())),
                kept => done.kept_checkpoints += kept,
            }
        }
        Ok((verifier, held))
    }

    fn organizations(&mut self, done: &mut VerifyDone, report: Report<'_>) -> Result<(), MaintenanceError> {
        let (verifier, held) = self.verifier(done)?;
        let organizations: BTreeSet<Option<String>> = if let Some(organization) = &self.options.organization {
            BTreeSet::from([Some(organization.clone())])
        } else {
            let signed = verifier.organizations()?.into_iter().map(|one| one.map(String::from));
            let mut all: BTreeSet<_> = signed.collect();
            all.extend(self.organizations_of_records().map_err(VerifyError::Source)?);
            all
        };
        self.through = verifier.through();
        done.signed_through = self.through;
        drop(held);
        let mut before = 0;
        let total = self.reader.records_about();
        let mut dropped_through = 0;
        for organization in &organizations {
            let (seen, mut problems) = self.organization(organization.as_deref(), done, &mut |read| {
                let done = before + read;
                let step = "checking access records".to_owned();
                report(Progress { step, done, total: total.max(done), unit: Unit::Rows });
            })?;
            before += seen.records;
            done.records += seen.records;
            done.trees += seen.trees;
            done.dropped_trees += seen.dropped_trees;
            done.unsigned += seen.unsigned;
            done.signed_through = done.signed_through.max(seen.signed_through);
            dropped_through = dropped_through.max(seen.dropped_through);
            done.problems.append(&mut problems);
        }
        done.organizations = organizations.len();
        if self.options.organization.is_none() {
            self.gaps(dropped_through, done);
        }
        Ok(())
    }

    fn organizations_of_records(&self) -> Result<BTreeSet<Option<String>>, SourceError> {
        let mut readings = 1;
        loop {
            match self.reader.organizations() {
                Err(error) if is_gone(&*error) && readings < READINGS => readings += 1,
                read => return read,
            }
        }
    }

    /// One organization; again, if something is wrong that may come from a server that works on the log.
    fn organization(
        &self,
        organization: Option<&str>,
        done: &mut VerifyDone,
        told: &mut dyn FnMut(u64),
    ) -> Result<(Verified, Vec<String>), MaintenanceError> {
        let (mut looks, mut readings) = (1, 1);
        loop {
            let (verifier, held) = self.verifier(done)?;
            let is_worked_on = held.is_some();
            let since_day = match self.options.since_day {
                Some(day) => Some(day),
                // Nothing is kept of days that were dropped, so that all that follow the first have to be there.
                None => Some(verifier.first_day(organization)?.unwrap_or(i64::MAX)),
            };
            let days = Passing::new(self, held, told);
            let mut problems: Vec<Problem> = Vec::new();
            let seen = verifier.organization(organization, &days, since_day, &mut |problem| {
                if problems.len() < PROBLEMS_MAX {
                    problems.push(problem);
                }
            });
            let seen = match seen {
                Err(VerifyError::Source(error)) if is_gone(&*error) && readings < READINGS => {
                    readings += 1;
                    continue;
                }
                seen => seen?,
            };
            if problems.is_empty() || !is_worked_on || looks == LOOKS {
                return Ok((seen, problems.iter().map(ToString::to_string).collect()));
            }
            looks += 1;
        }
    }

    /// Sequences that no record has. What lies before the last record that was dropped may be missing.
    fn gaps(&self, dropped_through: u64, done: &mut VerifyDone) {
        let sequences = self.sequences.borrow();
        let first = sequences.first().unwrap_or(u64::MAX).max(dropped_through.saturating_add(1));
        if first <= self.through {
            let problems = &mut done.problems;
            sequences.gaps(first, self.through, &mut |problem| problems.push(problem.to_string()));
        }
    }

    fn node(&self, done: &mut VerifyDone) -> Result<(), MaintenanceError> {
        let (verifier, _held) = self.verifier(done)?;
        let problems = &mut done.problems;
        verifier.node(None, &mut |problem| problems.push(problem.to_string()))?;
        // What is wrong with notes was said with their organization or here, and once is enough.
        let mut seen = BTreeSet::new();
        done.problems.retain(|problem| seen.insert(problem.clone()));
        Ok(())
    }

    fn files(&self, done: &mut VerifyDone, report: Report<'_>) -> Result<(), MaintenanceError> {
        let total = self.reader.column_bytes();
        let problems = &mut done.problems;
        let checked = self.reader.check_files(
            &mut |bytes| {
                let step = "checking files".to_owned();
                report(Progress { step, done: bytes, total: total.max(bytes), unit: Unit::Bytes });
            },
            &mut |problem| problems.push(problem.to_string()),
        );
        checked.map_err(|error| MaintenanceError::Io(error.path, error.source))
    }
}

/// Whether a file went while it was read: its records moved on, if a server works on the log.
fn is_gone(error: &(dyn std::error::Error + 'static)) -> bool {
    word_of(error) == "not_found"
}

/// Records on their way to the verifier: counted, and their sequences noted. The proofs may go on once they were read.
struct Passing<'a> {
    work: &'a Work<'a>,
    held: RefCell<Option<Held>>,
    told: RefCell<&'a mut dyn FnMut(u64)>,
    count: RefCell<u64>,
}

impl<'a> Passing<'a> {
    fn new(work: &'a Work<'a>, held: Option<Held>, told: &'a mut dyn FnMut(u64)) -> Self {
        let (held, told) = (RefCell::new(held), RefCell::new(told));
        Self { work, held, told, count: RefCell::new(0) }
    }

    fn see(&self, sequence: u64) {
        if sequence <= self.work.through {
            self.work.sequences.borrow_mut().see(sequence);
        }
        let mut count = self.count.borrow_mut();
        *count += 1;
        if count.is_multiple_of(REPORT_EVERY) {
            let mut told = self.told.borrow_mut();
            (*told)(*count);
        }
    }
}

impl Days for Passing<'_> {
    fn days(&self, organization: Option<&str>) -> Result<Vec<i64>, SourceError> {
        // The verifier asks after it has read what is signed.
        *self.held.borrow_mut() = None;
        self.work.reader.days(organization)
    }

    fn records(&self, organization: Option<&str>, day: i64) -> Result<DayRecords<'_>, SourceError> {
        let records = self.work.reader.records(organization, day)?;
        Ok(Box::new(records.inspect(move |record| {
            if let Ok(record) = record {
                self.see(record.sequence);
            }
        })))
    }
}

/// The public key of an installation, out of its key file.
pub fn public_key(config: &Config) -> Result<String, MaintenanceError> {
    let file = config.key_file();
    let keys = key_file::read(&file)?;
    let key = keys.signing.and_then(|secret| secret.key().ok());
    key.map(|key| key.verifying_key().to_string()).ok_or(MaintenanceError::NoSigningKey(file))
}

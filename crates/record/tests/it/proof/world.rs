//! A journal with a signer, a clock that is moved by hand, and records that can be tampered with.

use crate::support::{self, DAY_US, T0, TAG};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tegata_record::proof::{
    DayRecords, Days, NodeVerified, Problem, Seed, Signer, SignerFinding, SigningKey, SourceError, Ticked, Verified,
    Verifier, VerifyingKey,
};
use tegata_record::{Decision, Faults, Journal, NewRecord, Record};
use tempfile::TempDir;
use zeroize::Zeroizing;

pub const DAY: i64 = T0.div_euclid(DAY_US);
pub const MIDNIGHT: i64 = (DAY + 1) * DAY_US;
pub const MINUTE_US: i64 = 60_000_000;

pub fn key() -> SigningKey {
    SigningKey::new("tegata.example.com", &Seed::new(Zeroizing::new([7; 32]))).unwrap()
}

pub fn public() -> VerifyingKey {
    key().verifying_key().clone()
}

pub fn row(organization: Option<&str>, time_us: i64) -> NewRecord<'_> {
    NewRecord {
        organization,
        credential: Some("tok_1"),
        path: Some("/repos/octo/hello"),
        ..NewRecord::new(time_us, Decision::Allow, "granted")
    }
}

pub struct World {
    home: TempDir,
    pub faults: Arc<Faults>,
    pub journal: Journal,
    pub signer: Option<Signer>,
    pub now_us: i64,
}

impl World {
    pub fn new() -> Self {
        let home = support::directory();
        let journal = support::open_clean(&home.path().join("journal"), support::options());
        let mut world = Self { home, faults: Faults::none(), journal, signer: None, now_us: T0 };
        assert_eq!(world.start(), []);
        world
    }

    pub fn proofs(&self) -> PathBuf {
        self.home.path().join("proofs")
    }

    /// Ends the signer, if there is one, and begins again with what is on disk.
    pub fn start(&mut self) -> Vec<SignerFinding> {
        self.stop();
        let (signer, findings) =
            Signer::open(&self.proofs(), key(), &self.journal, self.now_us, Some(Arc::clone(&self.faults))).unwrap();
        self.signer = Some(signer);
        findings
    }

    pub fn signer(&mut self) -> &mut Signer {
        self.signer.as_mut().unwrap()
    }

    pub fn stop(&mut self) {
        self.signer = None;
    }

    pub fn append(&self, organization: &str, records: i64) {
        for number in 0..records {
            self.journal.append(&row(Some(organization), self.now_us + number)).unwrap();
        }
    }

    /// Signs what is new and expects nothing to be wrong.
    pub fn tick(&mut self) -> Ticked {
        let ticked = self.tick_with_findings();
        assert_eq!(ticked.findings, []);
        ticked
    }

    pub fn tick_with_findings(&mut self) -> Ticked {
        self.now_us += 1_000_000;
        let now_us = self.now_us;
        self.signer.as_mut().unwrap().tick(&self.journal, now_us).unwrap()
    }

    /// Twenty seconds, with `records` in each.
    pub fn some_seconds(&mut self, organization: &str, records: i64) {
        for _ in 0..20 {
            self.append(organization, records);
            self.tick();
        }
    }

    /// Midnight passes, and the minutes until days are closed.
    pub fn next_day(&mut self) -> Ticked {
        self.now_us = (self.now_us.div_euclid(DAY_US) + 1) * DAY_US + 11 * MINUTE_US;
        self.tick()
    }

    pub fn records(&self) -> Kept {
        Kept(support::read_all(&self.journal))
    }

    pub fn check(&self, organization: &str, records: &Kept) -> (Vec<Problem>, Verified) {
        check(&self.proofs(), organization, records)
    }

    pub fn check_node(&self) -> (Vec<Problem>, NodeVerified) {
        let mut problems = Vec::new();
        let verifier = Verifier::open(&self.proofs(), &public()).unwrap();
        let done = verifier.node(Some(&self.journal), &mut |problem| problems.push(problem)).unwrap();
        (problems, done)
    }

    /// Everything checks, for the organization and for the node.
    pub fn is_clean(&self, organization: &str) -> Verified {
        let (problems, verified) = self.check(organization, &self.records());
        assert_eq!(problems, []);
        assert_eq!(self.check_node().0, []);
        verified
    }

    pub fn file(&self, organization: &str, name: &str) -> PathBuf {
        self.proofs().join(format!("org={organization}")).join(name)
    }
}

pub fn check(proofs: &Path, organization: &str, records: &Kept) -> (Vec<Problem>, Verified) {
    let mut problems = Vec::new();
    let verifier = Verifier::open(proofs, &public()).unwrap();
    let done = verifier.organization(Some(organization), records, None, &mut |problem| problems.push(problem)).unwrap();
    (problems, done)
}

/// Records as some other store would keep them: in their order, and by day.
#[derive(Clone)]
pub struct Kept(pub Vec<Record>);

/// The same, with a place at which its file is broken.
pub struct Broken(pub Kept, pub u64);

impl Days for Broken {
    fn days(&self, organization: Option<&str>) -> Result<Vec<i64>, SourceError> {
        self.0.days(organization)
    }

    fn records(&self, organization: Option<&str>, day: i64) -> Result<DayRecords<'_>, SourceError> {
        let broken = |record: &Record| record.sequence == self.1;
        Ok(Box::new(self.0.records(organization, day)?.map(move |record| match record {
            Ok(record) if broken(&record) => Err("broken".into()),
            other => other,
        })))
    }
}

impl Kept {
    pub fn at(&mut self, sequence: u64) -> &mut Record {
        self.0.iter_mut().find(|record| record.sequence == sequence).unwrap()
    }

    pub fn position(&self, sequence: u64) -> usize {
        self.0.iter().position(|record| record.sequence == sequence).unwrap()
    }
}

fn day(record: &Record) -> i64 {
    record.time_us.div_euclid(DAY_US)
}

impl Days for Kept {
    fn days(&self, organization: Option<&str>) -> Result<Vec<i64>, SourceError> {
        Ok(self.0.iter().filter(|record| record.organization.as_deref() == organization).map(day).collect())
    }

    fn records(&self, organization: Option<&str>, of: i64) -> Result<DayRecords<'_>, SourceError> {
        let organization = organization.map(str::to_owned);
        let records = self.0.iter().filter(move |record| record.organization == organization && day(record) == of);
        Ok(Box::new(records.map(|record| Ok(record.clone()))))
    }
}

pub fn copy_directory(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_directory(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A journal with the same tag and these records, one after the other.
pub fn rewritten(home: &Path, records: &[Record]) -> Journal {
    let (journal, _) = Journal::open(home, support::options(), TAG).unwrap();
    for record in records {
        journal.append(&record.view().row).unwrap();
    }
    journal
}

//! Answers that wait for their records. A check is written twice, as a record and as JSON, while everything that it
//! speaks of is lent by memory; then the records go into the journal, and their ids into the answers.

use super::evaluate::{Asked, Found};
use super::target::{FoundNeed, FoundPlace};
use super::{Checked, Question, What};
use crate::verify::answer::{Answer, CredentialSeen, Missing, Named, PrincipalSeen, recorded, unrecorded};
use crate::verify::recording::RecordFailure;
use std::io::Write as _;
use std::net::IpAddr;
use tegata_core::decide::{RULE_VERSION, Reason};
use tegata_core::ids::{IdText, OrgId};
use tegata_core::time::Timestamp;
use tegata_record::{AccessLog, AppendError, Batch, NewRecord, RECORD_ID_BYTES};

/// Stands where the id of the record will: as long as it, and the last member of an answer.
const NO_ID_YET: &str = "rec_00000000000000000000000000";
const _: () = assert!(NO_ID_YET.len() == RECORD_ID_BYTES);
/// What follows the id: the quote and the brace that end the answer.
const AFTER_ID: usize = 2;
/// What stands before it.
const BEFORE_ID: &str = r#","record":""#;
/// The member that it is.
const MEMBER_BYTES: usize = BEFORE_ID.len() + RECORD_ID_BYTES + 1;

/// What becomes of the record of an answer.
#[derive(Debug, Clone, Copy)]
pub(in crate::verify) enum Fate<'l> {
    /// It is written.
    Written,
    /// It is a denial, and counted by this log.
    Counted(&'l AccessLog),
    /// There is none ([`crate::serve::Config::without_records`]).
    Left,
}

/// What record and answer both say of what was needed.
#[derive(Clone, Copy)]
struct Needed<'f> {
    first: Option<&'f FoundNeed>,
    place: Option<&'f FoundPlace<'f>>,
    permission: Option<&'f str>,
}

/// Answers with their records, on the way to the journal.
#[derive(Debug, Default)]
pub(super) struct Drafts {
    batch: Batch,
    checked: Vec<Checked>,
    /// Where each answer ends that has a record of its own.
    ends: Vec<usize>,
    /// How many have none, because they were counted.
    summed_up: usize,
}

impl Drafts {
    /// Puts an answer behind those in `out`, and its record to the others. `asked` is none where the verifier may not
    /// ask about this API.
    pub(super) fn push(
        &mut self,
        question: &Question<'_>,
        asked: Option<&Asked<'_>>,
        found: &Found<'_>,
        now: Timestamp,
        fate: Fate<'_>,
        out: &mut Vec<u8>,
    ) {
        let decision = found.decision;
        let first = found.needs.needs.get(found.deciding.start).filter(|_| !found.deciding.is_empty());
        let place = first.and_then(|need| found.needs.place(need));
        let name_of = |need: &FoundNeed| {
            asked.and_then(|asked| Some(asked.loaded.catalogue.permission(need.permission)?.name.as_str()))
        };
        let missing = found.missing.iter().filter_map(|number| {
            let need = found.needs.needs.get(*number)?;
            Some(Missing { place: &found.needs.place(need)?.place, permission: name_of(need)? })
        });
        let permission =
            first.and_then(name_of).or_else(|| asked.and_then(|asked| asked.wanted.permission(asked.loaded)));
        let needed = Needed { first, place, permission };
        let has_record = match fate {
            Fate::Left => false,
            Fate::Written | Fate::Counted(_) => self.record(question, asked, found, needed, now, fate),
        };

        let answer = Answer {
            allowed: decision.is_allowed(),
            reason: decision.reason().as_str(),
            permission,
            context: place.map(|place| Named(&place.place)),
            organization: found.org_entry.map(|org| &*org.key),
            missing: missing.collect(),
            request: found.request.as_deref(),
            credential: found.token.map(CredentialSeen::of),
            principal: found.token.map(|token| PrincipalSeen {
                kind: "user",
                id: token.owner,
                name: found.owner.map_or("", |owner| &owner.name),
            }),
            on_behalf_of: None,
            retry_after: found.retry_after,
            rate_limit: found.rate_limit.as_deref(),
            record: has_record.then_some(NO_ID_YET),
        };
        answer.write(out);
        self.checked.push(Checked { allowed: answer.allowed, reason: decision.reason() });
        if has_record {
            self.ends.push(out.len());
        }
    }

    /// Puts the record of an answer to the others, unless it is counted. Tells whether it has one of its own.
    fn record(
        &mut self,
        question: &Question<'_>,
        asked: Option<&Asked<'_>>,
        found: &Found<'_>,
        Needed { first, place, permission }: Needed<'_>,
        now: Timestamp,
        fate: Fate<'_>,
    ) -> bool {
        let decision = found.decision;
        let (method, path) = match question.what {
            What::Endpoint { method, path } => (Some(method), Some(path)),
            What::Permission { .. } => (None, None),
        };
        let organization = found.org.map(OrgId::text);
        let context = place.and_then(|place| place.chain.first()).map(|context| context.text());
        let credential = found.token.map(|token| token.id.text());
        let principal = found.token.map(|token| token.owner.text());
        let mut address = AddressText::new();
        let record = NewRecord {
            api: Some(question.api),
            organization: organization.as_ref().map(IdText::as_str),
            alternative: decision.alternative(),
            permission,
            context_id: context.as_ref().map(IdText::as_str),
            level: first.map(|need| need.level.as_str()),
            credential: credential.as_ref().map(IdText::as_str),
            kind: found.token.map(|token| token.kind.as_str()),
            principal: principal.as_ref().map(IdText::as_str),
            acted_for: principal.as_ref().map(IdText::as_str),
            method,
            endpoint: asked.and_then(|asked| asked.wanted.template()),
            path,
            address: question.address.map(|is| address.write(is)),
            user_agent: question.user_agent,
            request_id: question.request_id,
            rule_version: RULE_VERSION,
            catalogue_version: asked.map_or(0, |asked| asked.loaded.version),
            ..NewRecord::new(now.as_micros(), recorded(decision), decision.reason().as_str())
        };
        // A denial that is counted has no record of its own. The count stands even if the batch cannot be written: then
        // the answer is another denial.
        if let Fate::Counted(log) = fate
            && log.sum_up(&record)
        {
            self.summed_up += 1;
            return false;
        }
        self.batch.push(&record);
        true
    }

    /// Writes the records and completes the answers, which begin at `start` in `out`. Where the records cannot be
    /// written, `on_failure` says what becomes of the answers. Returns the sequence that has to be on disk before the answers
    /// leave, where one has to.
    pub(super) fn commit(
        &mut self,
        journal: &AccessLog,
        on_failure: RecordFailure,
        start: usize,
        out: &mut Vec<u8>,
    ) -> Result<Option<u64>, AppendError> {
        let Self { batch, checked, ends, .. } = self;
        match journal.append_prepared(batch) {
            Ok(ids) => {
                let mut last = None;
                for (id, end) in ids.zip(ends.drain(..)) {
                    last = Some(id.sequence());
                    let place = end.checked_sub(AFTER_ID).and_then(|end| Some(end.checked_sub(RECORD_ID_BYTES)?..end));
                    if let Some(place) = place.and_then(|place| out.get_mut(place)) {
                        place.copy_from_slice(&id.text());
                    }
                }
                Ok(last.filter(|_| journal.always_flushes()))
            }
            Err(error) if on_failure == RecordFailure::Allow => {
                without_ids(ends, out);
                ends.clear();
                Err(error)
            }
            Err(error) => {
                ends.clear();
                refuse(checked, start, out);
                Err(error)
            }
        }
    }

    /// How many of the answers were counted in place of being recorded.
    pub(super) const fn summed_up(&self) -> usize {
        self.summed_up
    }

    /// How many answers have a record of their own.
    pub(super) fn answers(&self) -> u64 {
        (self.checked.len() - self.summed_up) as u64
    }

    /// What was decided, in the order of the questions. Leaves nothing behind but its memory.
    pub(super) fn take(&mut self) -> std::vec::Drain<'_, Checked> {
        self.batch.clear();
        self.ends.clear();
        self.summed_up = 0;
        self.checked.drain(..)
    }
}

/// Makes a no of every answer, for want of records.
pub(super) fn refuse(checked: &mut [Checked], start: usize, out: &mut Vec<u8>) {
    out.truncate(start);
    for (number, checked) in checked.iter_mut().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        *checked = Checked { allowed: false, reason: Reason::RecordUnavailable };
        unrecorded().write(out);
    }
}

/// Takes the ids of records out of answers that end at `ends`.
fn without_ids(ends: &[usize], out: &mut Vec<u8>) {
    // Up to where it is as it shall be, and up to where it was looked at.
    let mut moved: Option<(usize, usize)> = None;
    for end in ends {
        let Some(gone) = end.checked_sub(1).and_then(|end| Some((end.checked_sub(MEMBER_BYTES)?, end))) else {
            continue;
        };
        let (done, read) = moved.unwrap_or((gone.0, gone.0));
        if read <= gone.0 && gone.1 <= out.len() {
            out.copy_within(read..gone.0, done);
            moved = Some((done + (gone.0 - read), gone.1));
        }
    }
    if let Some((done, read)) = moved {
        out.drain(done..read);
    }
}

/// The text of an address, without memory of its own.
struct AddressText([u8; Self::BYTES]);

impl AddressText {
    /// The longest IPv6 address (RFC 4291 §2.2, form 3).
    const BYTES: usize = 45;

    const fn new() -> Self {
        Self([0; Self::BYTES])
    }

    fn write(&mut self, address: IpAddr) -> &str {
        let written = match address {
            IpAddr::V4(address) => self.write_octets(address.octets()),
            IpAddr::V6(address) => {
                let mut rest = self.0.as_mut_slice();
                let room = rest.len();
                write!(rest, "{address}").map_or(0, |()| room - rest.len())
            }
        };
        self.0.get(..written).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default()
    }
}

impl AddressText {
    /// An IPv4 address, which formatting as such would take longer for than the decision. Returns its length.
    fn write_octets(&mut self, octets: [u8; 4]) -> usize {
        let mut length = 0;
        let mut put = |letter: u8| {
            if let Some(place) = self.0.get_mut(length) {
                *place = letter;
                length += 1;
            }
        };
        for (number, octet) in octets.into_iter().enumerate() {
            if number > 0 {
                put(b'.');
            }
            if octet >= 100 {
                put(b'0' + octet / 100);
            }
            if octet >= 10 {
                put(b'0' + octet / 10 % 10);
            }
            put(b'0' + octet % 10);
        }
        length
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tegata_core::decide::Decision;

    #[test]
    fn addresses_are_written_whole() {
        for text in [
            "203.0.113.9",
            "0.10.99.100",
            "255.255.255.255",
            "::1",
            "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
            "2001:db8::7",
        ] {
            let address: IpAddr = text.parse().unwrap();
            assert_eq!(AddressText::new().write(address), address.to_string());
        }
    }

    #[test]
    fn without_a_record_every_answer_is_no() {
        let directory = tempfile::tempdir().unwrap();
        let disk = tegata_record::Faults::none();
        let options = tegata_record::Options { faults: Some(disk.clone()), ..tegata_record::Options::default() };
        let (journal, _) = AccessLog::open(directory.path(), options, 7).unwrap();
        let what = What::Permission { permission: "p", context: None };
        let question = Question {
            token: "t",
            api: "a",
            what,
            organization: None,
            address: None,
            user_agent: None,
            request_id: None,
        };
        let allowed = Found { decision: Decision::Allow { alternative: None }, ..Found::denied(Reason::Unknown) };
        let mut drafts = Drafts::default();
        // What is told of two questions, behind something that was written before.
        let mut ask = |out: &mut Vec<u8>| {
            let start = out.len();
            drafts.push(&question, None, &allowed, Timestamp::EPOCH, Fate::Written, out);
            out.push(b',');
            drafts.push(&question, None, &allowed, Timestamp::EPOCH, Fate::Written, out);
            let written = drafts.commit(&journal, RecordFailure::Deny, start, out).is_ok();
            let checked: Vec<_> = drafts.take().map(|checked| (checked.allowed, checked.reason)).collect();
            (written, checked)
        };
        let mut out = b"[".to_vec();
        disk.leave_room(100);
        let no = (false, Reason::RecordUnavailable);
        assert_eq!(ask(&mut out), (false, vec![no, no]));
        out.push(b']');
        let told: serde_json::Value = serde_json::from_slice(&out).unwrap();
        let refused = serde_json::json!({"allowed": false, "reason": "record_unavailable", "on_behalf_of": null});
        assert_eq!(told, serde_json::json!([refused, refused]));
        assert_eq!(journal.stats().records, 0, "nothing of the append is left");
        // With room again, answers are what was decided, each with the id of its own record.
        disk.leave_room(u64::MAX);
        let mut out = b"[".to_vec();
        assert_eq!(ask(&mut out), (true, vec![(true, Reason::Granted); 2]));
        out.push(b']');
        let told: serde_json::Value = serde_json::from_slice(&out).unwrap();
        let ids: Vec<tegata_record::RecordId> =
            told.as_array().unwrap().iter().map(|answer| answer["record"].as_str().unwrap().parse().unwrap()).collect();
        assert_eq!(ids.iter().map(|id| id.sequence()).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn the_id_of_the_record_ends_an_answer() {
        let mut out = Vec::new();
        Answer { record: Some(NO_ID_YET), ..unrecorded() }.write(&mut out);
        let end = out.len() - AFTER_ID;
        assert_eq!(&out[end - RECORD_ID_BYTES..end], NO_ID_YET.as_bytes());
        assert!(out[..end - RECORD_ID_BYTES].ends_with(BEFORE_ID.as_bytes()));
        assert_eq!(out.len() - 1 - MEMBER_BYTES, end - RECORD_ID_BYTES - BEFORE_ID.len());
    }

    #[test]
    fn answers_without_ids_are_otherwise_the_same() {
        for answers in [0_usize, 1, 2, 7] {
            let (mut with, mut without, mut ends) = (b"before".to_vec(), b"before".to_vec(), Vec::new());
            for number in 0..answers {
                let permission = "a permission with a name".get(..number * 3);
                let answer = |record| Answer { permission, record, ..unrecorded() };
                for (out, record) in [(&mut with, Some(NO_ID_YET)), (&mut without, None)] {
                    if number > 0 {
                        out.push(b',');
                    }
                    answer(record).write(out);
                }
                ends.push(with.len());
            }
            without_ids(&ends, &mut with);
            assert_eq!(String::from_utf8(with).unwrap(), String::from_utf8(without).unwrap());
        }
    }
}

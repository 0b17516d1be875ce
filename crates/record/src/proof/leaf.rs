//! The canonical bytes of a record, and their hash: a leaf of a tree.
//!
//! ```text
//! version u8 · journal tag u16 · sequence u64 · time i64 (microseconds) · decision u8 (1 = allow)
//! rule version u32 · catalogue version u64                       (all big-endian)
//! only in version 2: how many checks the record stands for u64    (big-endian, not 1)
//! alternative + 1 (0 = none)                                     (LEB128)
//! then the sixteen text columns in the order of [`Column::ALL`]: length + 1 (0 = none) as LEB128, bytes in UTF-8
//! ```
//!
//! Two records have the same bytes only if they are the same in every column, and whoever has the columns of a record
//! has its bytes, wherever the columns were kept. That is why this encoding is one of its own: that of the journal may
//! change with the journal. A new column means a new version here; each checkpoint names the newest version that its leaves
//! may have. A record of one check has the bytes of version 1, so that what was proven before there were summaries stays so.

use crate::column::{COUNT, Column};
use crate::id::RecordId;
use crate::proof::tree::{TreeHash, leaf_hash};
use crate::record::{Decision, NewRecord, Record, RecordView};

/// The newest version of the canonical bytes that this program writes and checks.
pub const LEAF_VERSION: u8 = 2;
/// The version of a record of one check.
const ONE: u8 = 1;

/// Why bytes are not the canonical bytes of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LeafError {
    /// Made by a later version of the program.
    #[error("the record's bytes have version {0}; this program reads versions up to {LEAF_VERSION}")]
    Version(u8),
    /// Not such bytes at all, or not in their one spelling.
    #[error("the bytes are not those of a record")]
    Malformed,
}

/// Appends the canonical bytes of a record.
pub fn encode(record: &RecordView<'_>, bytes: &mut Vec<u8>) {
    let RecordView { id, sequence, row } = record;
    let many = row.count != 1;
    bytes.push(if many { LEAF_VERSION } else { ONE });
    bytes.extend_from_slice(&id.tag().to_be_bytes());
    bytes.extend_from_slice(&sequence.to_be_bytes());
    bytes.extend_from_slice(&row.time_us.to_be_bytes());
    bytes.push(u8::from(row.decision == Decision::Allow));
    bytes.extend_from_slice(&row.rule_version.to_be_bytes());
    bytes.extend_from_slice(&row.catalogue_version.to_be_bytes());
    if many {
        bytes.extend_from_slice(&row.count.to_be_bytes());
    }
    put_number(bytes, row.alternative.map_or(0, |index| u64::from(index) + 1));
    for text in row.columns() {
        match text {
            None => bytes.push(0),
            Some(text) => {
                put_number(bytes, text.len() as u64 + 1);
                bytes.extend_from_slice(text.as_bytes());
            }
        }
    }
}

/// The canonical bytes of a record, wherever it was read.
pub fn leaf_bytes(record: &Record) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(&record.view(), &mut bytes);
    bytes
}

/// Hashes many records with one buffer.
#[derive(Debug, Default)]
pub(crate) struct Leaves {
    buffer: Vec<u8>,
}

impl Leaves {
    pub(crate) fn hash(&mut self, record: &RecordView<'_>) -> TreeHash {
        self.buffer.clear();
        encode(record, &mut self.buffer);
        leaf_hash(&self.buffer)
    }
}

/// The record that has these canonical bytes.
pub fn decode(bytes: &[u8]) -> Result<Record, LeafError> {
    let (version, rest) = bytes.split_first().ok_or(LeafError::Malformed)?;
    let many = match *version {
        ONE => false,
        LEAF_VERSION => true,
        other => return Err(LeafError::Version(other)),
    };
    let record = decode_rest(rest, many).ok_or(LeafError::Malformed)?;
    // One spelling: numbers in more bytes than they need, for one, are refused here.
    if leaf_bytes(&record) == bytes { Ok(record) } else { Err(LeafError::Malformed) }
}

fn decode_rest(mut rest: &[u8], many: bool) -> Option<Record> {
    let tag = u16::from_be_bytes(take(&mut rest)?);
    let sequence = u64::from_be_bytes(take(&mut rest)?);
    let time_us = i64::from_be_bytes(take(&mut rest)?);
    let decision = match take::<1>(&mut rest)? {
        [0] => Decision::Deny,
        [1] => Decision::Allow,
        _ => return None,
    };
    let rule_version = u32::from_be_bytes(take(&mut rest)?);
    let catalogue_version = u64::from_be_bytes(take(&mut rest)?);
    let count = if many { u64::from_be_bytes(take(&mut rest)?) } else { 1 };
    let alternative = match take_number(&mut rest)? {
        0 => None,
        more => Some(u16::try_from(more - 1).ok()?),
    };
    let mut columns = [None; COUNT];
    for column in &mut columns {
        if let Some(length) = take_number(&mut rest)?.checked_sub(1) {
            let (text, after) = rest.split_at_checked(usize::try_from(length).ok()?)?;
            *column = Some(str::from_utf8(text).ok()?);
            rest = after;
        }
    }
    let reasoned = columns.get(Column::Reason as usize).is_some_and(Option::is_some);
    if !reasoned || !rest.is_empty() || sequence > RecordId::SEQUENCE_MAX {
        return None;
    }
    let row = NewRecord::from_columns(time_us, decision, &columns);
    let row = NewRecord { alternative, rule_version, catalogue_version, count, ..row };
    Some(RecordView { id: RecordId::new(time_us, tag, sequence), sequence, row }.to_record())
}

fn put_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (chunk, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*chunk)
}

fn take_number(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..63).step_by(7) {
        let [byte] = take(rest)?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests;

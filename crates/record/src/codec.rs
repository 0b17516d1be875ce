//! One record as bytes, and back. A payload stands by itself: nothing before it is needed to read it.
//!
//! ```text
//! version u8 · sequence u64 · time i64 · decision u8          (fixed places, little-endian)
//! rule version · catalogue version · alternative + 1              (varints; 0 = no alternative)
//! only in version 2: how many checks the record stands for        (varint, 2 or more)
//! then each text column: length + 1 as a varint (0 = none), bytes
//! ```
//!
//! Reading takes slices and checks UTF-8 only when a whole row is wanted, so that a filter can pass over a row for the
//! price of its lengths. Must not panic, whatever the bytes say.

use crate::column::{COUNT, Column};
use crate::filter::Number;
use crate::id::RecordId;
use crate::record::{Decision, NewRecord, RecordView};
use std::ops::Range;

/// A record of one check.
const ONE: u8 = 1;
/// A record of many.
const MANY: u8 = 2;
const SEQUENCE_AT: usize = 1;
const TIME_AT: usize = 9;
const FIXED_BYTES: usize = 18;

/// No payload is shorter.
pub(crate) const BYTES_MIN: usize = FIXED_BYTES;
/// No payload is longer.
pub(crate) const BYTES_MAX: usize = 8_192;
const _: () = assert!(FIXED_BYTES + 5 + 10 + 3 + 10 + Column::bytes_max_total() + 3 * COUNT <= BYTES_MAX);

/// Why bytes are no payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DecodeError {
    Version,
    Short,
    Number,
    Decision,
    Text,
    Trailing,
}

/// A payload taken apart, its texts still unchecked bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RawRecord<'a> {
    pub(crate) sequence: u64,
    pub(crate) time_us: i64,
    pub(crate) decision: Decision,
    rule_version: u32,
    catalogue_version: u64,
    alternative: Option<u16>,
    count: u64,
    /// The text columns with their lengths.
    from_first: &'a [u8],
    /// Where each text is in them.
    columns: [Option<Range<usize>>; COUNT],
}

/// Appends the payload of `record` to `buffer`, with sequence 0: see [`set_sequence`].
pub(crate) fn encode(record: &NewRecord<'_>, buffer: &mut Vec<u8>) {
    let many = record.count != 1;
    buffer.push(if many { MANY } else { ONE });
    buffer.extend_from_slice(&0_u64.to_le_bytes());
    buffer.extend_from_slice(&record.time_us.to_le_bytes());
    buffer.push(u8::from(record.decision == Decision::Allow));
    put_number(buffer, u64::from(record.rule_version));
    put_number(buffer, record.catalogue_version);
    put_number(buffer, record.alternative.map_or(0, |index| u64::from(index) + 1));
    if many {
        put_number(buffer, record.count);
    }
    for (column, text) in Column::ALL.into_iter().zip(record.columns()) {
        match text {
            None => buffer.push(0),
            Some(text) => {
                let kept = column.keep(text).as_bytes();
                put_number(buffer, kept.len() as u64 + 1);
                buffer.extend_from_slice(kept);
            }
        }
    }
}

/// Writes the sequence into an encoded payload. It is known only under the lock, the rest is encoded before.
pub(crate) fn set_sequence(payload: &mut [u8], sequence: u64) {
    if let Some(place) = payload.get_mut(SEQUENCE_AT..TIME_AT) {
        place.copy_from_slice(&sequence.to_le_bytes());
    }
}

/// The time in an encoded payload, without decoding the rest.
pub(crate) fn time_us(payload: &[u8]) -> i64 {
    payload.get(TIME_AT..).and_then(<[u8]>::first_chunk).map_or(0, |bytes| i64::from_le_bytes(*bytes))
}

/// Takes a payload apart.
pub(crate) fn decode(payload: &[u8]) -> Result<RawRecord<'_>, DecodeError> {
    let mut rest = Rest(payload);
    let many = match rest.byte()? {
        ONE => false,
        MANY => true,
        _ => return Err(DecodeError::Version),
    };
    let sequence = u64::from_le_bytes(rest.chunk()?);
    let time_us = i64::from_le_bytes(rest.chunk()?);
    let decision = match rest.byte()? {
        0 => Decision::Deny,
        1 => Decision::Allow,
        _ => return Err(DecodeError::Decision),
    };
    let rule_version = u32::try_from(rest.number()?).map_err(|_| DecodeError::Number)?;
    let catalogue_version = rest.number()?;
    let alternative = match rest.number()? {
        0 => None,
        more => Some(u16::try_from(more - 1).map_err(|_| DecodeError::Number)?),
    };
    // One spelling: a record of one check has none of this.
    let count = if many { Some(rest.number()?).filter(|count| *count != 1).ok_or(DecodeError::Number)? } else { 1 };
    let from_first = rest.0;
    let mut columns = [const { None }; COUNT];
    for column in &mut columns {
        if let Some(length) = rest.number()?.checked_sub(1) {
            let text = rest.bytes(length)?;
            let end = from_first.len() - rest.0.len();
            *column = Some(end - text.len()..end);
        }
    }
    if !rest.0.is_empty() {
        return Err(DecodeError::Trailing);
    }
    Ok(RawRecord {
        sequence,
        time_us,
        decision,
        rule_version,
        catalogue_version,
        alternative,
        count,
        from_first,
        columns,
    })
}

impl<'a> RawRecord<'a> {
    pub(crate) fn column(&self, column: Column) -> Option<&'a [u8]> {
        self.from_first.get(self.columns[column as usize].clone()?)
    }

    pub(crate) fn number(&self, number: Number) -> Option<u64> {
        match number {
            Number::Alternative => self.alternative.map(u64::from),
            Number::RuleVersion => Some(self.rule_version.into()),
            Number::CatalogueVersion => Some(self.catalogue_version),
        }
    }

    /// The row with its texts checked, and the id that it has in the journal with this tag.
    pub(crate) fn view(&self, tag: u16) -> Result<RecordView<'a>, DecodeError> {
        let mut texts = [None; COUNT];
        // Where the lengths between them are text as well, all texts are checked at once.
        if let Ok(whole) = str::from_utf8(self.from_first) {
            for (text, range) in texts.iter_mut().zip(&self.columns) {
                *text = range.clone().map(|range| whole.get(range).ok_or(DecodeError::Text)).transpose()?;
            }
        } else {
            for (text, column) in texts.iter_mut().zip(Column::ALL) {
                *text = self.column(column).map(str::from_utf8).transpose().map_err(|_| DecodeError::Text)?;
            }
        }
        let row = NewRecord {
            alternative: self.alternative,
            rule_version: self.rule_version,
            catalogue_version: self.catalogue_version,
            count: self.count,
            ..NewRecord::from_columns(self.time_us, self.decision, &texts)
        };
        Ok(RecordView { id: RecordId::new(self.time_us, tag, self.sequence), sequence: self.sequence, row })
    }
}

fn put_number(buffer: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        buffer.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    buffer.push(number.to_le_bytes()[0]);
}

/// The bytes not yet read.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn byte(&mut self) -> Result<u8, DecodeError> {
        let (first, rest) = self.0.split_first().ok_or(DecodeError::Short)?;
        self.0 = rest;
        Ok(*first)
    }

    fn chunk<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (chunk, rest) = self.0.split_first_chunk().ok_or(DecodeError::Short)?;
        self.0 = rest;
        Ok(*chunk)
    }

    fn bytes(&mut self, length: u64) -> Result<&'a [u8], DecodeError> {
        let length = usize::try_from(length).map_err(|_| DecodeError::Short)?;
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(DecodeError::Short)?;
        self.0 = rest;
        Ok(bytes)
    }

    #[inline]
    fn number(&mut self) -> Result<u64, DecodeError> {
        // Most take one byte.
        if let Some((first @ 0..0x80, rest)) = self.0.split_first() {
            self.0 = rest;
            return Ok(u64::from(*first));
        }
        self.long_number()
    }

    fn long_number(&mut self) -> Result<u64, DecodeError> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(DecodeError::Number);
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(DecodeError::Number)
    }
}

#[cfg(test)]
mod tests;

//! A part of an export: how far it is whole, so that the rest can be asked for.

use serde_json::Value;
use std::ops::Range;

/// Goes through an export as it arrives, or lies there, and knows where its last whole record is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scan {
    csv: bool,
    quoted: bool,
    lines: u64,
    seen: u64,
    /// The last whole line.
    last: Range<u64>,
}

impl Scan {
    /// At the beginning. `csv` has a line of names, and cells that may hold the end of a line.
    pub fn new(csv: bool) -> Self {
        Self { csv, ..Self::default() }
    }

    /// Sees the next bytes.
    pub fn see(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.seen += 1;
            match byte {
                b'"' if self.csv => self.quoted = !self.quoted,
                b'\n' if !self.quoted => {
                    self.last = self.whole()..self.seen;
                    self.lines += 1;
                }
                _ => {}
            }
        }
    }

    /// Records that are whole.
    pub fn records(&self) -> u64 {
        self.lines.saturating_sub(u64::from(self.csv))
    }

    /// Bytes up to the end of the last whole line.
    pub fn whole(&self) -> u64 {
        self.last.end
    }

    /// Where the last whole record lies; none, if not even one is whole.
    pub fn last(&self) -> Option<Range<u64>> {
        Some(self.last.clone()).filter(|_| self.records() > 0)
    }

    /// Forgets what came after the last whole line.
    pub fn cut(&mut self) {
        (self.seen, self.quoted) = (self.whole(), false);
    }
}

/// The id of a record, by its line.
pub fn id_of(line: &[u8], csv: bool) -> Option<String> {
    if csv { first_cell(line) } else { field(line) }
}

/// Ids stand first, and need no quotes.
fn first_cell(line: &[u8]) -> Option<String> {
    let cell = line.split(|byte| *byte == b',').next()?;
    std::str::from_utf8(cell).ok().filter(|id| id.starts_with("rec_")).map(str::to_owned)
}

fn field(line: &[u8]) -> Option<String> {
    let value: Value = serde_json::from_slice(line).ok()?;
    let id = value.get("id").or_else(|| value.pointer("/metadata/uid"))?;
    id.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// How many records are whole, the id of the last one, and what follows.
    fn look(text: &[u8], csv: bool) -> (u64, Option<String>, &[u8]) {
        let mut scan = Scan::new(csv);
        for byte in text {
            scan.see(&[*byte]);
        }
        let place = |at: u64| usize::try_from(at).unwrap();
        let last = scan.last().and_then(|last| id_of(&text[place(last.start)..place(last.end)], csv));
        (scan.records(), last, &text[place(scan.whole())..])
    }

    #[test]
    fn the_last_whole_record_is_found_in_lines() {
        let text = b"{\"id\":\"rec_1\"}\n{\"metadata\":{\"uid\":\"rec_2\"}}\n{\"id\":\"rec_3\"";
        assert_eq!(look(text, false), (2, Some("rec_2".to_owned()), &b"{\"id\":\"rec_3\""[..]));
    }

    #[test]
    fn a_cell_with_lines_of_its_own_is_no_record() {
        let text = b"id,agent\r\nrec_1,\"a\r\nrec_9,b\"\r\nrec_2,\"\"\"\r\nrec_8\"\r\nrec_3,\"cut\r\n";
        assert_eq!(look(text, true), (2, Some("rec_2".to_owned()), &b"rec_3,\"cut\r\n"[..]));
    }

    #[test]
    fn without_a_whole_record_there_is_no_last_one() {
        for (text, csv) in [(&b""[..], false), (b"id,agent\r\n", true), (b"{\"id\":", false)] {
            assert_eq!(look(text, csv).1, None);
        }
        assert_eq!(id_of(b"not json\n", false), None);
        assert_eq!(id_of(b"=rec_1,x\n", true), None);
    }

    #[test]
    fn after_a_cut_the_count_goes_on() {
        let mut scan = Scan::new(true);
        scan.see(b"id,agent\r\nrec_1,a\r\nrec_2,\"half");
        scan.cut();
        scan.see(b"rec_2,\"half\r\nwhole\"\r\n");
        assert_eq!((scan.records(), scan.last()), (2, Some(19..40)));
    }

    proptest! {
        #[test]
        fn hostile_files_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), csv: bool) {
            let mut scan = Scan::new(csv);
            scan.see(&bytes);
            prop_assert!(scan.whole() <= bytes.len() as u64);
            let _ = id_of(&bytes, csv);
        }
    }
}

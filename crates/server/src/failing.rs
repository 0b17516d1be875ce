//! Something that fails for a while: since when, said in the log at most once a minute however often it is noticed, and
//! over when it goes well again.

use parking_lot::Mutex;
use std::error::Error;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;
use tegata_core::time::Timestamp;

/// How often it is said that something still fails.
const SAY_EVERY: Duration = Duration::from_mins(1);

/// Whether something fails at this moment.
#[derive(Debug, Default)]
pub struct Failing(Mutex<Option<Since>>);

#[derive(Debug, Clone, Copy)]
struct Since {
    first: Timestamp,
    said: Timestamp,
    word: &'static str,
}

impl Failing {
    /// It failed. Whether this is to be said: the first time, and then once a minute.
    pub fn note(&self, now: Timestamp, error: &(dyn Error + 'static)) -> bool {
        let mut since = self.0.lock();
        let word = word_of(error);
        let known = since.get_or_insert(Since { first: now, said: Timestamp::EPOCH, word });
        known.word = word;
        let is_due = known.said.plus(SAY_EVERY) <= now;
        if is_due {
            known.said = now;
        }
        is_due
    }

    /// It went well. Since when it had failed, if it had.
    pub fn over(&self) -> Option<Timestamp> {
        self.0.lock().take().map(|since| since.first)
    }

    /// Since when it fails and with what in a word; none while it does not.
    pub fn since(&self) -> Option<(Timestamp, &'static str)> {
        self.0.lock().map(|since| (since.first, since.word))
    }
}

/// An error with everything that it comes from, for the log.
pub fn reasons(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let reason = source.to_string();
        if !text.ends_with(&reason) {
            text.push_str(": ");
            text.push_str(&reason);
        }
        next = source.source();
    }
    text
}

/// What an error comes from, in a word that says nothing of paths or places.
pub fn word_of(error: &(dyn Error + 'static)) -> &'static str {
    match kind_of(error) {
        Some(ErrorKind::StorageFull) => "storage_full",
        Some(ErrorKind::QuotaExceeded) => "quota_exceeded",
        Some(ErrorKind::FileTooLarge) => "file_too_large",
        Some(ErrorKind::ReadOnlyFilesystem) => "read_only",
        Some(ErrorKind::PermissionDenied) => "permission_denied",
        Some(ErrorKind::NotFound) => "not_found",
        Some(
            ErrorKind::ConnectionRefused
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable,
        ) => "unreachable",
        Some(ErrorKind::TimedOut) => "timed_out",
        _ => "input_output",
    }
}

/// The first kind that says something, of an error and what it comes from.
fn kind_of(error: &(dyn Error + 'static)) -> Option<ErrorKind> {
    let mut next = Some(error);
    while let Some(error) = next {
        next = error.source();
        // One that is shared is an error of its own kind.
        let shared = error.downcast_ref::<Arc<io::Error>>().map(|error| &**error);
        if let Some(error) = shared.or_else(|| error.downcast_ref::<io::Error>()) {
            if error.kind() != ErrorKind::Other {
                return Some(error.kind());
            }
            // The source of such an error is that of the one within it, and passes that over.
            next = error.get_ref().map(|within| within as &(dyn Error + 'static));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use tegata_record::AppendError;

    #[test]
    fn it_is_said_once_a_minute() {
        let failing = Failing::default();
        let at = |seconds: i64| Timestamp::from_micros(1_700_000_000_000_000 + seconds * 1_000_000);
        let note = |seconds| failing.note(at(seconds), &io::Error::from(ErrorKind::StorageFull));
        assert!(note(0) && !note(1) && !note(59));
        assert!(note(60) && !note(61));
        assert_eq!(failing.since(), Some((at(0), "storage_full")));
        assert_eq!((failing.over(), failing.since()), (Some(at(0)), None));
        assert!(note(62) && failing.over().is_some());
    }

    #[test]
    fn the_word_is_that_of_the_innermost_that_knows() {
        let full = io::Error::from(ErrorKind::StorageFull);
        assert_eq!(word_of(&full), "storage_full");
        let shared = AppendError::Flush { source: Arc::new(ErrorKind::ReadOnlyFilesystem.into()) };
        assert_eq!(word_of(&shared), "read_only");
        assert_eq!(word_of(&io::Error::other(io::Error::other(full))), "storage_full");
        assert_eq!(word_of(&io::Error::other("broken")), "input_output");
        assert_eq!(reasons(&io::Error::other("broken")), "broken");
    }
}

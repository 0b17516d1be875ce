//! What the server has acknowledged, and what nobody knows: the book that is compared with it after each death.

use serde_json::Value;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A token in play.
#[derive(Debug, Clone)]
pub struct Token {
    pub id: String,
    pub secret: String,
}

/// What was acknowledged since the last death.
#[derive(Debug, Default)]
pub struct Told {
    /// Paths of things that were made.
    pub made: Vec<String>,
    /// Records of checks that were answered, oldest first.
    pub records: Vec<String>,
}

/// How much was looked at.
#[derive(Debug, Default)]
pub struct Counts {
    pub made: usize,
    pub revoked: usize,
    pub records: usize,
    pub repeated: usize,
    pub torn: usize,
    pub junk: usize,
    /// How often the log was held against what is signed about it.
    pub proven: usize,
    /// In how many lives past days went.
    pub days_gone: usize,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { made, revoked, records, repeated, torn, junk, proven, days_gone } = self;
        write!(f, "{made} creates, {revoked} revocations and {records} records are there")?;
        write!(f, ", {junk} junk checks counted")?;
        write!(f, ", {repeated} unanswered calls repeated, {torn} torn tails, {proven} times the log was as signed")?;
        write!(f, ", past days went {days_gone} times")
    }
}

#[derive(Debug, Default)]
struct Book {
    live: Vec<Token>,
    revoked: Vec<Token>,
    uncertain: Vec<Token>,
    interrupted: Vec<(String, Value, String)>,
    told: Told,
    flood: Flood,
}

/// Junk: what the log counted before this life, what was sent since, and what was answered.
#[derive(Debug, Default, Clone, Copy)]
struct Flood {
    before: u64,
    sent: u64,
    answered: u64,
}

/// The book.
#[derive(Debug, Default)]
pub struct Ledger {
    book: Mutex<Book>,
    numbers: AtomicUsize,
}

impl Ledger {
    fn book(&self) -> std::sync::MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub fn number(&self) -> usize {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    pub fn live(&self) -> usize {
        self.book().live.len()
    }

    /// Something was made; with a secret it is a token to play with.
    pub fn made(&self, path: &str, made: &Value) {
        let id = made["id"].as_str().expect("what was made has an id").to_owned();
        let mut book = self.book();
        book.told.made.push(format!("{path}/{id}"));
        if let Some(secret) = made["token"].as_str() {
            book.live.push(Token { id, secret: secret.to_owned() });
        }
    }

    pub fn interrupted(&self, path: String, body: Value, key: String) {
        self.book().interrupted.push((path, body, key));
    }

    pub fn take_interrupted(&self) -> Vec<(String, Value, String)> {
        std::mem::take(&mut self.book().interrupted)
    }

    /// A live token to revoke, where there are more than so many; it is nobody's until its fate is told.
    pub fn take_live_if(&self, more_than: usize) -> Option<Token> {
        let mut book = self.book();
        (book.live.len() > more_than).then(|| book.live.remove(0))
    }

    pub fn revoked(&self, token: Token) {
        self.book().revoked.push(token);
    }

    pub fn alive(&self, token: Token) {
        self.book().live.push(token);
    }

    pub fn uncertain(&self, token: Token) {
        self.book().uncertain.push(token);
    }

    pub fn take_uncertain(&self) -> Vec<Token> {
        std::mem::take(&mut self.book().uncertain)
    }

    pub fn all_revoked(&self) -> Vec<String> {
        self.book().revoked.iter().map(|token| token.secret.clone()).collect()
    }

    /// A token to show, and whether its revocation has been acknowledged.
    pub fn any(&self, place: usize) -> Option<(String, bool)> {
        let book = self.book();
        // Of the stopped, the last few are the interesting ones.
        let late = book.revoked.len().saturating_sub(20);
        let stopped = book.revoked[late..].iter().map(|token| (token, true));
        let all: Vec<_> = book.live.iter().map(|token| (token, false)).chain(stopped).collect();
        (!all.is_empty()).then(|| {
            let (token, revoked) = all[place % all.len()];
            (token.secret.clone(), revoked)
        })
    }

    pub fn checked(&self, record: &str) {
        self.book().told.records.push(record.to_owned());
    }

    /// Junk was sent, or answered.
    pub fn flood(&self, checks: usize, answered: bool) {
        let flood = &mut self.book().flood;
        *(if answered { &mut flood.answered } else { &mut flood.sent }) += checks as u64;
    }

    /// What the log counted before, what was sent since, and what was answered. Begins anew with what it counts now.
    pub fn flooded(&self, counted: u64) -> (u64, u64, u64) {
        let Flood { before, sent, answered } =
            std::mem::replace(&mut self.book().flood, Flood { before: counted, ..Flood::default() });
        (before, sent, answered)
    }

    pub fn take_told(&self) -> Told {
        std::mem::take(&mut self.book().told)
    }
}

//! Broken rules of several fields, collected, so that a person sees all of them at once.

use std::fmt::Display;
use tegata_core::problem::{Code, FieldError, Problem};

/// Most broken rules that are told.
const TOLD_MAX: usize = 100;

/// The broken rules so far.
#[derive(Debug, Default)]
pub struct Broken(Vec<FieldError>);

impl Broken {
    /// Notes a broken rule.
    pub fn note(&mut self, field: impl Into<String>, message: impl Display) {
        if self.0.len() < TOLD_MAX {
            self.0.push(FieldError { field: field.into(), message: message.to_string() });
        }
    }

    /// The value of a field, or a note and nothing.
    pub fn take<T, E: Display>(&mut self, field: impl Into<String>, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.note(field, error)).ok()
    }

    /// Whether no rule is broken so far.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same as [`Self::told`], where the caller's body has another name for a field than what read it.
    pub fn told_as(mut self, code: Code, field: &str, name: &str) -> Result<(), Problem> {
        for error in &mut self.0 {
            if let Some(rest) = error.field.strip_prefix(field) {
                error.field = format!("{name}{rest}");
            }
        }
        self.told(code)
    }

    /// All of it as one problem of this class; nothing if no rule is broken.
    pub fn told(self, code: Code) -> Result<(), Problem> {
        let Some(first) = self.0.first() else {
            return Ok(());
        };
        let detail = format!("{}: {}", first.field, first.message);
        Err(Problem { errors: self.0, ..Problem::new(code, detail) })
    }
}

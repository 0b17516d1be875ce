//! Why a command did not succeed, and how people and scripts are told.

use super::exit::Exit;
use super::render::plain;
use serde::Deserialize;
use serde_json::json;
use std::io;
use tegata_core::problem::Problem;

/// One broken rule of one field.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Field {
    /// The field.
    pub field: String,
    /// The rule.
    pub message: String,
}

/// Why a command did not succeed. It never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CliError {
    /// How the process ends.
    pub exit: Exit,
    /// The class, as problems name it.
    pub code: Box<str>,
    /// What happened.
    pub detail: String,
    /// The fields at fault.
    pub fields: Vec<Field>,
    /// What to do next.
    pub hint: Option<Box<str>>,
    /// Under which id the server's log knows the request.
    pub request_id: Option<Box<str>>,
    /// Nothing is to be said: whoever reads the output has left, or it was all said.
    pub silent: bool,
}

/// A problem as it came over the wire.
#[derive(Deserialize)]
struct Wire {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    detail: String,
    #[serde(default)]
    errors: Vec<Field>,
}

impl CliError {
    /// An error of this class.
    pub fn new(exit: Exit, code: &str, detail: impl Into<String>) -> Self {
        Self {
            exit,
            code: code.into(),
            detail: detail.into(),
            fields: Vec::new(),
            hint: None,
            request_id: None,
            silent: false,
        }
    }

    /// The command line says too little, or something that cannot be.
    pub fn usage(detail: impl Into<String>) -> Self {
        Self::new(Exit::Usage, "usage", detail)
    }

    /// Something went wrong here.
    pub fn failed(detail: impl Into<String>) -> Self {
        Self::new(Exit::Failed, "failed", detail)
    }

    /// The end of a command that has said everything already.
    pub fn silently(exit: Exit) -> Self {
        Self { silent: true, ..Self::new(exit, "", "") }
    }

    /// A file or directory cannot be used.
    pub fn file(path: &std::path::Path, error: &io::Error) -> Self {
        Self::failed(format!("{}: {error}", path.display()))
    }

    /// The output cannot be written. A reader that has left, such as `head`, wants no more and no complaint.
    #[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
    pub fn output(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::silently(Exit::Done)
        } else {
            Self::failed(format!("the output cannot be written: {error}"))
        }
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Box<str>>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// An answer of the server that is not one of success.
    pub fn of_answer(status: u16, body: &[u8]) -> Self {
        let exit = Exit::of_status(status);
        match serde_json::from_slice::<Wire>(body) {
            Ok(wire) if !wire.kind.is_empty() => {
                let code = wire.kind.rsplit(['/', '#']).next().unwrap_or_default();
                let detail = if wire.detail.is_empty() { wire.title } else { wire.detail };
                Self { fields: wire.errors, ..Self::new(exit, code, detail) }
            }
            // A proxy, or no Tegata at all.
            _ => Self::new(exit, "unexpected_answer", format!("the server answered {status} without saying why"))
                .hint("look whether the URL is that of a Tegata server"),
        }
    }

    /// What is written on the standard error stream, line by line.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("error: {}", plain(&self.detail))];
        for field in &self.fields {
            let line = format!("{}: {}", field.field, field.message);
            // With a single field the detail says the same.
            if line != self.detail && field.message != self.detail {
                lines.push(format!("  {}", plain(&line)));
            }
        }
        if let Some(hint) = &self.hint {
            lines.push(format!("hint: {hint}"));
        }
        if let Some(id) = &self.request_id {
            lines.push(format!("request id: {}", plain(id)));
        }
        lines
    }

    /// The same for scripts.
    pub fn json(&self) -> serde_json::Value {
        let errors: Vec<_> =
            self.fields.iter().map(|field| json!({"field": field.field, "message": field.message})).collect();
        let mut value =
            json!({"error": self.code, "detail": self.detail, "errors": errors, "exit_code": self.exit.code()});
        if let Some(id) = &self.request_id {
            value["request_id"] = json!(id);
        }
        value
    }
}

impl From<Problem> for CliError {
    fn from(problem: Problem) -> Self {
        let fields = problem.errors.into_iter().map(|error| Field { field: error.field, message: error.message });
        let exit = Exit::of_status(problem.code.status());
        Self { fields: fields.collect(), ..Self::new(exit, problem.code.as_str(), problem.detail) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_name_their_fields_once() {
        let one = br#"{"type":"/problems/invalid","title":"t","status":422,"detail":"name: too long",
            "errors":[{"field":"name","message":"too long"}]}"#;
        assert_eq!(CliError::of_answer(422, one).lines(), ["error: name: too long"]);
        let two = br#"{"type":"/problems/invalid","title":"t","status":422,"detail":"two fields are wrong",
            "errors":[{"field":"name","message":"too long"},{"field":"key","message":"missing"}]}"#;
        let error = CliError::of_answer(422, two);
        assert_eq!(error.lines(), ["error: two fields are wrong", "  name: too long", "  key: missing"]);
        assert_eq!((error.exit, &*error.code), (Exit::Failed, "invalid"));
        assert_eq!(error.json()["errors"][1]["field"], "key");
    }

    #[test]
    fn what_is_no_problem_document_is_told_as_such() {
        let error = CliError::of_answer(502, b"<html>bad gateway</html>");
        assert_eq!(error.exit, Exit::Unavailable);
        assert!(error.hint.is_some() && !error.detail.contains("html"));
    }

    #[test]
    fn a_reader_that_left_is_no_error() {
        let error = CliError::output(io::ErrorKind::BrokenPipe.into());
        assert_eq!((error.exit, error.silent), (Exit::Done, true));
    }
}

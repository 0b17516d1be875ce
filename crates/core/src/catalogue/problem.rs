//! What can be wrong with a catalogue document. All of it is collected, so that an author sees every mistake at once;
//! each problem says where it is and how to get out of it.

use crate::catalogue::template::TemplateFault;
use crate::name::NameError;
use serde::Serialize;
use serde::ser::SerializeMap;
use std::fmt;

/// Most problems that are kept; the rest is counted.
pub const PROBLEMS_MAX: usize = 200;

/// Line and column, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Position {
    /// The line.
    pub line: u64,
    /// The column, in characters.
    pub column: u64,
}

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where in the document: `endpoints[3].path`; empty for the document as a whole.
    pub at: String,
    /// Where in the text, if the text could not be read.
    pub position: Option<Position>,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The text is longer than anything that is read.
    #[error(
        "the document has {bytes} bytes and at most {max} are read: leave out descriptions, or make two APIs of it"
    )]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// The text is not YAML or JSON, or a value has the wrong type.
    #[error("{message}")]
    Unreadable {
        /// What the reader said.
        message: String,
    },
    /// A list is too long.
    #[error("there are {count} {what} and at most {max} are allowed: leave some out, or make two APIs of it")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many.
        count: usize,
        /// The limit.
        max: usize,
    },
    /// A name or text breaks its rule.
    #[error("{0}: write it so")]
    BadName(#[from] NameError),
    /// A permission's name could be read as a scope in a context.
    #[error("'{name}' begins with the context type '{kind}' and ':': rename the permission or the type")]
    LooksLikeScope {
        /// The permission.
        name: String,
        /// The type.
        kind: String,
    },
    /// The same thing twice.
    #[error("the {what} '{name}' is already at {first}: keep one of them")]
    Duplicate {
        /// What it is.
        what: &'static str,
        /// Its name.
        name: String,
        /// Where it was first.
        first: String,
    },
    /// A name that nothing declares.
    #[error("no {what} '{name}' is declared: add it, or correct the name")]
    Unknown {
        /// What was looked for.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// Something comes round to itself.
    #[error("{what} go round in a circle ({}): take one of the steps out", circle.join(" → "))]
    Cycle {
        /// What goes round.
        what: &'static str,
        /// The way round.
        circle: Vec<String>,
    },
    /// An implied permission that could not be granted where the implying one is.
    #[error(
        "'{implied}' may not be granted in '{kind}', where this permission may: add the context type there, or do not imply it"
    )]
    ImpliesElsewhere {
        /// What is implied.
        implied: String,
        /// The context type.
        kind: String,
    },
    /// A permission that implies more than it says.
    #[error("'{implied}' has a higher level than this permission: raise this one's level, or do not imply it")]
    ImpliesHigher {
        /// What is implied.
        implied: String,
    },
    /// A permission that may be granted nowhere.
    #[error("it may be granted nowhere: name at least one context type, or 'global'")]
    GrantedNowhere,
    /// An endpoint needs a permission in a place where nobody can have it.
    #[error(
        "'{permission}' cannot be granted in '{kind}' or above it: allow it there in its 'contexts', or name another context"
    )]
    NotGrantable {
        /// The permission.
        permission: String,
        /// The context type.
        kind: String,
    },
    /// A method that is no method.
    #[error("a method has 1 to 20 capital letters and '-': write GET, POST, PUT, PATCH, DELETE …")]
    BadMethod,
    /// A path, or a template in it, breaks a rule.
    #[error("{0}")]
    BadTemplate(#[from] TemplateFault),
    /// Two endpoints that no call can tell apart.
    #[error("the same method and shape is already at endpoints[{first}]: join the two, or change one path")]
    SameShape {
        /// The earlier one.
        first: usize,
    },
    /// Two rules for one endpoint.
    #[error("write one of 'permission', 'all_of', 'any_of' and 'access', not several")]
    TwoRules,
    /// An alternative that needs nothing, which would let everybody in.
    #[error(
        "an alternative without permissions would let everybody in: name one, or write 'access: authenticated_only'"
    )]
    EmptyAlternative,
    /// The numbers handed in do not fit together.
    #[error(
        "the stored number {number} of '{name}' is taken twice or out of range: the store is damaged, restore a backup"
    )]
    BadNumber {
        /// The permission.
        name: String,
        /// The number.
        number: u16,
    },
    /// No number is left for a new permission.
    #[error("all permission numbers of this API were used up by earlier versions: make a new API of it")]
    NoNumberLeft,
    /// An OpenAPI document that cannot be taken over.
    #[error("{message}")]
    OpenApi {
        /// Why, and what to do.
        message: String,
    },
}

impl Fault {
    /// A stable word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "too_large",
            Self::Unreadable { .. } => "unreadable",
            Self::TooMany { .. } => "too_many",
            Self::BadName(_) | Self::LooksLikeScope { .. } => "bad_name",
            Self::Duplicate { .. } => "duplicate",
            Self::Unknown { .. } => "unknown",
            Self::Cycle { .. } => "cycle",
            Self::ImpliesElsewhere { .. } | Self::ImpliesHigher { .. } => "bad_implies",
            Self::GrantedNowhere | Self::NotGrantable { .. } => "not_grantable",
            Self::BadMethod => "bad_method",
            Self::BadTemplate(_) => "bad_template",
            Self::SameShape { .. } => "same_shape",
            Self::TwoRules => "two_rules",
            Self::EmptyAlternative => "empty_alternative",
            Self::BadNumber { .. } | Self::NoNumberLeft => "bad_number",
            Self::OpenApi { .. } => "open_api",
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(position) = self.position {
            write!(f, "line {}, column {}: ", position.line, position.column)?;
        }
        if !self.at.is_empty() {
            write!(f, "{}: ", self.at)?;
        }
        fmt::Display::fmt(&self.fault, f)
    }
}

impl Serialize for Problem {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("at", &self.at)?;
        if let Some(position) = self.position {
            map.serialize_entry("line", &position.line)?;
            map.serialize_entry("column", &position.column)?;
        }
        map.serialize_entry("code", self.fault.code())?;
        map.serialize_entry("detail", &self.fault.to_string())?;
        map.end()
    }
}

/// Everything that is wrong with a document: at least one problem.
#[derive(Debug, Clone, PartialEq, Eq, Default, thiserror::Error)]
pub struct Problems {
    list: Vec<Problem>,
    more: usize,
}

impl Problems {
    /// One problem alone.
    pub fn one(at: impl Into<String>, position: Option<Position>, fault: Fault) -> Self {
        Self { list: vec![Problem { at: at.into(), position, fault }], more: 0 }
    }

    /// The problems, in the order of the document; at most [`PROBLEMS_MAX`].
    pub fn list(&self) -> &[Problem] {
        &self.list
    }

    /// How many more there were.
    pub const fn more(&self) -> usize {
        self.more
    }

    /// Adds a problem.
    pub(crate) fn push(&mut self, at: impl FnOnce() -> String, fault: impl Into<Fault>) {
        if self.list.len() < PROBLEMS_MAX {
            self.list.push(Problem { at: at(), position: None, fault: fault.into() });
        } else {
            self.more += 1;
        }
    }

    /// Adds a problem if a check failed.
    pub(crate) fn note<F: Into<Fault>>(&mut self, at: impl FnOnce() -> String, result: Result<(), F>) {
        if let Err(fault) = result {
            self.push(at, fault);
        }
    }

    /// The value if nothing is wrong, or else the problems.
    pub(crate) fn or<T>(self, value: T) -> Result<T, Self> {
        if self.list.is_empty() { Ok(value) } else { Err(self) }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, problem) in self.list.iter().enumerate() {
            if place > 0 {
                f.write_str("\n")?;
            }
            fmt::Display::fmt(problem, f)?;
        }
        if self.more > 0 {
            write!(f, "\nand {} more", self.more)?;
        }
        Ok(())
    }
}

impl Serialize for Problems {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.list.serialize(serializer)
    }
}

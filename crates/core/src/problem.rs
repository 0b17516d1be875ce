//! Everything that can be said to a caller whose call did not succeed: one table of RFC 9457 problem types with a
//! stable code, a status and a title. Doors translate it; nothing else invents an error text.

use serde::Serialize;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = ($code:literal, $status:literal, $title:literal);)+) => {
        /// What went wrong, as a class.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* $variant),+ }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stable word; the problem's `type` is `/problems/` and this word.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }

            /// The HTTP status (RFC 9110 §15).
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status),+ }
            }

            /// The title, the same for every problem of the class.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),+ }
            }
        }
    };
}

codes! {
    /// A body that is not JSON, or JSON of the wrong shape.
    MalformedBody = ("malformed_body", 400, "The body could not be read");
    /// A query parameter that cannot be read.
    InvalidParameter = ("invalid_parameter", 400, "A parameter is not valid");
    /// A cursor that this server did not make.
    MalformedCursor = ("malformed_cursor", 400, "The cursor is not one of this server's");
    /// No credential, or one that does not count.
    Unauthenticated = ("unauthenticated", 401, "A valid credential is needed");
    /// E-mail address and password do not fit.
    WrongCredentials = ("wrong_credentials", 401, "The name or the secret is wrong");
    /// The caller may see the thing and may not do this.
    Forbidden = ("forbidden", 403, "This is not allowed");
    /// Passing on what one does not have.
    BeyondOwnRights = ("beyond_own_rights", 403, "Nobody passes on what they do not have");
    /// There is no such thing, or the caller may not know of it.
    NotFound = ("not_found", 404, "There is no such thing here");
    /// The method does not exist for this path.
    MethodNotAllowed = ("method_not_allowed", 405, "This path has no such method");
    /// A key or name that is taken.
    Duplicate = ("duplicate", 409, "It exists already");
    /// The state of the thing does not allow the step.
    Conflict = ("conflict", 409, "Its state does not allow this");
    /// What was denied cannot be asked for (AuthZEN access requests; the type is known to others, too).
    DenialNotRequestable = ("not_requestable", 400, "What was denied cannot be asked for");
    /// The denial is too old (AuthZEN access requests).
    DenialExpired = ("expired_denial", 410, "The denial is too old");
    /// The request is not about the denial that it shows (AuthZEN access requests).
    DenialMismatch = ("invalid_denial_binding", 400, "The request does not belong to the denial");
    /// The same idempotency key with another request (AuthZEN access requests).
    DuplicateRequest = ("duplicate_request", 409, "The idempotency key was used for another request");
    /// There is no such task, or the caller may not know of it (AuthZEN access requests).
    TaskUnknown = ("unknown_task", 404, "There is no such task here");
    /// The task is no longer shown (AuthZEN access requests).
    TaskExpired = ("task_expired", 410, "The task is no longer shown");
    /// The task is over (AuthZEN access requests).
    TaskOver = ("invalid_task_state", 409, "The state of the task does not allow this");
    /// Something else still needs it.
    InUse = ("in_use", 409, "It is still in use");
    /// The thing is no longer as the caller last saw it (`If-Match`).
    PreconditionFailed = ("precondition_failed", 412, "It was changed meanwhile");
    /// The same idempotency key with another request.
    IdempotencyMismatch = ("idempotency_mismatch", 422, "The idempotency key was used for another request");
    /// More bytes than are read.
    BodyTooLarge = ("body_too_large", 413, "The body is too large");
    /// Not JSON.
    UnsupportedMediaType = ("unsupported_media_type", 415, "The body has to be JSON");
    /// A field breaks a rule.
    Invalid = ("invalid", 422, "A field is not valid");
    /// A catalogue with mistakes.
    InvalidCatalogue = ("invalid_catalogue", 422, "The catalogue is not valid");
    /// Too many tries.
    TooManyRequests = ("too_many_requests", 429, "Too many requests");
    /// A limit on calls is used up.
    QuotaExceeded = ("quota_exceeded", 429, "A limit on calls is used up");
    /// A mistake of the server.
    Internal = ("internal", 500, "Something went wrong on the server");
    /// The server cannot answer now.
    Unavailable = ("unavailable", 503, "The server cannot answer now");
}

/// One broken rule of one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// The field, as a path: `grants[0].scopes[2]`.
    pub field: String,
    /// The rule and a way out.
    pub message: String,
}

/// A problem, ready to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The class.
    pub code: Code,
    /// What happened here, and what to do.
    pub detail: String,
    /// The fields at fault.
    pub errors: Vec<FieldError>,
    /// Seconds after which a new try makes sense.
    pub retry_after_seconds: Option<u64>,
    /// The names of the limits that are used up, where that is what happened.
    pub violated_policies: Vec<String>,
    /// Headers that go with it.
    pub headers: Vec<(&'static str, String)>,
}

impl Problem {
    /// A problem with its explanation.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after_seconds: None,
            violated_policies: Vec::new(),
            headers: Vec::new(),
        }
    }

    /// One field breaks a rule.
    #[expect(clippy::needless_pass_by_value, reason = "errors and texts are handed over as they come")]
    pub fn field(field: impl Into<String>, message: impl ToString) -> Self {
        let (field, message) = (field.into(), message.to_string());
        Self::new(Code::Invalid, format!("{field}: {message}")).with(field, message)
    }

    /// Adds a field at fault.
    #[must_use]
    pub fn with(mut self, field: impl Into<String>, message: impl Into<String>) -> Self {
        self.errors.push(FieldError { field: field.into(), message: message.into() });
        self
    }

    /// Something is not there, or not for this caller to know.
    pub fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, format!("there is no such {what} here"))
    }

    /// A mistake of the server; the cause goes to the log, never to the caller.
    pub fn internal() -> Self {
        Self::new(Code::Internal, "the mistake was logged under this request's id")
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.detail)
    }
}

impl std::error::Error for Problem {}

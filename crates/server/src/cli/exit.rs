//! How a process ends: the table of exit codes, for scripts and for `tegata --help`.

use std::process::ExitCode;

macro_rules! exits {
    ($($(#[$doc:meta])* $variant:ident = ($code:literal, $meaning:literal);)+) => {
        /// How a process ends.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Exit { $($(#[$doc])* $variant),+ }

        impl Exit {
            /// Every way to end, by number.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The number that the shell sees.
            pub const fn code(self) -> u8 {
                match self { $(Self::$variant => $code),+ }
            }

            /// What the number means.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning),+ }
            }
        }
    };
}

exits! {
    /// It is done.
    Done = (0, "done");
    /// It was refused, or went wrong.
    Failed = (1, "refused, or it went wrong");
    /// The command line itself is wrong.
    Usage = (2, "the command line cannot be read, or something is missing from it");
    /// There is no such thing.
    NotFound = (3, "there is no such thing, or you may not know of it");
    /// No right to it.
    NotAllowed = (4, "not signed in, or not allowed");
    /// The server does not answer.
    Unavailable = (5, "the server cannot be reached, or cannot answer now");
    /// The state does not fit.
    Conflict = (6, "it exists already, or its state does not allow the step");
    /// A check ended with no.
    Denied = (7, "`tegata verify`: the check said no; `request wait`: not all of it was granted");
    /// The access log, or a proof, is not what was signed.
    Altered = (8, "`tegata record verify`, `verify-proof`: not as it was signed; what and where was said");
    /// Nobody decided it yet.
    Waiting = (9, "`tegata request wait`: nobody decided it in that time; it waits still");
}

impl Exit {
    /// The end that belongs to an HTTP status.
    pub const fn of_status(status: u16) -> Self {
        match status {
            200..=299 => Self::Done,
            401 | 403 => Self::NotAllowed,
            404 => Self::NotFound,
            409 => Self::Conflict,
            429 | 500..=599 => Self::Unavailable,
            _ => Self::Failed,
        }
    }

    /// The table, for help.
    pub fn help() -> String {
        let rows: Vec<String> = Self::ALL.iter().map(|exit| format!("  {}  {}", exit.code(), exit.meaning())).collect();
        format!("Exit codes:\n{}", rows.join("\n"))
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tegata_core::problem::Code;

    #[test]
    fn numbers_count_up_from_zero() {
        for (place, exit) in Exit::ALL.iter().enumerate() {
            assert_eq!(usize::from(exit.code()), place);
            assert!(Exit::help().contains(exit.meaning()));
        }
    }

    #[test]
    fn no_problem_ends_well() {
        for code in Code::ALL {
            assert!(
                !matches!(
                    Exit::of_status(code.status()),
                    Exit::Done | Exit::Usage | Exit::Denied | Exit::Altered | Exit::Waiting
                ),
                "{code:?}"
            );
        }
        assert_eq!(Exit::of_status(Code::Duplicate.status()), Exit::Conflict);
        assert_eq!(Exit::of_status(Code::BeyondOwnRights.status()), Exit::NotAllowed);
        assert_eq!(Exit::of_status(Code::Invalid.status()), Exit::Failed);
    }
}

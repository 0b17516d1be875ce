//! Makes the shipped catalogues in `catalogues/` from copies of published data in `catalogues/sources`. Where the data
//! leave something open it is decided the safe way, and a flag on the spot says so; `docs/catalogues.md` lists what
//! each flag means.
//!
//! One file per source. Each is a pure function from JSON text to a document; only this file touches the disk.

mod atlassian;
mod esa;
mod github;
mod octane;
mod shared;
mod space;

use std::path::{Path, PathBuf};
use tegata_core::catalogue::{Document, Problems, check, to_yaml};

/// Why a catalogue could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A file could not be read or written.
    #[error("{path}: {error}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// A source is not what it was.
    #[error("{source_file}: {error}")]
    Source {
        /// The file.
        source_file: &'static str,
        /// What the reader said.
        error: serde_json::Error,
    },
    /// A catalogue that was made is not valid: the source holds something that no rule covers.
    #[error("{catalogue} would not be valid:\n{problems}")]
    Invalid {
        /// The catalogue.
        catalogue: &'static str,
        /// What is wrong.
        problems: Problems,
    },
    /// Files that are there differ from what would be written.
    #[error("not current: {}; run `cargo run -p tegata-catalogues`", files.join(", "))]
    NotCurrent {
        /// The files.
        files: Vec<String>,
    },
}

/// One catalogue, as it is to be written.
#[derive(Debug)]
pub struct Made {
    /// The key of the API, and the name of the file.
    pub name: &'static str,
    /// The document.
    pub document: Document,
    /// The file's text.
    pub text: String,
}

/// Makes all catalogues from the sources in a repository.
pub fn make(repository: &Path) -> Result<Vec<Made>, Failure> {
    let sources = shared::Sources::new(repository);
    let documents = [
        ("atlassian", atlassian::make(&sources)?, atlassian::SOURCES),
        ("esa", esa::make(&sources)?, esa::SOURCES),
        ("github", github::make(&sources)?, github::SOURCES),
        ("octane", octane::make(&sources)?, octane::SOURCES),
        ("space", space::make(&sources)?, space::SOURCES),
    ];
    let documents = documents.into_iter();
    documents
        .map(|(name, document, sources)| {
            check::check(&document).map_err(|problems| Failure::Invalid { catalogue: name, problems })?;
            let head = format!(
                "# Made by `cargo run -p tegata-catalogues` from catalogues/sources/{{{}}}. Do not edit.\n",
                sources.join(",")
            );
            Ok(Made { name, text: head + &to_yaml(&document), document })
        })
        .collect()
}

/// Writes all catalogues.
pub fn write(repository: &Path) -> Result<Vec<Made>, Failure> {
    let made = make(repository)?;
    for catalogue in &made {
        let path = file(repository, catalogue.name);
        std::fs::write(&path, &catalogue.text).map_err(|error| Failure::File { path, error })?;
    }
    Ok(made)
}

/// Compares all catalogues with what is there.
pub fn check_current(repository: &Path) -> Result<Vec<Made>, Failure> {
    let made = make(repository)?;
    let is_current = |catalogue: &&Made| {
        std::fs::read_to_string(file(repository, catalogue.name)).is_ok_and(|text| text == catalogue.text)
    };
    let files: Vec<String> = made
        .iter()
        .filter(|catalogue| !is_current(catalogue))
        .map(|catalogue| format!("catalogues/{}.yaml", catalogue.name))
        .collect();
    if files.is_empty() { Ok(made) } else { Err(Failure::NotCurrent { files }) }
}

fn file(repository: &Path, name: &str) -> PathBuf {
    repository.join("catalogues").join(name).with_extension("yaml")
}

/// The repository this tool was built in.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

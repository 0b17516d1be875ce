//! `tegata-catalogues [--check] [REPOSITORY]`: writes the shipped catalogues, or says whether they are current.

use std::path::PathBuf;
use std::process::ExitCode;
use tegata_catalogues::{Made, check_current, repository, write};

fn main() -> ExitCode {
    let mut check = false;
    let mut place: Option<PathBuf> = None;
    for argument in std::env::args_os().skip(1) {
        if argument == "--check" {
            check = true;
        } else if place.is_none() && !argument.to_string_lossy().starts_with('-') {
            place = Some(argument.into());
        } else {
            eprintln!("usage: tegata-catalogues [--check] [REPOSITORY]");
            return ExitCode::from(2);
        }
    }
    let place = place.unwrap_or_else(repository);
    let done = if check { check_current(&place) } else { write(&place) };
    match done {
        Ok(made) => {
            made.iter().for_each(tell);
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn tell(made: &Made) {
    let document = &made.document;
    println!(
        "{:<10} {:>4} permissions {:>4} endpoints {:>3} roles {:>2} context types",
        made.name,
        document.permissions.len(),
        document.endpoints.len(),
        document.roles.len(),
        document.context_types.len()
    );
}

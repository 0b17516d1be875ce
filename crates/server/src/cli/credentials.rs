//! The file in which `tegata login` keeps sessions, one for each server. Only its owner may read it.

use super::error::CliError;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// What is known of the sign-in at one server.
#[derive(Debug, Clone, Deserialize)]
pub struct Known {
    /// The secret of the session.
    pub token: SecretString,
    /// Whose session it is.
    pub email: String,
    /// When it ends by itself.
    pub expires_at: String,
}

/// The sessions of this user of this machine.
#[derive(Debug, Default, Deserialize)]
pub struct Credentials {
    /// The server that was signed in to last.
    pub current: Option<String>,
    /// The sessions by the URL of their server.
    #[serde(default)]
    pub servers: BTreeMap<String, Known>,
}

impl Credentials {
    /// Where the file lies: `$XDG_CONFIG_HOME/tegata/credentials.toml`, or the same under `~/.config`.
    pub fn path() -> Result<PathBuf, CliError> {
        let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let base = absolute("XDG_CONFIG_HOME").or_else(|| absolute("HOME").map(|home| home.join(".config")));
        let base =
            base.ok_or_else(|| CliError::failed("neither XDG_CONFIG_HOME nor HOME says where settings are kept"))?;
        Ok(base.join("tegata").join("credentials.toml"))
    }

    /// Reads the file; none is as good as an empty one.
    pub fn read(path: &Path) -> Result<Self, CliError> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => Zeroizing::new(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(CliError::file(path, &error)),
        };
        let mode = std::fs::metadata(path).map_err(|error| CliError::file(path, &error))?.permissions().mode();
        if mode & 0o077 != 0 {
            let detail = format!("{} can be read by others, so it is not used", path.display());
            return Err(CliError::failed(detail).hint(format!("chmod 600 {}, and sign in anew", path.display())));
        }
        // The parser's message would quote the line, and with it the secret.
        toml::from_str(&text).map_err(|_| {
            CliError::failed(format!("{} cannot be read", path.display())).hint("remove it, and sign in anew")
        })
    }

    /// Writes the file as a whole, so that nobody finds half of it.
    pub fn write(&self, path: &Path) -> Result<(), CliError> {
        let failed = |error: io::Error| CliError::file(path, &error);
        let directory = path.parent().unwrap_or(Path::new("."));
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed)?;
        let beside = path.with_extension(format!("toml.{}", std::process::id()));
        let text = self.to_toml();
        let written = (|| {
            let mut file =
                std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
            file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&beside, path)
        })();
        written.map_err(|error| {
            let _ = std::fs::remove_file(&beside);
            failed(error)
        })
    }

    fn to_toml(&self) -> Zeroizing<String> {
        let quoted = |text: &str| toml::Value::from(text).to_string();
        let mut text = Zeroizing::new("# Sessions of `tegata login`. `tegata logout` ends them.\n".to_owned());
        if let Some(current) = &self.current {
            let _ = writeln!(text, "current = {}", quoted(current));
        }
        for (url, known) in &self.servers {
            let _ = write!(
                text,
                "\n[servers.{}]\ntoken = {}\nemail = {}\nexpires_at = {}\n",
                quoted(url),
                quoted(known.token.expose_secret()),
                quoted(&known.email),
                quoted(&known.expires_at)
            );
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one() -> Credentials {
        let url = "https://tegata.example".to_owned();
        let known = Known {
            token: "tegata_ses_x".into(),
            email: "aoi \"a\" @example.com".into(),
            expires_at: "2026-11-21T09:30:00Z".into(),
        };
        Credentials { current: Some(url.clone()), servers: [(url, known)].into() }
    }

    #[test]
    fn what_is_written_is_read_again_and_private() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tegata").join("credentials.toml");
        assert!(Credentials::read(&path).unwrap().servers.is_empty());
        one().write(&path).unwrap();
        one().write(&path).unwrap();
        let read = Credentials::read(&path).unwrap();
        assert_eq!(read.current.as_deref(), Some("https://tegata.example"));
        assert_eq!(read.servers["https://tegata.example"].token.expose_secret(), "tegata_ses_x");
        assert_eq!(read.servers["https://tegata.example"].email, "aoi \"a\" @example.com");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_others_may_read_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("credentials.toml");
        one().write(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(Credentials::read(&path).unwrap_err().lines().join("\n").contains("chmod 600"));
    }

    #[test]
    fn a_broken_file_is_refused_without_showing_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("credentials.toml");
        std::fs::write(&path, "token = \"tegata_ses_secret\" nonsense").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert!(!Credentials::read(&path).unwrap_err().lines().join("\n").contains("tegata_ses_secret"));
    }
}

//! What the commands that work on this machine need to know: from flags, the environment, and a file, in this order.

use super::error::CliError;
use super::moment::span;
use super::size::bytes;
use crate::send::{Destination, Scheme};
use crate::serve::Config;
use crate::verify::recording::RecordFailure;
use clap::builder::BoolishValueParser;
use clap::{Args, ValueEnum};
use ipnet::IpNet;
use serde::Deserialize;
use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;
use tegata_core::secret::Product;
use tegata_record::{Flush, Location, Writing};

/// Where everything is kept when nothing is said.
const DATA_DIR_DEFAULT: &str = "./tegata-data";
/// Where a server listens when nothing is said.
const LISTEN_DEFAULT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 7700);

/// Where GitHub tells with which keys it signs alerts of its secret scanning.
const GITHUB_KEYS: &str = "https://api.github.com/meta/public_keys/secret_scanning";

/// Most threads for requests; more than any machine has use for.
const WORKERS_MAX: u16 = 1_024;

/// Where an installation lies.
#[derive(Debug, Clone, Default, Args)]
pub struct Place {
    /// A TOML file with settings, named like the flags of `tegata serve` (`data_dir = "…"`); flags and variables win
    #[arg(long, value_name = "FILE", env = "TEGATA_CONFIG")]
    pub config: Option<PathBuf>,
    /// Where keys, access records and the SQLite database are kept [default: ./tegata-data]
    #[arg(long, value_name = "DIRECTORY", env = "TEGATA_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// A path for SQLite, or `postgres://…` [default: tegata.db in the data directory]. A password in it belongs into the
    /// environment or the settings file, where other processes do not see it
    #[arg(long, value_name = "DATABASE", env = "TEGATA_DATABASE", hide_env_values = true)]
    pub database: Option<String>,
    /// Where the columnar files of the access log lie: `s3://bucket/prefix` [default: a folder in the data directory].
    /// Region, endpoint and keys come from the usual variables (`AWS_REGION`, `AWS_ENDPOINT`, `AWS_ACCESS_KEY_ID` …)
    #[arg(long, value_name = "URL", env = "TEGATA_RECORD_BUCKET")]
    pub record_bucket: Option<String>,
}

/// How a server serves.
#[derive(Debug, Clone, Default, Args)]
pub struct Serving {
    /// Address and port to listen on [default: 127.0.0.1:7700]
    #[arg(long, value_name = "ADDRESS", env = "TEGATA_LISTEN")]
    pub listen: Option<SocketAddr>,
    /// A Unix socket to listen on as well, for its owner and group
    #[arg(long, value_name = "PATH", env = "TEGATA_UNIX_SOCKET")]
    pub unix_socket: Option<PathBuf>,
    /// Threads that answer requests [default: one for each processor]
    #[arg(long, value_name = "N", env = "TEGATA_WORKERS", value_parser = clap::value_parser!(u16).range(1..=i64::from(WORKERS_MAX)))]
    pub workers: Option<u16>,
    /// Where people reach the server, for links [default: the address it listens on]
    #[arg(long, value_name = "URL", env = "TEGATA_PUBLIC_URL")]
    pub public_url: Option<String>,
    /// The name that stands first in every secret [default: tegata]
    #[arg(long, value_name = "NAME", env = "TEGATA_TOKEN_PREFIX")]
    pub token_prefix: Option<String>,
    /// When access records reach the disk [default: interval]. The death of the process loses none in any case
    #[arg(long, value_enum, value_name = "WHEN", env = "TEGATA_RECORD_FLUSH")]
    pub record_flush: Option<RecordFlush>,
    /// How access records are handed to the system [default: mapped]
    #[arg(long, value_enum, value_name = "HOW", env = "TEGATA_RECORD_WRITING")]
    pub record_writing: Option<RecordWriting>,
    #[command(flatten)]
    pub failure: Failure,
    /// What tokens and their owners may take of memory: 512MiB, 4GiB [default: 768MiB]
    #[arg(long, value_name = "SIZE", env = "TEGATA_CACHE_BYTES", value_parser = bytes)]
    pub cache_bytes: Option<usize>,
    /// How many of the newest tokens are read into memory at start [default: 100000]
    #[arg(long, value_name = "N", env = "TEGATA_TOKENS_AT_START")]
    pub tokens_at_start: Option<usize>,
    /// For how many days access records are kept [default: 180]
    #[arg(long, value_name = "DAYS", env = "TEGATA_RECORD_DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub record_days: Option<u32>,
    /// After how long access records leave the journal for columnar files: 30s, 15m, 1h [default: 1h]
    #[arg(long, value_name = "SPAN", env = "TEGATA_RECORD_SETTLE_AFTER", value_parser = span)]
    pub record_settle_after: Option<Duration>,
    /// Unknown tokens that are looked up for one address a second [default: 20]; ten times as many at once
    #[arg(long, value_name = "N", env = "TEGATA_UNKNOWN_PER_SECOND")]
    pub unknown_per_second: Option<NonZeroU32>,
    /// Denials of unknown tokens that are recorded in full, of one verifier a second [default: 100]; others are counted
    #[arg(long, value_name = "N", env = "TEGATA_UNKNOWN_RECORDED_PER_SECOND")]
    pub unknown_recorded_per_second: Option<NonZeroU32>,
    #[command(flatten)]
    pub sending: Sending,
    /// Take alerts of GitHub's secret scanning at /v1/leaks/github, signed with keys from this list [default: none are taken;
    /// without a URL: <https://api.github.com/meta/public_keys/secret_scanning>]
    #[arg(long, value_name = "URL", env = "TEGATA_GITHUB_ALERTS", num_args = 0..=1, require_equals = true, default_missing_value = GITHUB_KEYS)]
    pub github_alerts: Option<String>,
    /// How log lines are written to the standard error stream [default: text]
    #[arg(long, value_enum, value_name = "FORMAT", env = "TEGATA_LOG_FORMAT")]
    pub log_format: Option<LogFormat>,
    /// What is logged: error, warn, info, debug or trace, also by module (`info,tegata::verify=debug`) [default: info]
    #[arg(long, value_name = "LEVEL", env = "TEGATA_LOG")]
    pub log_level: Option<String>,
}

/// Where access records may be sent on to.
#[derive(Debug, Clone, Default, Args)]
pub struct Sending {
    /// A network that record streams and webhooks may send to although it is not public, such as 10.1.0.0/16; may be repeated
    #[arg(
        id = "stream_allow",
        long = "stream-allow",
        value_name = "NETWORK",
        env = "TEGATA_STREAM_ALLOW",
        value_delimiter = ','
    )]
    pub allow: Vec<IpNet>,
    /// Let record streams and webhooks send unencrypted, to http:// and tcp://
    #[arg(id = "stream_insecure", long = "stream-insecure", env = "TEGATA_STREAM_INSECURE", value_parser = BoolishValueParser::new(), num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub insecure: Option<bool>,
    /// A PEM file with authorities that receivers' certificates may come from, besides those of the system
    #[arg(
        id = "stream_authorities",
        long = "stream-authorities",
        value_name = "FILE",
        env = "TEGATA_STREAM_AUTHORITIES"
    )]
    pub authorities: Option<PathBuf>,
}

/// What is done when the access log takes no records.
#[derive(Debug, Clone, Default, Args)]
pub struct Failure {
    /// What becomes of an answer whose access record cannot be written, for example because the disk is full
    /// [default: deny]
    #[arg(long, value_enum, value_name = "WHAT", env = "TEGATA_RECORD_FAILURE")]
    pub record_failure: Option<OnRecordFailure>,
}

impl Failure {
    /// What was said here, or otherwise.
    pub const fn or(&self, otherwise: RecordFailure) -> RecordFailure {
        match self.record_failure {
            None => otherwise,
            Some(OnRecordFailure::Deny) => RecordFailure::Deny,
            Some(OnRecordFailure::Allow) => RecordFailure::Allow,
        }
    }
}

/// When access records reach the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordFlush {
    /// Before the answer leaves: survives the loss of power.
    Always,
    /// In the background, ten times a second.
    Interval,
    /// When the operating system sees fit.
    Never,
}

/// What becomes of an answer whose access record cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnRecordFailure {
    /// It becomes a no: nothing is allowed that is not recorded.
    Deny,
    /// It leaves all the same, without a record, and is counted.
    Allow,
}

/// How access records are handed to the operating system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordWriting {
    /// Through a mapped part of the file that is allocated ahead; with calls where the file system cannot.
    Mapped,
    /// With a call for each: for file systems that copy on write (btrfs, ZFS), where a full disk is noticed only so.
    Calls,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// A JSON object on each line.
    Json,
}

/// What a settings file may say.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct SettingsFile {
    data_dir: Option<PathBuf>,
    database: Option<String>,
    listen: Option<SocketAddr>,
    unix_socket: Option<PathBuf>,
    workers: Option<u16>,
    public_url: Option<String>,
    token_prefix: Option<String>,
    record_flush: Option<RecordFlush>,
    record_writing: Option<RecordWriting>,
    record_failure: Option<OnRecordFailure>,
    cache_bytes: Option<String>,
    tokens_at_start: Option<usize>,
    record_days: Option<u32>,
    record_settle_after: Option<String>,
    record_bucket: Option<String>,
    unknown_per_second: Option<NonZeroU32>,
    unknown_recorded_per_second: Option<NonZeroU32>,
    #[serde(default)]
    stream_allow: Vec<IpNet>,
    stream_insecure: Option<bool>,
    stream_authorities: Option<PathBuf>,
    github_alerts: Option<String>,
    log_format: Option<LogFormat>,
    log_level: Option<String>,
}

/// Everything that was settled.
#[derive(Debug)]
pub struct Settings {
    /// What a server needs to know.
    pub config: Config,
    /// How log lines are written.
    pub log_format: LogFormat,
    /// What is logged.
    pub log_level: String,
}

impl Place {
    /// Settles everything, with nothing said about serving.
    pub fn settle(&self) -> Result<Settings, CliError> {
        self.settle_with(&Serving::default())
    }

    /// Settles everything: flags and variables, then the file, then the defaults.
    pub fn settle_with(&self, serving: &Serving) -> Result<Settings, CliError> {
        let file = self.read_file()?;
        let serving = serving.clone();
        let data_dir = self.data_dir.clone().or(file.data_dir).unwrap_or_else(|| PathBuf::from(DATA_DIR_DEFAULT));
        let listen = serving.listen.or(file.listen).unwrap_or(LISTEN_DEFAULT);
        let mut config = Config::new(data_dir, listen);
        config.database = self.database.clone().or(file.database);
        config.unix_socket = serving.unix_socket.or(file.unix_socket);
        if let Some(workers) = serving.workers.or(file.workers) {
            config.workers =
                NonZeroUsize::new(workers.into()).filter(|workers| workers.get() <= WORKERS_MAX.into()).ok_or_else(
                    || CliError::usage(format!("workers: there are 1 to {WORKERS_MAX} threads for requests")),
                )?;
        }
        config.public_url = serving.public_url.or(file.public_url).map(|url| public_url(&url)).transpose()?;
        if let Some(name) = serving.token_prefix.or(file.token_prefix) {
            config.product = Product::new(&name).map_err(|error| CliError::usage(error.to_string()))?;
        }
        match serving.record_flush.or(file.record_flush) {
            None => {}
            Some(RecordFlush::Always) => config.flush = Flush::Always,
            Some(RecordFlush::Interval) => config.flush = Flush::Interval(Duration::from_millis(100)),
            Some(RecordFlush::Never) => config.flush = Flush::Never,
        }
        match serving.record_writing.or(file.record_writing) {
            None => {}
            Some(RecordWriting::Mapped) => config.writing = Writing::Mapped,
            Some(RecordWriting::Calls) => config.writing = Writing::Calls,
        }
        let own = Failure { record_failure: file.record_failure };
        config.record_failure = serving.failure.or(own.or(config.record_failure));
        let cache_bytes = file.cache_bytes.as_deref().map(bytes).transpose();
        let cache_bytes = cache_bytes.map_err(|why| CliError::usage(format!("cache_bytes: {why}")))?;
        config.cache_bytes = serving.cache_bytes.or(cache_bytes).unwrap_or(config.cache_bytes);
        if let Some(count) = serving.tokens_at_start.or(file.tokens_at_start) {
            config.preload = count;
        }
        if let Some(days) = serving.record_days.or(file.record_days) {
            config.record_days = days.max(1);
        }
        let settle_after = file.record_settle_after.as_deref().map(span).transpose();
        let settle_after = settle_after.map_err(|why| CliError::usage(format!("record_settle_after: {why}")))?;
        if let Some(settle_after) = serving.record_settle_after.or(settle_after) {
            config.record_settle_after = settle_after;
        }
        if let Some(url) = self.record_bucket.clone().or(file.record_bucket) {
            config.record_bucket = Some(bucket(url)?);
        }
        if let Some(number) = serving.unknown_per_second.or(file.unknown_per_second) {
            config.unknown.lookups_per_second = number;
        }
        if let Some(number) = serving.unknown_recorded_per_second.or(file.unknown_recorded_per_second) {
            config.unknown.recorded_per_second = number;
        }
        let Sending { allow, insecure, authorities } = serving.sending;
        config.sending.allowed = if allow.is_empty() { file.stream_allow } else { allow };
        config.sending.insecure = insecure.or(file.stream_insecure).unwrap_or(false);
        config.sending.authorities = authorities.or(file.stream_authorities);
        config.github_keys = serving.github_alerts.or(file.github_alerts).map(|url| github_keys(&url)).transpose()?;
        Ok(Settings {
            config,
            log_format: serving.log_format.or(file.log_format).unwrap_or_default(),
            log_level: serving.log_level.or(file.log_level).unwrap_or_else(|| "info".to_owned()),
        })
    }

    fn read_file(&self) -> Result<SettingsFile, CliError> {
        let Some(path) = &self.config else { return Ok(SettingsFile::default()) };
        let text = std::fs::read_to_string(path).map_err(|error| CliError::file(path, &error))?;
        toml::from_str(&text).map_err(|error| {
            // Without the line itself, which may be the one with the database's password.
            let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].lines().count().max(1));
            CliError::usage(format!("{}, near line {line}: {}", path.display(), error.message()))
        })
    }
}

/// A public URL without the slash at its end.
fn public_url(text: &str) -> Result<String, CliError> {
    let fits = text.parse::<reqwest::Url>().is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none() && url.fragment().is_none()
    });
    if fits {
        Ok(text.trim_end_matches('/').to_owned())
    } else {
        Err(CliError::usage("--public-url begins with http:// or https:// and ends before `?` and `#`"))
    }
}

/// Where a list of GitHub's keys is.
fn github_keys(url: &str) -> Result<Destination, CliError> {
    Destination::read(url, &[Scheme::Https, Scheme::Http])
        .map_err(|error| CliError::usage(format!("github_alerts: {error}")))
}

/// A bucket with what the environment says of it. The names that are passed on are those of the store's library; it
/// ignores what it does not know.
fn bucket(url: String) -> Result<Location, CliError> {
    let place = url.strip_prefix("s3://").unwrap_or_default();
    if place.split('/').next().is_none_or(str::is_empty) {
        return Err(CliError::usage("record_bucket: write `s3://bucket/prefix`"));
    }
    let variables = std::env::vars().filter(|(name, _)| name.starts_with("AWS_"));
    Ok(Location::Bucket { url, options: variables.map(|(name, value)| (name.to_lowercase(), value)).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> (tempfile::TempDir, Place) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tegata.toml");
        std::fs::write(&path, text).unwrap();
        (directory, Place { config: Some(path), ..Place::default() })
    }

    #[test]
    fn the_defaults_are_the_documented_ones() {
        let settings = Place::default().settle().unwrap();
        assert_eq!(settings.config.data_dir, PathBuf::from("./tegata-data"));
        assert_eq!(settings.config.listen.to_string(), "127.0.0.1:7700");
        assert_eq!((settings.config.cache_bytes, settings.config.preload), (768 << 20, 100_000));
        assert_eq!(settings.config.flush, Flush::Interval(Duration::from_millis(100)));
        assert_eq!(settings.config.record_failure, RecordFailure::Deny);
        assert_eq!((settings.log_format, settings.log_level.as_str()), (LogFormat::Text, "info"));
        let processors = std::thread::available_parallelism().unwrap();
        assert_eq!((settings.config.unix_socket, settings.config.workers), (None, processors));
    }

    #[test]
    fn doors_are_settled_like_everything_else() {
        let (_directory, place) = file("workers = 3\nunix_socket = '/run/tegata.sock'");
        let settings = place.settle().unwrap();
        assert_eq!(settings.config.workers.get(), 3);
        assert_eq!(settings.config.unix_socket, Some(PathBuf::from("/run/tegata.sock")));
        let (_directory, none) = file("workers = 0");
        assert!(none.settle().is_err());
        let serving = Serving { workers: Some(2), ..Serving::default() };
        assert_eq!(place.settle_with(&serving).unwrap().config.workers.get(), 2);
    }

    #[test]
    fn flags_win_over_the_file() {
        let (_directory, place) = file(
            "data_dir = '/var/lib/tegata'\nlisten = '0.0.0.0:80'\nrecord_flush = 'always'\nrecord_writing = 'calls'\nrecord_failure = 'allow'\ntoken_prefix = 'acme'\nlog_format = 'json'",
        );
        let settings = place.settle().unwrap();
        assert_eq!(settings.config.data_dir, PathBuf::from("/var/lib/tegata"));
        assert_eq!((settings.config.flush, settings.config.writing), (Flush::Always, Writing::Calls));
        assert_eq!(settings.config.record_failure, RecordFailure::Allow);
        assert_eq!(settings.config.product.to_string(), "acme");
        assert_eq!(settings.log_format, LogFormat::Json);
        let serving = Serving { listen: Some("127.0.0.1:1".parse().unwrap()), ..Serving::default() };
        let place = Place { data_dir: Some("/elsewhere".into()), ..place };
        let settings = place.settle_with(&serving).unwrap();
        assert_eq!(settings.config.listen.to_string(), "127.0.0.1:1");
        assert_eq!(settings.config.data_dir, PathBuf::from("/elsewhere"));
    }

    #[test]
    fn nothing_is_sent_into_networks_that_nobody_named() {
        let settings = Place::default().settle().unwrap().config.sending;
        assert!(settings.allowed.is_empty() && !settings.insecure && settings.authorities.is_none());
        let (_directory, place) =
            file("stream_allow = ['10.0.0.0/8']\nstream_insecure = true\nstream_authorities = 'ca.pem'");
        let settings = place.settle().unwrap().config.sending;
        assert_eq!((settings.allowed.len(), settings.insecure), (1, true));
        assert_eq!(settings.authorities, Some(PathBuf::from("ca.pem")));
        let sending =
            Sending { allow: vec!["192.168.0.0/16".parse().unwrap()], insecure: Some(false), authorities: None };
        let settings = place.settle_with(&Serving { sending, ..Serving::default() }).unwrap().config.sending;
        assert_eq!((settings.allowed[0].to_string().as_str(), settings.insecure), ("192.168.0.0/16", false));
        let (_directory, wrong) = file("stream_allow = ['everywhere']");
        assert!(wrong.settle().is_err());
    }

    #[test]
    fn a_wrong_file_is_told_by_its_line_and_not_shown() {
        let (_directory, place) = file("listen = '127.0.0.1:1'\ndatabase = ['postgres://u:hunter2@db/t']\n");
        let error = place.settle().unwrap_err();
        assert!(error.detail.contains("near line 2"), "{}", error.detail);
        assert!(!error.detail.contains("hunter2"));
        let (_directory, place) = file("datadir = 'x'\n");
        assert!(place.settle().unwrap_err().detail.contains("datadir"));
    }

    #[test]
    fn public_urls_and_prefixes_are_checked() {
        let with = |url: &str, prefix: &str| {
            let serving = Serving {
                public_url: Some(url.to_owned()),
                token_prefix: Some(prefix.to_owned()),
                ..Serving::default()
            };
            Place::default().settle_with(&serving).map(|settings| settings.config.public_url)
        };
        assert_eq!(with("https://tegata.example/", "acme"), Ok(Some("https://tegata.example".to_owned())));
        assert!(with("tegata.example", "acme").is_err() && with("https://x", "A").is_err());
    }
}

//! The place that files lie in: a folder or an S3-compatible bucket. Whole files go in, ranges come out.
//!
//! A file that was put is there as a whole and durably: a folder's files are flushed with their directories before the
//! call returns, a bucket promises it. Knows nothing of what is in a file.

use crate::columns::error::ColumnsError;
use crate::files::{self, Faults};
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::TryStreamExt;
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt, ObjectStoreScheme, PutPayload, RetryConfig};
use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// How often a request to a bucket is repeated, and for how long.
const RETRIES: usize = 3;
const RETRY_TIME: Duration = Duration::from_secs(10);

/// Where the files of columns lie.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// A folder of this machine.
    Folder(PathBuf),
    /// A bucket, or a part of one.
    Bucket {
        /// `s3://bucket/prefix`.
        url: String,
        /// Endpoint, region and keys under the names that the usual environment variables have in small letters:
        /// `aws_endpoint`, `aws_region`, `aws_access_key_id`, `aws_secret_access_key`, `aws_allow_http` … Names that
        /// mean nothing here are passed over.
        options: Vec<(String, String)>,
    },
}

impl fmt::Display for Location {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => path.display().fmt(out),
            Self::Bucket { url, .. } => out.write_str(url),
        }
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The options carry keys.
        match self {
            Self::Folder(path) => out.debug_tuple("Folder").field(path).finish(),
            Self::Bucket { url, .. } => out.debug_struct("Bucket").field("url", url).finish_non_exhaustive(),
        }
    }
}

/// An open place.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    objects: Arc<dyn ObjectStore>,
    prefix: Path,
    folder: Option<PathBuf>,
    faults: Option<Arc<Faults>>,
}

impl Store {
    pub(crate) fn open(location: &Location, faults: Option<Arc<Faults>>) -> Result<Self, ColumnsError> {
        match location {
            Location::Folder(path) => {
                let shown = path.display().to_string();
                files::create_directory(path).map_err(|error| ColumnsError::store("make", &shown, error))?;
                let folder = LocalFileSystem::new_with_prefix(path)
                    .map_err(|error| ColumnsError::store("open", &shown, error))?
                    .with_fsync(true)
                    .with_automatic_cleanup(true);
                let prefix = Path::default();
                Ok(Self { objects: Arc::new(folder), prefix, folder: Some(path.clone()), faults })
            }
            Location::Bucket { url, options } => {
                let (bucket, prefix) =
                    open_bucket(url, options).map_err(|why| ColumnsError::Location { location: url.clone(), why })?;
                Ok(Self { objects: Arc::new(bucket), prefix, folder: None, faults })
            }
        }
    }

    /// The folder, if it is one.
    pub(crate) fn folder(&self) -> Option<&std::path::Path> {
        self.folder.as_deref()
    }

    pub(crate) async fn put(&self, path: &str, bytes: Vec<u8>) -> Result<(), ColumnsError> {
        self.may("write", path)?;
        let put = self.objects.put(&self.whole(path), PutPayload::from(bytes)).await;
        put.map(drop).map_err(|error| ColumnsError::store("write", path, error))
    }

    /// A whole file; `None` if it is not there.
    pub(crate) async fn get(&self, path: &str) -> Result<Option<Bytes>, ColumnsError> {
        self.may("read", path)?;
        let read = async { self.objects.get(&self.whole(path)).await?.bytes().await };
        match read.await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(ColumnsError::store("read", path, error)),
        }
    }

    pub(crate) async fn ranges(&self, path: &str, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, ColumnsError> {
        self.may("read", path)?;
        let read = self.objects.get_ranges(&self.whole(path), ranges).await;
        read.map_err(|error| ColumnsError::store("read", path, error))
    }

    /// Removes a file. One that is not there is as good as removed.
    pub(crate) async fn delete(&self, path: &str) -> Result<(), ColumnsError> {
        self.may("remove", path)?;
        match self.objects.delete(&self.whole(path)).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(ColumnsError::store("remove", path, error)),
        }
    }

    /// The paths of all files below `org=…`, in no order.
    pub(crate) async fn list(&self) -> Result<Vec<String>, ColumnsError> {
        self.may("list", "")?;
        let prefix = (!self.prefix.is_root()).then_some(&self.prefix);
        let listed: Vec<_> = self
            .objects
            .list(prefix)
            .boxed()
            .try_collect()
            .await
            .map_err(|error| ColumnsError::store("list", self.prefix.as_ref(), error))?;
        let relative = |path: &Path| {
            let parts = path.prefix_match(&self.prefix)?;
            Some(parts.map(|part| part.as_ref().to_owned()).collect::<Vec<_>>().join("/"))
        };
        let paths = listed.iter().filter_map(|object| relative(&object.location));
        Ok(paths.filter(|path| path.starts_with("org=")).collect())
    }

    fn whole(&self, path: &str) -> Path {
        path.split('/').fold(self.prefix.clone(), Path::join)
    }

    fn may(&self, deed: &'static str, path: &str) -> Result<(), ColumnsError> {
        let allowed = self.faults.as_ref().map_or(Ok(()), |faults| faults.step());
        allowed.map_err(|error| ColumnsError::store(deed, path, error))
    }
}

fn open_bucket(url: &str, options: &[(String, String)]) -> Result<(AmazonS3, Path), String> {
    let parsed = Url::parse(url).map_err(|error| error.to_string())?;
    let (Ok((ObjectStoreScheme::AmazonS3, prefix)), "s3" | "s3a") =
        (ObjectStoreScheme::parse(&parsed), parsed.scheme())
    else {
        return Err("it does not begin with s3://".to_owned());
    };
    // Whoever asks is waiting, and whoever settles comes again.
    let retry = RetryConfig { max_retries: RETRIES, retry_timeout: RETRY_TIME, ..RetryConfig::default() };
    let mut builder = AmazonS3Builder::new().with_url(url).with_retry(retry);
    for (name, value) in options {
        // Whoever runs on a cloud has variables of that kind that are for others.
        if let Ok(key) = name.parse::<AmazonS3ConfigKey>() {
            builder = builder.with_config(key, value);
        }
    }
    Ok((builder.build().map_err(|error| error.to_string())?, prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_folder_gives_back_what_was_put() {
        let directory = tempfile::tempdir().unwrap();
        let folder = directory.path().join("columns");
        let store = Store::open(&Location::Folder(folder.clone()), None).unwrap();
        assert_eq!(store.get("manifest.json").await.unwrap(), None);
        store.put("manifest.json", b"{}".to_vec()).await.unwrap();
        store.put("org=a/day=2026-01-01/x.parquet", b"0123456789".to_vec()).await.unwrap();
        assert!(folder.join("org=a/day=2026-01-01/x.parquet").is_file());
        let ranges = store.ranges("org=a/day=2026-01-01/x.parquet", &[0..2, 8..10]).await.unwrap();
        assert_eq!(ranges, [&b"01"[..], b"89"]);
        assert_eq!(store.list().await.unwrap(), ["org=a/day=2026-01-01/x.parquet"]);
        store.delete("org=a/day=2026-01-01/x.parquet").await.unwrap();
        store.delete("org=a/day=2026-01-01/x.parquet").await.unwrap();
        assert_eq!(store.list().await.unwrap(), Vec::<String>::new());
        assert!(!folder.join("org=a").exists(), "empty folders go with their last file");
    }

    #[test]
    fn other_places_are_refused_and_keys_are_not_shown() {
        for url in ["", "columns", "http://example.com/x", "file:///etc"] {
            let location = Location::Bucket { url: url.to_owned(), options: Vec::new() };
            assert!(matches!(Store::open(&location, None), Err(ColumnsError::Location { .. })), "{url}");
        }
        let option = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut options = vec![option("aws_access_key_id", "id"), option("aws_secret_access_key", "hush")];
        options.push(option("aws_pager", "less"));
        let location = Location::Bucket { url: "s3://records/tegata".to_owned(), options };
        assert!(!format!("{location:?}").contains("hush"));
        assert!(!format!("{:?}", Store::open(&location, None).unwrap()).contains("hush"));
    }
}

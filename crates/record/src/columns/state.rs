//! The manifest that counts at this moment, and how it is replaced.

use crate::columns::ColumnsOptions;
use crate::columns::error::ColumnsError;
use crate::columns::manifest::{self, DataFile, Manifest};
use crate::columns::predicate::Wanted;
use crate::columns::read::Reader;
use crate::columns::store::Store;
use parking_lot::{Mutex, RwLock};
use std::sync::Arc;

/// All files of one journal.
#[derive(Debug)]
pub(crate) struct Columns {
    pub(crate) store: Store,
    pub(crate) reader: Arc<Reader>,
    pub(crate) options: ColumnsOptions,
    tag: u16,
    current: RwLock<Option<Current>>,
    /// Files that the manifest listed once, with the moment at which it ceased to.
    pub(crate) retired: Mutex<Vec<(i64, Arc<DataFile>)>>,
    /// Whether files were looked for that no manifest lists.
    pub(crate) swept: Mutex<bool>,
}

/// The newest manifest that was read or written.
#[derive(Debug)]
struct Current {
    manifest: Arc<Manifest>,
    /// Whether it is the one that lies in the store: nobody knows after a replacement that failed. Readers may go by it
    /// all the same: until it is known what became of the replacement, nothing is removed that it lists, and nothing
    /// that it does not list has left the journal.
    is_certain: bool,
}

impl Columns {
    /// Columns in a place, whose manifest has yet to be read.
    pub(crate) fn new(store: Store, options: ColumnsOptions, tag: u16) -> Self {
        Self {
            reader: Arc::new(Reader::new(store.clone())),
            store,
            options,
            tag,
            current: RwLock::new(None),
            retired: Mutex::new(Vec::new()),
            swept: Mutex::new(false),
        }
    }

    /// The manifest, if it has been read: good for readers, also while a bucket does not answer.
    pub(crate) fn known(&self) -> Option<Arc<Manifest>> {
        self.current.read().as_ref().map(|current| Arc::clone(&current.manifest))
    }

    fn certain(&self) -> Option<Arc<Manifest>> {
        let current = self.current.read();
        current.as_ref().filter(|current| current.is_certain).map(|current| Arc::clone(&current.manifest))
    }

    /// The manifest, for whoever goes on from it. Reads it if that has not been done, or if nobody knows what became of
    /// the last replacement.
    pub(crate) async fn manifest(&self) -> Result<Arc<Manifest>, ColumnsError> {
        if let Some(manifest) = self.certain() {
            return Ok(manifest);
        }
        let loaded = Arc::new(self.load().await?);
        let mut current = self.current.write();
        match &*current {
            // Another reader may have been faster, and a replacement may have followed.
            Some(current) if current.is_certain => Ok(Arc::clone(&current.manifest)),
            before => {
                // Readers may still go by the one before; nobody has said what time it is.
                self.retire(before.as_ref().map(|before| &*before.manifest), &loaded, i64::MIN);
                *current = Some(Current { manifest: Arc::clone(&loaded), is_certain: true });
                Ok(loaded)
            }
        }
    }

    /// The manifest as it is now, for whoever looks at files that another process writes.
    pub(crate) async fn manifest_again(&self) -> Result<Arc<Manifest>, ColumnsError> {
        let mut loaded = Arc::new(self.load().await?);
        if let Some(known) = self.known().filter(|known| **known == *loaded) {
            loaded = known;
        }
        *self.current.write() = Some(Current { manifest: Arc::clone(&loaded), is_certain: true });
        Ok(loaded)
    }

    async fn load(&self) -> Result<Manifest, ColumnsError> {
        let wrong = |why: String| ColumnsError::Manifest { path: manifest::NAME.to_owned(), why };
        let Some(bytes) = self.store.get(manifest::NAME).await? else {
            // The first manifest is written before the first file.
            let files = self.store.list().await?;
            let empty = files.is_empty().then(|| Manifest::empty(self.tag));
            return empty.ok_or_else(|| wrong(format!("it is not there, but {} files are", files.len())));
        };
        let read: Manifest = serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
        if read.format != manifest::FORMAT {
            return Err(wrong(format!("its format is {}, and this program knows {}", read.format, manifest::FORMAT)));
        }
        if read.tag != self.tag {
            let path = manifest::NAME.to_owned();
            return Err(ColumnsError::OtherJournal { path, found: read.tag, expected: self.tag });
        }
        Ok(read)
    }

    /// Replaces the manifest. Files that the new one does not list are retired.
    pub(crate) async fn commit(&self, next: Manifest, now_us: i64) -> Result<Arc<Manifest>, ColumnsError> {
        let bytes = serde_json::to_vec(&next).map_err(|error| ColumnsError::store("write", manifest::NAME, error))?;
        if let Err(error) = self.store.put(manifest::NAME, bytes).await {
            // It may have been replaced without our being told. Until that is known, neither the old nor the new one
            // may be acted on.
            if let Some(current) = &mut *self.current.write() {
                current.is_certain = false;
            }
            return Err(error);
        }
        let next = Arc::new(next);
        let before = self.current.write().replace(Current { manifest: Arc::clone(&next), is_certain: true });
        self.retire(before.as_ref().map(|before| &*before.manifest), &next, now_us);
        Ok(next)
    }

    /// Files that the manifest does not list any more may be removed when nobody reads them.
    fn retire(&self, before: Option<&Manifest>, next: &Manifest, now_us: i64) {
        let listed: std::collections::HashSet<&str> = next.files.iter().map(|file| file.path.as_str()).collect();
        let gone = before.iter().flat_map(|before| before.files.iter());
        let gone = gone.filter(|file| !listed.contains(file.path.as_str()));
        self.retired.lock().extend(gone.map(|file| (now_us, Arc::clone(file))));
    }

    /// The files that can contain a hit.
    pub(crate) fn select(manifest: &Manifest, wanted: &Wanted) -> Vec<Arc<DataFile>> {
        let files = match wanted.filter.organization() {
            Some(id) => manifest.files_of(id),
            None => &manifest.files,
        };
        let within = |file: &&Arc<DataFile>| {
            let times = (file.time_us_min, file.time_us_max);
            wanted.may_be_within(times, (file.first_sequence, file.last_sequence))
        };
        files.iter().filter(within).cloned().collect()
    }
}

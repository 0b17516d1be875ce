//! A copy of all files for a backup: files first, the manifest last, so that half a copy does not look like a whole one.

use crate::columns::error::ColumnsError;
use crate::columns::manifest;
use crate::columns::state::Columns;
use crate::columns::store::{Location, Store};
use std::path::Path;

impl Columns {
    /// Copies into a folder `columns` below `destination`. Files in a bucket stay there.
    pub(crate) async fn copy_to(&self, destination: &Path) -> Result<(), ColumnsError> {
        if self.store.folder().is_none() {
            return Ok(());
        }
        let manifest = self.manifest().await?;
        let copy = Store::open(&Location::Folder(destination.join("columns")), None)?;
        for file in &manifest.files {
            let bytes = self.store.get(&file.path).await?;
            let bytes = bytes.ok_or_else(|| ColumnsError::store("copy", &file.path, "the file is not there"))?;
            copy.put(&file.path, bytes.to_vec()).await?;
        }
        let bytes =
            serde_json::to_vec(&*manifest).map_err(|error| ColumnsError::store("copy", manifest::NAME, error))?;
        copy.put(manifest::NAME, bytes).await
    }
}

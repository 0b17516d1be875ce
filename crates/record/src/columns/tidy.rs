//! Removing files that nobody needs: such as the manifest has ceased to list, once their readers have gone, and such as
//! it never listed, because the round that wrote them ended early.

use crate::columns::error::ColumnsError;
use crate::columns::settle::Settled;
use crate::columns::state::Columns;
use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

impl Columns {
    /// Removes what can go.
    pub(crate) async fn tidy(&self, now_us: i64, done: &mut Settled) -> Result<(), ColumnsError> {
        self.sweep(done).await?;
        let before = now_us.saturating_sub(self.options.grace_us);
        let free = |(since, file): &mut (i64, Arc<_>)| *since <= before && Arc::strong_count(file) == 1;
        let mut removable: Vec<_> = self.retired.lock().extract_if(.., free).collect();
        while let Some((since, file)) = removable.pop() {
            if let Err(error) = self.store.delete(&file.path).await {
                removable.push((since, file));
                self.retired.lock().append(&mut removable);
                return Err(error);
            }
            done.removed += 1;
        }
        Ok(())
    }

    /// Once after opening, and again after an error: files that the manifest does not list.
    async fn sweep(&self, done: &mut Settled) -> Result<(), ColumnsError> {
        if *self.swept.lock() {
            return Ok(());
        }
        let manifest = self.manifest().await?;
        let mut kept: HashSet<String> = manifest.files.iter().map(|file| file.path.clone()).collect();
        kept.extend(self.retired.lock().iter().map(|(_, file)| file.path.clone()));
        for path in self.store.list().await? {
            if !kept.contains(&path) {
                self.store.delete(&path).await?;
                done.removed += 1;
            }
        }
        if let Some(folder) = self.store.folder() {
            let staged = remove_staged(folder, 2);
            done.removed +=
                staged.map_err(|error| ColumnsError::store("tidy", &folder.display().to_string(), error))?;
        }
        *self.swept.lock() = true;
        Ok(())
    }

    /// Has the next round look for files that no manifest lists.
    pub(crate) fn sweep_again(&self) {
        *self.swept.lock() = false;
    }
}

/// Removes files that were being written when the process ended. They are called as the file that was to be, with `#`
/// and a number behind it, and a listing does not show them.
fn remove_staged(folder: &Path, depth: usize) -> io::Result<usize> {
    let mut removed = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let staged = entry.file_name().to_string_lossy().contains('#');
        if entry.file_type()?.is_dir() {
            removed += if depth > 0 { remove_staged(&entry.path(), depth - 1)? } else { 0 };
        } else if staged {
            fs::remove_file(entry.path())?;
            removed += 1;
        }
    }
    Ok(removed)
}

//! From a blocking writer to an asynchronous reader, a bounded number of chunks ahead: an export of any length takes
//! the same memory, and stops when nobody reads any more.

use axum::body::Bytes;
use std::io;
use tokio::sync::mpsc;

/// Bytes of a chunk.
const CHUNK_BYTES: usize = 64 * 1024;
/// Chunks that wait to be read.
const CHUNKS_AHEAD: usize = 4;

/// A chunk, or why there are no more.
pub type Chunk = io::Result<Bytes>;

/// The writing end; for a thread that may block.
#[derive(Debug)]
pub struct ChunkWriter {
    out: mpsc::Sender<Chunk>,
    chunk: Vec<u8>,
}

/// A writer and the chunks that come of it.
pub fn channel() -> (ChunkWriter, mpsc::Receiver<Chunk>) {
    let (out, chunks) = mpsc::channel(CHUNKS_AHEAD);
    (ChunkWriter { out, chunk: Vec::with_capacity(CHUNK_BYTES) }, chunks)
}

impl ChunkWriter {
    /// Tells the reader that this is all, or that something is missing. Whatever was not said to be all is cut off,
    /// so that nobody takes a part for the whole.
    pub fn finish(mut self, outcome: Result<(), io::Error>) {
        let last = match outcome {
            Ok(()) => self.send(),
            Err(error) => Err(error),
        };
        if let Err(error) = last {
            // A reader that went away hears nothing any more.
            let _ = self.out.blocking_send(Err(error));
        }
    }

    fn send(&mut self) -> io::Result<()> {
        if self.chunk.is_empty() {
            return Ok(());
        }
        let chunk = std::mem::replace(&mut self.chunk, Vec::with_capacity(CHUNK_BYTES));
        let gone = |_| io::Error::new(io::ErrorKind::BrokenPipe, "nobody reads the export any more");
        self.out.blocking_send(Ok(Bytes::from(chunk))).map_err(gone)
    }
}

impl io::Write for ChunkWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.chunk.extend_from_slice(bytes);
        if self.chunk.len() >= CHUNK_BYTES {
            self.send()?;
        }
        Ok(bytes.len())
    }

    /// Chunks go out when they are full, and the last one at the end.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    async fn read(mut chunks: mpsc::Receiver<Chunk>) -> (Vec<u8>, Option<io::Error>) {
        let mut all = Vec::new();
        while let Some(chunk) = chunks.recv().await {
            match chunk {
                Ok(bytes) => all.extend_from_slice(&bytes),
                Err(error) => return (all, Some(error)),
            }
        }
        (all, None)
    }

    #[tokio::test]
    async fn everything_arrives_in_order() {
        let (mut writer, chunks) = channel();
        let expected: Vec<u8> = (0..1_000_000_u32).map(|number| number.to_le_bytes()[0]).collect();
        let sent = expected.clone();
        let task = tokio::task::spawn_blocking(move || {
            for part in sent.chunks(777) {
                writer.write_all(part).unwrap();
            }
            writer.finish(Ok(()));
        });
        let (read, error) = read(chunks).await;
        task.await.unwrap();
        assert!(read == expected && error.is_none());
    }

    #[tokio::test]
    async fn a_broken_export_ends_with_an_error() {
        let (mut writer, chunks) = channel();
        let task = tokio::task::spawn_blocking(move || {
            writer.write_all(b"half").unwrap();
            writer.finish(Err(io::Error::other("the disk failed")));
        });
        let (_, error) = read(chunks).await;
        task.await.unwrap();
        assert!(error.is_some());
    }

    #[tokio::test]
    async fn the_writer_learns_that_nobody_reads() {
        let (mut writer, chunks) = channel();
        drop(chunks);
        let task = tokio::task::spawn_blocking(move || writer.write_all(&vec![0; CHUNK_BYTES]));
        assert_eq!(task.await.unwrap().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}

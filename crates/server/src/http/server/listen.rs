//! Where a server listens: an address, with one listener for each worker, and a Unix socket if one is wanted.

use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use tokio::net::{TcpListener, TcpSocket};

/// Connections that wait to be accepted, at each listener.
const BACKLOG: u32 = 1_024;
/// Who may connect to a Unix socket: its owner and its group.
const UNIX_MODE: u32 = 0o660;

/// What one worker accepts from.
#[derive(Debug)]
pub struct Listeners {
    /// Connections over TCP.
    pub tcp: std::net::TcpListener,
    /// Connections over the Unix socket, which all workers share.
    pub unix: Option<UnixListener>,
}

/// Listens on an address, once for each worker: the kernel spreads connections over them.
pub fn tcp(address: SocketAddr, workers: NonZeroUsize) -> io::Result<(SocketAddr, Vec<std::net::TcpListener>)> {
    if address.port() != 0 {
        // Listeners that share a port would also share it with another server's. This one shares with none, so it is
        // refused where somebody listens already.
        drop(bind(address, false)?);
    }
    let first = bind(address, workers.get() > 1)?;
    let address = first.local_addr()?;
    let mut listeners = vec![first];
    for _ in 1..workers.get() {
        listeners.push(bind(address, true)?);
    }
    Ok((address, listeners))
}

fn bind(address: SocketAddr, shared: bool) -> io::Result<std::net::TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    if shared {
        socket.set_reuseport(true)?;
    }
    socket.bind(address)?;
    let listener: TcpListener = socket.listen(BACKLOG)?;
    listener.into_std()
}

/// Why there is no Unix socket.
#[derive(Debug, thiserror::Error)]
pub enum UnixSocketError {
    /// There is a file that is no socket; it may be somebody's data.
    #[error("{0} is there, and is no socket")]
    NotASocket(PathBuf),
    /// Another process answers there.
    #[error("another process listens on {0}")]
    InUse(PathBuf),
    /// The operating system refused.
    #[error("cannot listen on {0}: {1}")]
    Io(PathBuf, #[source] io::Error),
}

/// A Unix socket that this process made, and removes.
#[derive(Debug)]
pub struct UnixSocket {
    path: PathBuf,
    listener: UnixListener,
    /// Device and number of the file, to know it again.
    file: (u64, u64),
}

impl UnixSocket {
    /// Listens on a path. What a process that has died left there is replaced; nothing else is.
    pub fn bind(path: &Path) -> Result<Self, UnixSocketError> {
        let failed = |error| UnixSocketError::Io(path.to_owned(), error);
        match std::fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
            Ok(found) if !found.file_type().is_socket() => return Err(UnixSocketError::NotASocket(path.to_owned())),
            Ok(_) => match UnixStream::connect(path) {
                Ok(_) => return Err(UnixSocketError::InUse(path.to_owned())),
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    std::fs::remove_file(path).map_err(failed)?;
                }
                Err(error) => return Err(failed(error)),
            },
        }
        let listener = UnixListener::bind(path).map_err(failed)?;
        let file = std::fs::symlink_metadata(path).map(|found| (found.dev(), found.ino())).map_err(failed)?;
        let socket = Self { path: path.to_owned(), listener, file };
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(UNIX_MODE)).map_err(failed)?;
        socket.listener.set_nonblocking(true).map_err(failed)?;
        Ok(socket)
    }

    /// Another handle to accept from.
    pub fn listener(&self) -> Result<UnixListener, UnixSocketError> {
        self.listener.try_clone().map_err(|error| UnixSocketError::Io(self.path.clone(), error))
    }
}

impl Drop for UnixSocket {
    fn drop(&mut self) {
        // Unless somebody has put another in its place.
        let ours = std::fs::symlink_metadata(&self.path).is_ok_and(|found| (found.dev(), found.ino()) == self.file);
        if ours {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workers(count: usize) -> NonZeroUsize {
        NonZeroUsize::new(count).unwrap()
    }

    #[tokio::test]
    async fn every_worker_has_a_listener_on_the_same_port() {
        let (address, listeners) = tcp("127.0.0.1:0".parse().unwrap(), workers(3)).unwrap();
        assert_eq!(listeners.len(), 3);
        assert!(listeners.iter().all(|listener| listener.local_addr().unwrap() == address));
        // A second server is refused, with one worker or with many.
        for count in [1, 2] {
            assert_eq!(tcp(address, workers(count)).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        }
        drop(listeners);
        tcp(address, workers(2)).unwrap();
    }

    #[test]
    fn a_unix_socket_is_for_owner_and_group_and_goes_with_its_server() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tegata.sock");
        let socket = UnixSocket::bind(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
        assert!(matches!(UnixSocket::bind(&path), Err(UnixSocketError::InUse(_))));
        UnixStream::connect(&path).unwrap();
        drop(socket);
        assert!(!path.exists());
    }

    #[test]
    fn what_a_dead_process_left_is_replaced_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tegata.sock");
        drop(UnixListener::bind(&path).unwrap());
        assert!(path.exists(), "a listener does not remove its file");
        let socket = UnixSocket::bind(&path).unwrap();
        // Another server took the path over: its file stays.
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, "data").unwrap();
        drop(socket);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "data");
        assert!(matches!(UnixSocket::bind(&path), Err(UnixSocketError::NotASocket(_))));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "data");
    }
}

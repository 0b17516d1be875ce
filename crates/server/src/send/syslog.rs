//! Syslog messages (RFC 5424) over TCP with their length in front (RFC 6587 §3.4.1) and over TLS (RFC 5425).
//!
//! Neither says when a receiver has a message. So the connection is ended after the messages, and they count as
//! delivered when the receiver has ended its side as well: it read up to the end. Where it closes its socket without
//! having read everything, its system says so by a reset.

use super::{Destination, SendError, Sender};
use std::fmt::Write as _;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

/// Most bytes that a receiver may say; nothing of it is kept.
const SAID_MAX_BYTES: usize = 64 << 10;
/// How long the connection has to stay good after messages whose receiver never ends its side.
const QUIET: Duration = Duration::from_secs(2);

/// What is the same in all messages of a sender.
#[derive(Debug, Clone)]
pub struct Header {
    /// Facility: 0 to 23 (RFC 5424 §6.2.1).
    pub facility: u8,
    /// Who sends; `-` where nobody knows.
    pub host: String,
    /// Which process.
    pub process: String,
}

/// One message.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    /// Severity: 0 to 7.
    pub severity: u8,
    /// RFC 3339 in UTC, with at most six digits after the second.
    pub time: &'a str,
    /// The kind of message.
    pub kind: &'a str,
    /// The id of the structured data, and its parameters; none where there is none.
    pub data: Option<(&'a str, &'a [(&'a str, String)])>,
    /// The text.
    pub text: &'a str,
}

/// When messages count as delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirm {
    /// When the receiver has ended its side of the connection after the sender did.
    Close,
    /// When the connection has stayed good for two seconds after the last message.
    Quiet,
}

impl Header {
    /// Writes a message with its length in front.
    pub fn write(&self, entry: &Entry<'_>, out: &mut Vec<u8>) {
        let mut text = String::with_capacity(256 + entry.text.len());
        let priority = u16::from(self.facility.min(23)) * 8 + u16::from(entry.severity.min(7));
        let (host, process) = (name(&self.host, 255), name(&self.process, 128));
        let _ = write!(text, "<{priority}>1 {} {host} tegata {process} {} ", entry.time, name(entry.kind, 32));
        match entry.data {
            None => text.push('-'),
            Some((id, parameters)) => {
                let _ = write!(text, "[{id}");
                for (parameter, value) in parameters {
                    let _ = write!(text, " {parameter}=\"");
                    for letter in value.chars() {
                        match letter {
                            '"' | '\\' | ']' => text.extend(['\\', letter]),
                            // Many receivers write a message as a line.
                            letter if letter.is_control() => text.push(' '),
                            letter => text.push(letter),
                        }
                    }
                    text.push('"');
                }
                text.push(']');
            }
        }
        if !entry.text.is_empty() {
            text.push(' ');
            if !entry.text.is_ascii() {
                // RFC 5424 §6.4: what is UTF-8 says so.
                text.push('\u{feff}');
            }
            text.extend(entry.text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }));
        }
        out.extend_from_slice(format!("{} ", text.len()).as_bytes());
        out.extend_from_slice(text.as_bytes());
    }
}

/// A name in a header: visible ASCII, or `-`.
fn name(text: &str, most: usize) -> String {
    let name: String = text.chars().filter(char::is_ascii_graphic).take(most).collect();
    if name.is_empty() { "-".to_owned() } else { name }
}

/// Delivers messages, once.
pub async fn deliver(sender: &Sender, there: &Destination, messages: &[u8], confirm: Confirm) -> Result<(), SendError> {
    sender.in_time(send(sender, there, messages, confirm)).await
}

async fn send(sender: &Sender, there: &Destination, messages: &[u8], confirm: Confirm) -> Result<(), SendError> {
    let mut stream = sender.connect(there).await?;
    stream.write_all(messages).await.map_err(SendError::Broken)?;
    stream.flush().await.map_err(SendError::Broken)?;
    if confirm == Confirm::Quiet {
        // The receiver has no reason to end anything yet.
        return match timeout(QUIET, read_to_end(&mut stream)).await {
            Err(_) => stream.shutdown().await.map_err(SendError::Broken),
            Ok(ended) => Err(SendError::Broken(ended.err().unwrap_or_else(|| io::ErrorKind::UnexpectedEof.into()))),
        };
    }
    stream.shutdown().await.map_err(SendError::Broken)?;
    match read_to_end(&mut stream).await {
        // It ended the connection without a word of farewell, after ours.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(()),
        ended => ended.map_err(SendError::Broken),
    }
}

async fn read_to_end(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<()> {
    let (mut buffer, mut said) = ([0; 1024], 0);
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(()),
            bytes => said += bytes,
        }
        if said > SAID_MAX_BYTES {
            return Err(io::Error::other("the receiver says too much"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(entry: &Entry<'_>) -> String {
        let header = Header { facility: 13, host: "tegata.example".to_owned(), process: "7".to_owned() };
        let mut out = Vec::new();
        header.write(entry, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_message_is_as_the_standard_writes_it() {
        let parameters = [("path", "/a\"b\\c]d\n".to_owned()), ("who", "手形".to_owned())];
        let data = Some(("tegata@32473", parameters.as_slice()));
        let entry = Entry { severity: 4, time: "2026-01-02T03:04:05.000006Z", kind: "access", data, text: "deny" };
        let text = r#"<108>1 2026-01-02T03:04:05.000006Z tegata.example tegata 7 access [tegata@32473 path="/a\"b\\c\]d " who="手形"] deny"#;
        assert_eq!(written(&entry), format!("{} {text}", text.len()));
        let plain = Entry { data: None, text: "", kind: "a b\u{e9}", ..entry.clone() };
        assert!(written(&plain).ends_with(" tegata 7 ab -"));
        let foreign = Entry { text: "手形\n", ..entry };
        assert!(written(&foreign).ends_with("] \u{feff}手形 "));
    }
}

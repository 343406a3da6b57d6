//! The virtio-serial ports, found by name, and what travels as lines on them.

use crate::sys;
use serde_json::{json, Map, Value};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::time::Duration;

const APPEAR_MS: u64 = 10_000;
const MAX_LINE: usize = 256 * 1024;
/// The wait for guestinfo is ended by an event; this only bounds what a lost event would cost.
const SAFETY_MS: i32 = 100;

/// Opens a port by name; it may take a moment to appear.
pub fn open(name: &str, blocking: bool) -> io::Result<File> {
    let deadline = sys::monotonic_ms() + APPEAR_MS;
    loop {
        if let Some(device) = find(name) {
            let flags = if blocking { 0 } else { libc::O_NONBLOCK };
            match OpenOptions::new().read(true).write(true).custom_flags(flags).open(format!("/dev/{device}")) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                other => return other,
            }
        }
        if sys::monotonic_ms() > deadline {
            return Err(io::Error::new(io::ErrorKind::NotFound, format!("there is no port {name}")));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn find(name: &str) -> Option<String> {
    fs::read_dir("/sys/class/virtio-ports").ok()?.flatten().find_map(|entry| {
        let found = fs::read_to_string(entry.path().join("name")).ok()?;
        (found.trim() == name).then(|| entry.file_name().into_string().ok())?
    })
}

/// The VM's configuration: `guestinfo.*` keys and their values.
pub struct GuestInfo(Map<String, Value>);

impl GuestInfo {
    pub fn get(&self, key: &str) -> &str {
        self.0.get(key).and_then(Value::as_str).unwrap_or("")
    }

    pub fn id(&self) -> &str {
        self.get("guestinfo.vic.id")
    }

    pub fn secret(&self) -> &str {
        self.get("guestinfo.vic.secret")
    }

    pub fn is_template(&self) -> bool {
        self.get("guestinfo.vic.template") == "true"
    }
}

/// Waits for lines of configuration: one after power-on and one more in every clone.
pub struct GuestInfoPort {
    port: File,
    watch: std::os::fd::OwnedFd,
    pending: Vec<u8>,
}

impl GuestInfoPort {
    pub fn open() -> io::Result<Self> {
        let port = open("vic.guestinfo.in", false)?;
        let watch = sys::edge_watch(&port)?;
        Ok(Self { port, watch, pending: Vec::new() })
    }

    /// The next line that is an object and is accepted; others are dropped.
    pub fn wait(&mut self, accept: impl Fn(&GuestInfo) -> bool) -> io::Result<GuestInfo> {
        loop {
            while let Some(line) = self.next_line() {
                if let Ok(Value::Object(fields)) = serde_json::from_slice(&line) {
                    let info = GuestInfo(fields);
                    if accept(&info) {
                        return Ok(info);
                    }
                }
            }
            let mut buffer = [0; 16 * 1024];
            match sys::read(&self.port, &mut buffer) {
                Ok(count) if count > 0 => self.pending.extend_from_slice(&buffer[..count]),
                // 0: nobody at the host's end; the next clone will have somebody.
                Ok(_) => self.rest()?,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.rest()?,
                Err(error) => return Err(error),
            }
            if self.pending.len() > MAX_LINE {
                self.pending.clear();
            }
        }
    }

    fn rest(&self) -> io::Result<()> {
        sys::edge_wait(&self.watch, SAFETY_MS).map(|_| ())
    }

    fn next_line(&mut self) -> Option<Vec<u8>> {
        let end = self.pending.iter().position(|byte| *byte == b'\n')?;
        Some(self.pending.drain(..=end).collect())
    }
}

/// The journal of what the guest reports to the host.
pub struct Journal(File);

impl Journal {
    pub fn open() -> io::Result<Self> {
        open("vic.guestinfo.out", true).map(Self)
    }

    /// Reports one status key.
    pub fn report(&mut self, key: &str, value: &str) {
        self.line(&json!({ "key": format!("guestinfo.vic.status.{key}"), "value": value }));
    }

    /// Asks the host to freeze this machine as the source of instant clones.
    pub fn ask_to_freeze(&mut self) {
        self.line(&json!({ "rpc": "instantclone.freeze" }));
    }

    fn line(&mut self, value: &Value) {
        // The host owns the other end; there is nobody else to tell when it cannot be written.
        if let Err(error) = self.0.write_all(format!("{value}\n").as_bytes()) {
            eprintln!("tether: cannot write the journal: {error}");
        }
    }
}

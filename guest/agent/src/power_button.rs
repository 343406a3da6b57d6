//! The machine's power button: how an administrator asks the guest to shut down.

use crate::sys;
use std::fs::{self, File, OpenOptions};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// struct input_event: two 64-bit words of time, type, code, value.
const EVENT_BYTES: usize = 24;
const EV_KEY: u16 = 1;
const KEY_POWER: u16 = 116;
const PRESSED: i32 = 1;

/// What `docker stop` grants where nothing was said.
const GRACE_SECONDS: i64 = 10;
/// A container that may take longer than a day may take for ever.
const MAX_GRACE_SECONDS: i64 = 24 * 60 * 60;

/// How the container is to be stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StopOrder {
    pub signal: i32,
    /// Until it is killed; never without.
    pub grace_ms: Option<u64>,
}

impl StopOrder {
    /// From the machine's configuration; what is missing or makes no sense is as in Docker.
    pub fn parse(signal: &str, seconds: &str) -> Self {
        let signal = signal.parse().ok().filter(|number| (1..=64).contains(number)).unwrap_or(libc::SIGTERM);
        let seconds = seconds.parse().unwrap_or(GRACE_SECONDS);
        let grace_ms = (0..=MAX_GRACE_SECONDS).contains(&seconds).then(|| seconds as u64 * 1000);
        Self { signal, grace_ms }
    }
}

/// All buttons the firmware describes.
pub struct PowerButtons(Vec<File>);

impl PowerButtons {
    /// Opens them; a machine without one can still be stopped over the channel.
    pub fn open() -> Self {
        let entries = fs::read_dir("/sys/class/input").into_iter().flatten().flatten();
        let events = entries.filter_map(|entry| entry.file_name().into_string().ok().map(|name| (name, entry.path())));
        let open = |name: &str| {
            let device = Path::new("/dev/input").join(name);
            OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(device).ok()
        };
        Self(
            events
                .filter(|(name, path)| {
                    let title = fs::read_to_string(path.join("device/name")).unwrap_or_default();
                    name.starts_with("event") && title.trim() == "Power Button"
                })
                .filter_map(|(name, _)| open(&name))
                .collect(),
        )
    }

    pub fn descriptors(&self) -> impl Iterator<Item = RawFd> + '_ {
        self.0.iter().map(AsRawFd::as_raw_fd)
    }

    /// Whether one has been pressed since the last call.
    pub fn were_pressed(&self) -> bool {
        let mut pressed = false;
        for button in &self.0 {
            let mut buffer = [0; 32 * EVENT_BYTES];
            while let Ok(count @ 1..) = sys::read(button, &mut buffer) {
                pressed |= buffer[..count].chunks_exact(EVENT_BYTES).any(is_press);
            }
        }
        pressed
    }
}

fn is_press(event: &[u8]) -> bool {
    event[16..18] == EV_KEY.to_ne_bytes()
        && event[18..20] == KEY_POWER.to_ne_bytes()
        && event[20..24] == PRESSED.to_ne_bytes()
}

#[cfg(test)]
mod tests {
    use super::StopOrder;

    #[test]
    fn stops_as_the_container_wants_to_be_stopped() {
        let order = |signal, grace_ms| StopOrder { signal, grace_ms };
        assert_eq!(StopOrder::parse("3", "30"), order(3, Some(30_000)));
        assert_eq!(StopOrder::parse("", ""), order(libc::SIGTERM, Some(10_000)));
        assert_eq!(StopOrder::parse("65", "0"), order(libc::SIGTERM, Some(0)));
        assert_eq!(StopOrder::parse("37", "-1"), order(37, None));
    }
}

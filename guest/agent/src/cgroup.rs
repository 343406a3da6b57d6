//! The control group of everything the container runs: it makes the container, and not the machine, run out of memory.

use crate::rootfs::PSEUDO;
use crate::sys;
use std::fs::{self, File};
use std::io;
use std::path::Path;

const TREE: &str = "/sys/fs/cgroup";
const CONTAINER: &str = "/sys/fs/cgroup/container";
/// Delegated: what the container sees of its group's limits it cannot change.
const OPTIONS: &str = "nsdelegate";
/// What stays with the kernel and the tether, so that neither has to wait for memory the container holds.
const RESERVE_BYTES: u64 = 8 * 1024 * 1024;

/// Makes the container's group, without a limit yet.
pub fn prepare() -> io::Result<()> {
    mount(Path::new(TREE))?;
    fs::write(Path::new(TREE).join("cgroup.subtree_control"), "+memory +pids +cpu +io")?;
    fs::create_dir(CONTAINER)
}

/// Mounts the groups as the mounting process's namespace shows them.
pub fn mount(target: &Path) -> io::Result<()> {
    sys::mount("cgroup2", target, "cgroup2", PSEUDO, OPTIONS)
}

/// Gives the container all memory that can be had, but for a reserve.
pub fn limit_memory() -> io::Result<()> {
    // As on a big machine with limited containers: what may be asked for is not bounded, what is touched is.
    fs::write("/proc/sys/vm/overcommit_memory", "1")?;
    let available = available_bytes(&fs::read_to_string("/proc/meminfo")?)
        .ok_or_else(|| io::Error::other("/proc/meminfo has no MemAvailable"))?;
    let limit = available.saturating_sub(RESERVE_BYTES);
    fs::write(Path::new(CONTAINER).join("memory.max"), limit.to_string())
}

/// The group as a place to start processes in.
pub fn open() -> io::Result<File> {
    File::open(CONTAINER)
}

/// How many of the container's processes the kernel has killed for lack of memory.
pub fn oom_kills() -> u64 {
    // The machine's counter, not the group's: it has also those killed for a lack outside of the group.
    number_after(&fs::read_to_string("/proc/vmstat").unwrap_or_default(), "oom_kill ").unwrap_or(0)
}

fn available_bytes(meminfo: &str) -> Option<u64> {
    number_after(meminfo, "MemAvailable:").map(|kibibytes| kibibytes * 1024)
}

/// The first word after the name that a line begins with.
fn number_after(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_kernels_counters() {
        let meminfo = "MemTotal:         190000 kB\nMemAvailable:     140000 kB\n";
        assert_eq!(available_bytes(meminfo), Some(140_000 * 1024));
        assert_eq!(available_bytes("MemTotal: 1 kB\n"), None);
        assert_eq!(number_after("oom_kill_x 3\noom_kill 2\n", "oom_kill "), Some(2));
    }
}

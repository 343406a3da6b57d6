//! From the kernel's first instruction in user space to a machine that can be configured.

use crate::cgroup;
use crate::disk;
use crate::network;
use crate::rootfs;
use crate::sys;
use std::fs::{self, File};
use std::io;
use std::path::Path;

const RLIMIT_CORE: u32 = 4;
const RLIMIT_NPROC: u32 = 6;
const RLIMIT_NOFILE: u32 = 7;
/// What Docker's daemon gives its containers.
const OPEN_FILES: i64 = 1_048_576;

/// Loads the modules, moves to a root that can be pivoted from, mounts the kernel's file systems.
pub fn prepare() -> io::Result<()> {
    load_modules(Path::new("/modules"))?;
    fs::create_dir_all("/new")?;
    sys::mount("tmpfs", Path::new("/new"), "tmpfs", libc::MS_NOSUID, "mode=755")?;
    for (path, kind, flags) in [
        ("dev", "devtmpfs", libc::MS_NOSUID),
        ("proc", "proc", libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC),
        ("sys", "sysfs", libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC),
    ] {
        let target = Path::new("/new").join(path);
        fs::create_dir(&target)?;
        sys::mount(kind, &target, kind, flags, "")?;
    }
    // The initramfs is memory; what has been loaded is not needed again.
    let _ = fs::remove_dir_all("/modules");
    let _ = fs::remove_file("/init");
    std::env::set_current_dir("/new")?;
    sys::mount("/new", Path::new("/"), "", libc::MS_MOVE, "")?;
    std::os::unix::fs::chroot(".")?;
    std::env::set_current_dir("/")?;
    for (resource, limit) in [(RLIMIT_CORE, -1), (RLIMIT_NPROC, -1), (RLIMIT_NOFILE, OPEN_FILES)] {
        sys::set_limit(resource, limit, limit)?;
    }
    fs::write("/proc/self/oom_score_adj", "-1000")?;
    // There is no program to load modules with: do not try.
    fs::write("/proc/sys/kernel/modprobe", "")?;
    cgroup::prepare()?;
    network::prepare()?;
    disk::prepare()?;
    rootfs::prepare()
}

/// Loads every module of a directory, in the order of their names, which is that of their dependencies.
fn load_modules(directory: &Path) -> io::Result<()> {
    let mut paths: Vec<_> = fs::read_dir(directory)?.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if let Err(error) = File::open(&path).and_then(|file| sys::load_module(&file)) {
            // Without one of the modules the machine may still be able to do its work.
            eprintln!("tether: cannot load {}: {error}", path.display());
        }
    }
    Ok(())
}

/// Mixes bytes only this machine has into the kernel's random pool, and reseeds from it.
pub fn seed_random(bytes: &[u8]) -> io::Result<()> {
    sys::add_entropy(&File::options().write(true).open("/dev/urandom")?, bytes)
}

/// `count` bytes of the kernel's generator.
pub fn random_bytes(count: usize) -> io::Result<Vec<u8>> {
    use std::io::Read;
    let mut bytes = vec![0; count];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Runs once through what a clone will do first, so that the frozen memory has it ready.
pub fn warm_up() -> io::Result<()> {
    network::settle()?;
    match sys::fork(libc::CLONE_NEWPID | libc::CLONE_NEWNS, Some(&cgroup::open()?))? {
        Some(pid) => {
            while sys::reap().is_none_or(|(reaped, _)| reaped != pid) {
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
            Ok(())
        }
        None => {
            let _ = rehearse();
            sys::exit_now(0);
        }
    }
}

fn rehearse() -> io::Result<()> {
    sys::mount("", Path::new("/"), "", libc::MS_REC | libc::MS_PRIVATE, "")?;
    fs::create_dir_all("/w")?;
    sys::mount("tmpfs", Path::new("/w"), "tmpfs", 0, "")?;
    for name in ["lower", "upper", "work", "root"] {
        fs::create_dir(Path::new("/w").join(name))?;
    }
    sys::mount("overlay", Path::new("/w/root"), "overlay", 0, "lowerdir=/w/lower,upperdir=/w/upper,workdir=/w/work")?;
    std::env::set_current_dir("/w/root")?;
    sys::pivot_root_here()
}

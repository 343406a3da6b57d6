//! What a container finds in its root besides its own files: devices, pseudo file systems, names.

use crate::disk::ROOT;
use crate::message::{LaunchSpec, StartFailure, Tmpfs};
use crate::sys;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{symlink, PermissionsExt};
use std::path::{Path, PathBuf};

/// Where the generated /etc files live: a tmpfs outside the container.
const FILES: &str = "/files";
pub const PSEUDO: u64 = libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC;
/// Where what every container has in its root waits for one.
const WAITING: &str = "/waiting";
/// Mounted by the [zygote](crate::zygote), in its namespaces.
pub const PROC: &str = "/waiting/proc";
pub const CGROUPS: &str = "/waiting/sys/fs/cgroup";
/// What Docker gives when it is not told.
const SHM_BYTES: i64 = 64 * 1024 * 1024;

/// Mounts what every container has, before it is known which one it will be.
pub fn prepare() -> io::Result<()> {
    let at = |path: &str| PathBuf::from(format!("{WAITING}{path}"));
    let mount = |path: &str, kind: &str, flags: u64, options: &str| {
        fs::create_dir_all(at(path))?;
        sys::mount(kind, &at(path), kind, flags, options)
    };
    fs::create_dir_all(PROC)?;
    mount("/sys", "sysfs", PSEUDO, "")?;
    mount("/dev", "tmpfs", libc::MS_NOSUID, "mode=755,size=65536k")?;
    make_devices(&at("/dev"))?;
    let pts = "newinstance,ptmxmode=0666,mode=0620,gid=5";
    mount("/dev/pts", "devpts", libc::MS_NOSUID | libc::MS_NOEXEC, pts)?;
    mount("/dev/shm", "tmpfs", PSEUDO, &format!("mode=1777,size={SHM_BYTES}"))?;
    mount("/dev/mqueue", "mqueue", PSEUDO, "")
}

/// Puts it all into the container's root, with what only this container has.
pub fn furnish(spec: &LaunchSpec) -> Result<(), StartFailure> {
    let root = File::open(ROOT).map_err(|error| fail("/", &error))?;
    for path in ["/proc", "/sys", "/dev"] {
        move_in(&root, path)?;
    }
    if spec.shm_size != SHM_BYTES {
        let (path, size) = (format!("{ROOT}/dev/shm"), format!("size={}", spec.shm_size));
        sys::mount("", Path::new(&path), "", libc::MS_REMOUNT | PSEUDO, &size)
            .map_err(|error| fail("/dev/shm", &error))?;
    }
    for tmpfs in &spec.tmpfs {
        mount_tmpfs(&root, tmpfs)?;
    }
    bind_files(&root, spec)?;
    if spec.read_only {
        let flags = libc::MS_REMOUNT | libc::MS_BIND | libc::MS_RDONLY;
        sys::mount("", Path::new(ROOT), "", flags, "").map_err(|error| fail("/", &error))?;
    }
    Ok(())
}

/// Puts a terminal of the container's own instance in the place of its console.
pub fn bind_console(slave: u32) -> Result<(), StartFailure> {
    let (source, console) = (format!("{ROOT}/dev/pts/{slave}"), format!("{ROOT}/dev/console"));
    File::create(&console)
        .and_then(|_| sys::mount(&source, Path::new(&console), "", libc::MS_BIND, ""))
        .map_err(|error| fail("/dev/console", &error))
}

fn make_devices(dev: &Path) -> io::Result<()> {
    let devices = [("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0)];
    for (name, major, minor) in devices {
        sys::make_device(&dev.join(name), 0o666, major, minor)?;
        // The file mask took the others' right to write away.
        fs::set_permissions(dev.join(name), fs::Permissions::from_mode(0o666))?;
    }
    let links = [
        ("fd", "/proc/self/fd"),
        ("stdin", "/proc/self/fd/0"),
        ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
        ("core", "/proc/kcore"),
        ("ptmx", "pts/ptmx"),
    ];
    links.iter().try_for_each(|(name, target)| symlink(target, dev.join(name)))
}

fn mount_tmpfs(root: &File, tmpfs: &Tmpfs) -> Result<(), StartFailure> {
    let mut options = format!("mode={:o}", tmpfs.mode.unwrap_or(0o1777));
    if let Some(size) = tmpfs.size {
        let _ = write!(options, ",size={size}");
    }
    let flag = |set: bool, flag: u64| if set { flag } else { 0 };
    let flags = libc::MS_NOSUID
        | libc::MS_NODEV
        | flag(tmpfs.read_only, libc::MS_RDONLY)
        | flag(tmpfs.no_exec, libc::MS_NOEXEC);
    mount_in(root, &tmpfs.path, "tmpfs", flags, &options)
}

fn bind_files(root: &File, spec: &LaunchSpec) -> Result<(), StartFailure> {
    let files = [
        ("/etc/hostname", format!("{}\n", spec.hostname)),
        ("/etc/hosts", hosts(spec)),
        ("/etc/resolv.conf", resolver(spec)),
    ];
    for (path, text) in files {
        bind_file(root, path, &text).map_err(|error| fail(path, &error))?;
    }
    Ok(())
}

fn bind_file(root: &File, path: &str, text: &str) -> io::Result<()> {
    let source = PathBuf::from(format!("{FILES}{path}"));
    fs::create_dir_all(source.parent().unwrap_or(Path::new(FILES)))?;
    fs::write(&source, text)?;
    fs::set_permissions(&source, fs::Permissions::from_mode(0o644))?;
    make_directory(root, "/etc")?;
    let opened = sys::open_in_root(root, path, libc::O_PATH, 0);
    let target = match opened {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            sys::open_in_root(root, path, libc::O_CREAT | libc::O_WRONLY | libc::O_NONBLOCK, 0o644)?
        }
        other => other?,
    };
    sys::mount(&source.display().to_string(), &descriptor_path(&target), "", libc::MS_BIND, "")
}

fn hosts(spec: &LaunchSpec) -> String {
    let mut text = String::from(
        "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::\tip6-localnet\n\
         ff00::\tip6-mcastprefix\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n",
    );
    let own = match spec.domainname.as_str() {
        "" => spec.hostname.clone(),
        domain => format!("{}.{domain} {}", spec.hostname, spec.hostname),
    };
    if !spec.hostname.is_empty() {
        for (address, _) in spec.interfaces.iter().flat_map(|interface| &interface.addresses) {
            let _ = writeln!(text, "{address}\t{own}");
        }
    }
    for (address, names) in &spec.hosts {
        let _ = writeln!(text, "{address}\t{}", names.join(" "));
    }
    text
}

fn resolver(spec: &LaunchSpec) -> String {
    let mut text = String::new();
    for server in &spec.dns_servers {
        let _ = writeln!(text, "nameserver {server}");
    }
    for (word, values) in [("search", &spec.dns_search), ("options", &spec.dns_options)] {
        if !values.is_empty() {
            let _ = writeln!(text, "{word} {}", values.join(" "));
        }
    }
    text
}

fn move_in(root: &File, path: &str) -> Result<(), StartFailure> {
    make_directory(root, path)
        .and_then(|target| sys::mount(&format!("{WAITING}{path}"), &descriptor_path(&target), "", libc::MS_MOVE, ""))
        .map_err(|error| fail(path, &error))
}

fn mount_in(root: &File, path: &str, kind: &str, flags: u64, options: &str) -> Result<(), StartFailure> {
    make_directory(root, path)
        .and_then(|target| sys::mount(kind, &descriptor_path(&target), kind, flags, options))
        .map_err(|error| fail(path, &error))
}

/// Opens a directory of the container, creating what is missing; links lead nowhere outside of it.
fn make_directory(root: &File, path: &str) -> io::Result<OwnedFd> {
    let flags = libc::O_PATH | libc::O_DIRECTORY;
    let mut current = sys::open_in_root(root, "/", flags, 0)?;
    let mut so_far = String::new();
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        let _ = write!(so_far, "/{part}");
        current = match sys::open_in_root(root, &so_far, flags, 0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                sys::make_directory_at(&current, part, 0o755)?;
                sys::open_in_root(root, &so_far, flags, 0)?
            }
            other => other?,
        };
    }
    Ok(current)
}

/// A path that means exactly the opened file.
fn descriptor_path(fd: &OwnedFd) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", fd.as_raw_fd()))
}

fn fail(path: &str, error: &io::Error) -> StartFailure {
    StartFailure::new("mount", format!("cannot prepare {path} in the container: {error}"))
}

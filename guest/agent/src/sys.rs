//! Every system call and all `unsafe` of the tether. Each function checks its result and nothing else.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, OsStr};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

pub use crate::sys_process::*;

pub(crate) fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}

pub(crate) fn check_long(result: libc::c_long) -> io::Result<libc::c_long> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}

pub(crate) fn owned(result: libc::c_int) -> io::Result<OwnedFd> {
    // SAFETY: a non-negative result of the calls below is a new descriptor that nobody else owns.
    check(result).map(|fd| unsafe { OwnedFd::from_raw_fd(fd) })
}

pub(crate) fn c_path(path: &Path) -> io::Result<CString> {
    c_bytes(path.as_os_str())
}

fn c_bytes(text: &OsStr) -> io::Result<CString> {
    CString::new(text.as_bytes()).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))
}

fn c_text(text: &str) -> io::Result<CString> {
    c_bytes(OsStr::new(text))
}

pub fn mount(source: &str, target: &Path, kind: &str, flags: u64, data: &str) -> io::Result<()> {
    let (source, target, kind, data) = (c_text(source)?, c_path(target)?, c_text(kind)?, c_text(data)?);
    // SAFETY: all pointers are NUL-terminated strings that outlive the call.
    check(unsafe {
        libc::mount(source.as_ptr(), target.as_ptr(), kind.as_ptr(), flags as libc::c_ulong, data.as_ptr().cast())
    })
    .map(drop)
}

pub fn unmount(target: &Path, flags: i32) -> io::Result<()> {
    let target = c_path(target)?;
    // SAFETY: a NUL-terminated string.
    check(unsafe { libc::umount2(target.as_ptr(), flags) }).map(drop)
}

/// Makes `new_root`, which must be the current directory, the root and detaches the old one.
pub fn pivot_root_here() -> io::Result<()> {
    let dot = c".";
    // SAFETY: static NUL-terminated strings. With both arguments equal the old root is stacked on the new one.
    check_long(unsafe { libc::syscall(libc::SYS_pivot_root, dot.as_ptr(), dot.as_ptr()) })?;
    unmount(Path::new("."), libc::MNT_DETACH)
}

/// Makes a part of a disk known as its partition of that number.
pub fn add_partition(disk: &impl AsRawFd, number: i32, start_bytes: u64, bytes: u64) -> io::Result<()> {
    /// struct blkpg_partition, up to what has no meaning any more.
    #[repr(C)]
    struct Partition {
        start: i64,
        length: i64,
        number: i32,
        names: [u8; 128],
    }
    /// struct blkpg_ioctl_arg.
    #[repr(C)]
    struct Argument {
        operation: i32,
        flags: i32,
        length: i32,
        data: *mut Partition,
    }
    const BLKPG: libc::c_ulong = 0x1269;
    const ADD: i32 = 1;
    let too_large = |_| io::Error::from(io::ErrorKind::InvalidInput);
    let start = i64::try_from(start_bytes).map_err(too_large)?;
    let length = i64::try_from(bytes).map_err(too_large)?;
    let mut partition = Partition { start, length, number, names: [0; 128] };
    let size = std::mem::size_of::<Partition>() as i32;
    let argument = Argument { operation: ADD, flags: 0, length: size, data: &mut partition };
    // SAFETY: both structures outlive the call.
    check(unsafe { libc::ioctl(disk.as_raw_fd(), BLKPG as _, &argument) }).map(drop)
}

pub fn load_module(file: &impl AsRawFd) -> io::Result<()> {
    // SAFETY: a valid descriptor and a static string.
    check_long(unsafe { libc::syscall(libc::SYS_finit_module, file.as_raw_fd(), c"".as_ptr(), 0) }).map(drop)
}

pub fn power_off() -> io::Error {
    // SAFETY: no pointers.
    unsafe { libc::reboot(libc::RB_POWER_OFF) };
    io::Error::last_os_error()
}

pub fn sync() {
    // SAFETY: no arguments.
    unsafe { libc::sync() }
}

pub fn read(fd: &impl AsRawFd, buffer: &mut [u8]) -> io::Result<usize> {
    // SAFETY: the buffer is valid for its length.
    let count = unsafe { libc::read(fd.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len()) };
    usize::try_from(count).map_err(|_| io::Error::last_os_error())
}

pub fn write(fd: &impl AsRawFd, bytes: &[u8]) -> io::Result<usize> {
    // SAFETY: the buffer is valid for its length.
    let count = unsafe { libc::write(fd.as_raw_fd(), bytes.as_ptr().cast(), bytes.len()) };
    usize::try_from(count).map_err(|_| io::Error::last_os_error())
}

/// Waits for any of the descriptors; negative ones are left out.
pub fn poll(entries: &mut [libc::pollfd], timeout_ms: i32) -> io::Result<()> {
    // SAFETY: the slice is valid for its length.
    let result = unsafe { libc::poll(entries.as_mut_ptr(), entries.len() as libc::nfds_t, timeout_ms) };
    match check(result) {
        Err(error) if error.raw_os_error() == Some(libc::EINTR) => Ok(()),
        other => other.map(drop),
    }
}

/// An epoll instance that reports changes of one descriptor once each (edge-triggered).
pub fn edge_watch(fd: &impl AsRawFd) -> io::Result<OwnedFd> {
    // SAFETY: no pointers.
    let epoll = owned(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
    let flags = libc::EPOLLIN | libc::EPOLLOUT | libc::EPOLLHUP | libc::EPOLLET;
    let mut event = libc::epoll_event { events: flags as u32, u64: 0 };
    // SAFETY: the event outlives the call.
    check(unsafe { libc::epoll_ctl(epoll.as_raw_fd(), libc::EPOLL_CTL_ADD, fd.as_raw_fd(), &mut event) })?;
    Ok(epoll)
}

/// The event bits of an [`edge_watch`], or 0 when the time is up.
pub fn edge_wait(epoll: &OwnedFd, timeout_ms: i32) -> io::Result<u32> {
    let mut event = libc::epoll_event { events: 0, u64: 0 };
    // SAFETY: room for the one event asked for.
    let count = unsafe { libc::epoll_wait(epoll.as_raw_fd(), &mut event, 1, timeout_ms) };
    match check(count) {
        Ok(0) => Ok(0),
        Ok(_) => Ok(event.events),
        Err(error) if error.raw_os_error() == Some(libc::EINTR) => Ok(0),
        Err(error) => Err(error),
    }
}

/// A pipe: its read end and its write end.
pub fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut ends = [0; 2];
    // SAFETY: room for two descriptors, which are new and unowned on success.
    unsafe {
        check(libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC))?;
        Ok((OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1])))
    }
}

pub fn set_nonblocking(fd: &impl AsRawFd) -> io::Result<()> {
    // SAFETY: no pointers.
    unsafe {
        let flags = check(libc::fcntl(fd.as_raw_fd(), libc::F_GETFL))?;
        check(libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, flags | libc::O_NONBLOCK)).map(drop)
    }
}

/// Makes `fd` also known as `number`, open across exec.
pub fn duplicate_to(fd: &impl AsRawFd, number: RawFd) -> io::Result<()> {
    if fd.as_raw_fd() == number {
        // SAFETY: no pointers. dup2 onto itself would leave close-on-exec set.
        return check(unsafe { libc::fcntl(number, libc::F_SETFD, 0) }).map(drop);
    }
    // SAFETY: no pointers.
    check(unsafe { libc::dup2(fd.as_raw_fd(), number) }).map(drop)
}

pub fn make_controlling_terminal(fd: &impl AsRawFd) -> io::Result<()> {
    // SAFETY: the request takes an integer.
    check(unsafe { libc::ioctl(fd.as_raw_fd(), libc::TIOCSCTTY, 0) }).map(drop)
}

pub fn set_window_size(fd: &impl AsRawFd, rows: u16, cols: u16) -> io::Result<()> {
    let size = libc::winsize { ws_row: rows, ws_col: cols, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: the request reads the structure.
    check(unsafe { libc::ioctl(fd.as_raw_fd(), libc::TIOCSWINSZ, &size) }).map(drop)
}

/// Unlocks the slave of a pseudo-terminal master and gives its number.
pub fn unlock_terminal(master: &impl AsRawFd) -> io::Result<u32> {
    let unlocked: libc::c_int = 0;
    let mut number: libc::c_uint = 0;
    // SAFETY: the requests read and write one integer each.
    unsafe {
        check(libc::ioctl(master.as_raw_fd(), libc::TIOCSPTLCK, &unlocked))?;
        check(libc::ioctl(master.as_raw_fd(), libc::TIOCGPTN, &mut number))?;
    }
    Ok(number)
}

const RNDADDENTROPY: libc::c_ulong = 0x4008_5203;
const RNDRESEEDCRNG: libc::c_ulong = 0x5207;

/// Mixes bytes into the kernel's pool, credits them, and reseeds the generator from it at once.
pub fn add_entropy(random: &impl AsRawFd, bytes: &[u8]) -> io::Result<()> {
    let mut request = Vec::with_capacity(8 + bytes.len());
    request.extend_from_slice(&((bytes.len() * 8) as i32).to_ne_bytes());
    request.extend_from_slice(&(bytes.len() as i32).to_ne_bytes());
    request.extend_from_slice(bytes);
    // SAFETY: struct rand_pool_info is two ints and the bytes; the second request takes nothing.
    unsafe {
        check(libc::ioctl(random.as_raw_fd(), RNDADDENTROPY as _, request.as_ptr()))?;
        check(libc::ioctl(random.as_raw_fd(), RNDRESEEDCRNG as _)).map(drop)
    }
}

/// Nanoseconds since 1970.
pub fn now_ns() -> u64 {
    clock(libc::CLOCK_REALTIME)
}

/// Milliseconds since some moment, never backwards.
pub fn monotonic_ms() -> u64 {
    clock(libc::CLOCK_MONOTONIC) / 1_000_000
}

fn clock(id: libc::clockid_t) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the structure outlives the call.
    unsafe { libc::clock_gettime(id, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

pub fn set_clock(ns: u64) -> io::Result<()> {
    let time = libc::timespec { tv_sec: (ns / 1_000_000_000) as i64, tv_nsec: (ns % 1_000_000_000) as i64 };
    // SAFETY: the structure outlives the call.
    check(unsafe { libc::clock_settime(libc::CLOCK_REALTIME, &time) }).map(drop)
}

pub fn set_host_name(name: &str) -> io::Result<()> {
    // SAFETY: pointer and length of one string.
    check(unsafe { libc::sethostname(name.as_ptr().cast(), name.len()) }).map(drop)
}

pub fn set_domain_name(name: &str) -> io::Result<()> {
    // SAFETY: pointer and length of one string.
    check(unsafe { libc::setdomainname(name.as_ptr().cast(), name.len()) }).map(drop)
}

pub fn make_device(path: &Path, mode: u32, major: u32, minor: u32) -> io::Result<()> {
    let path = c_path(path)?;
    // SAFETY: a NUL-terminated string.
    check(unsafe { libc::mknod(path.as_ptr(), libc::S_IFCHR | mode, libc::makedev(major, minor)) }).map(drop)
}

pub fn make_directory_at(directory: &impl AsRawFd, name: &str, mode: u32) -> io::Result<()> {
    let name = c_text(name)?;
    // SAFETY: a NUL-terminated string.
    check(unsafe { libc::mkdirat(directory.as_raw_fd(), name.as_ptr(), mode) }).map(drop)
}

#[repr(C)]
struct OpenHow {
    flags: u64,
    mode: u64,
    resolve: u64,
}

const RESOLVE_IN_ROOT: u64 = 0x10;

/// Opens a path as if `root` were the root directory: no link or `..` leads out of it.
pub fn open_in_root(root: &impl AsRawFd, path: &str, flags: i32, mode: u32) -> io::Result<OwnedFd> {
    let path = c_text(path)?;
    let how = OpenHow { flags: (flags | libc::O_CLOEXEC) as u64, mode: u64::from(mode), resolve: RESOLVE_IN_ROOT };
    // SAFETY: openat2(2) reads the string and the structure of the size given.
    let fd = unsafe {
        libc::syscall(libc::SYS_openat2, root.as_raw_fd(), path.as_ptr(), &how, std::mem::size_of::<OpenHow>())
    };
    owned(check_long(fd)? as libc::c_int)
}

/// Copies all extended attributes that the target takes.
pub fn copy_attributes(from: &Path, to: &Path) -> io::Result<()> {
    let (from, to) = (c_path(from)?, c_path(to)?);
    let mut names = vec![0u8; 64 * 1024];
    // SAFETY: buffers are valid for their lengths; the kernel NUL-terminates each name in the list.
    unsafe {
        let size = libc::llistxattr(from.as_ptr(), names.as_mut_ptr().cast(), names.len());
        let Ok(size) = usize::try_from(size) else {
            let error = io::Error::last_os_error();
            // A squashfs without any attribute does not know them at all.
            return if error.raw_os_error() == Some(libc::EOPNOTSUPP) { Ok(()) } else { Err(error) };
        };
        let mut value = vec![0u8; if size > 0 { 64 * 1024 } else { 0 }];
        for name in names[..size].split_inclusive(|byte| *byte == 0) {
            let Ok(name) = CStr::from_bytes_with_nul(name) else { continue };
            if name.to_bytes().starts_with(b"trusted.overlay.") {
                continue;
            }
            let count = libc::lgetxattr(from.as_ptr(), name.as_ptr(), value.as_mut_ptr().cast(), value.len());
            if let Ok(count) = usize::try_from(count) {
                check(libc::lsetxattr(to.as_ptr(), name.as_ptr(), value.as_ptr().cast(), count, 0))?;
            }
        }
    }
    Ok(())
}

/// A socket to the kernel's routing tables.
pub fn route_socket() -> io::Result<OwnedFd> {
    // SAFETY: no pointers.
    owned(unsafe { libc::socket(libc::AF_NETLINK, libc::SOCK_RAW | libc::SOCK_CLOEXEC, libc::NETLINK_ROUTE) })
}

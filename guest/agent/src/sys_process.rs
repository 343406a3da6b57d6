//! The system calls around processes: signals, forks, namespaces, limits, users, exec.
#![allow(unsafe_code)]

use crate::sys::{c_path, check, check_long, owned};
use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

fn all_signals() -> libc::sigset_t {
    // SAFETY: sigfillset initialises the set.
    unsafe {
        let mut set = std::mem::zeroed();
        libc::sigfillset(&mut set);
        set
    }
}

/// Blocks every signal and gives a descriptor that is readable when a child has changed state.
pub fn child_signal_descriptor() -> io::Result<OwnedFd> {
    let all = all_signals();
    // SAFETY: the sets are initialised and outlive the calls.
    unsafe {
        check(libc::sigprocmask(libc::SIG_SETMASK, &all, std::ptr::null_mut()))?;
        let mut child: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut child);
        libc::sigaddset(&mut child, libc::SIGCHLD);
        owned(libc::signalfd(-1, &child, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK))
    }
}

/// In a child: default handlers and an empty mask, as a new program expects.
pub fn reset_signals() {
    // SAFETY: only default dispositions are installed; the set is initialised.
    unsafe {
        for signal in 1..=64 {
            libc::signal(signal, libc::SIG_DFL);
        }
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &none, std::ptr::null_mut());
    }
}

const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// The argument of clone3(2), second version.
#[repr(C)]
#[derive(Default)]
struct CloneArguments {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: u64,
    set_tid_size: u64,
    cgroup: u64,
}

/// Forks into new namespaces and another control group; `Some(pid)` in the parent and `None` in the child.
/// The tether has one thread.
pub fn fork(namespaces: i32, group: Option<&File>) -> io::Result<Option<i32>> {
    let arguments = CloneArguments {
        flags: namespaces as u64 | if group.is_some() { CLONE_INTO_CGROUP } else { 0 },
        exit_signal: libc::SIGCHLD as u64,
        cgroup: group.map_or(0, |group| group.as_raw_fd() as u64),
        ..CloneArguments::default()
    };
    // SAFETY: the structure outlives the call; without CLONE_VM the child gets its own copy of everything.
    let pid = unsafe { libc::syscall(libc::SYS_clone3, &arguments, std::mem::size_of::<CloneArguments>()) };
    check_long(pid).map(|pid| if pid == 0 { None } else { Some(pid as i32) })
}

/// Moves this process to new namespaces.
pub fn leave_namespaces(kinds: i32) -> io::Result<()> {
    // SAFETY: no pointers.
    check(unsafe { libc::unshare(kinds) }).map(drop)
}

pub fn enter_namespace(fd: &impl AsRawFd, kind: i32) -> io::Result<()> {
    // SAFETY: no pointers.
    check(unsafe { libc::setns(fd.as_raw_fd(), kind) }).map(drop)
}

/// One child that has ended, and its wait status.
pub fn reap() -> Option<(i32, i32)> {
    let mut status = 0;
    // SAFETY: the status outlives the call.
    let pid = unsafe { libc::waitpid(-1, &mut status, libc::WNOHANG | libc::__WALL) };
    (pid > 0).then_some((pid, status))
}

/// The exit code and the signal of a wait status.
pub fn exit_of(status: i32) -> (i32, i32) {
    if libc::WIFSIGNALED(status) {
        let signal = libc::WTERMSIG(status);
        (128 + signal, signal)
    } else {
        (libc::WEXITSTATUS(status), 0)
    }
}

pub fn kill(pid: i32, signal: i32) -> io::Result<()> {
    // SAFETY: no pointers.
    check(unsafe { libc::kill(pid, signal) }).map(drop)
}

pub fn exit_now(code: i32) -> ! {
    // SAFETY: ends the process without running the parent's exit handlers.
    unsafe { libc::_exit(code) }
}

pub fn new_session() -> io::Result<()> {
    // SAFETY: no arguments.
    check(unsafe { libc::setsid() }).map(drop)
}

/// Sets a limit; negative means unlimited.
pub fn set_limit(resource: u32, soft: i64, hard: i64) -> io::Result<()> {
    let limit = |value: i64| u64::try_from(value).unwrap_or(libc::RLIM_INFINITY);
    let limits = libc::rlimit { rlim_cur: limit(soft), rlim_max: limit(hard) };
    // SAFETY: the structure outlives the call.
    check(unsafe { libc::setrlimit(resource as _, &limits) }).map(drop)
}

/// Becomes a user for good.
pub fn become_user(uid: u32, gid: u32, groups: &[u32]) -> io::Result<()> {
    // SAFETY: pointer and length of one slice.
    unsafe {
        check(libc::setgroups(groups.len(), groups.as_ptr()))?;
        check(libc::setresgid(gid, gid, gid))?;
        check(libc::setresuid(uid, uid, uid)).map(drop)
    }
}

pub fn set_file_mask(mask: u32) {
    // SAFETY: no pointers.
    unsafe { libc::umask(mask) };
}

/// Replaces the program; returns only when that fails.
pub fn execute(path: &Path, args: &[CString], env: &[CString]) -> io::Error {
    let Ok(path) = c_path(path) else {
        return io::Error::from_raw_os_error(libc::ENOENT);
    };
    let pointers = |list: &[CString]| -> Vec<*const libc::c_char> {
        list.iter().map(|item| item.as_ptr()).chain(std::iter::once(std::ptr::null())).collect()
    };
    let (args, env) = (pointers(args), pointers(env));
    // SAFETY: NULL-terminated lists of NUL-terminated strings.
    unsafe { libc::execve(path.as_ptr(), args.as_ptr(), env.as_ptr()) };
    io::Error::last_os_error()
}

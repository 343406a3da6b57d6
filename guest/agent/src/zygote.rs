//! The process that becomes the container's main process.
//!
//! It is made when the machine boots, in namespaces of its own, and waits. In a clone all of that has been done
//! in the template already: what is left for the launch is to enter the root and to execute the program.

use crate::cgroup;
use crate::disk::ROOT;
use crate::message::{self, LaunchSpec, Request, StartFailure};
use crate::process::{self, ChildStreams, Cwd, Started};
use crate::rootfs::{self, PSEUDO};
use crate::sys;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::path::Path;

/// What the zygote says once it is in its place.
const READY: u8 = b'!';
/// Where a terminal's number is expected, of a process that has none.
const NO_TERMINAL: u32 = u32::MAX;

/// Our ends of what connects us to the process that waits.
pub struct Zygote {
    pid: i32,
    orders: File,
    report: File,
    stdin: OwnedFd,
    stdout: OwnedFd,
    stderr: OwnedFd,
}

/// The waiting process's ends.
struct Ends {
    orders: File,
    report: File,
    streams: [File; 3],
}

impl Zygote {
    /// Makes the process; mounts what needs its namespaces, where [`rootfs::furnish`] takes it from.
    pub fn make() -> io::Result<Self> {
        let (orders, orders_to) = sys::pipe()?;
        let (report, report_to) = sys::pipe()?;
        let (stdin, stdin_to) = sys::pipe()?;
        let (stdout, stdout_to) = sys::pipe()?;
        let (stderr, stderr_to) = sys::pipe()?;
        let Some(pid) = sys::fork(libc::CLONE_NEWPID, Some(&cgroup::open()?))? else {
            drop((orders_to, report, stdin_to, stdout, stderr));
            let streams = [stdin.into(), stdout_to.into(), stderr_to.into()];
            live(Ends { orders: orders.into(), report: report_to.into(), streams });
        };
        let mut report = File::from(report);
        drop(report_to);
        let mut answer = [0];
        report
            .read_exact(&mut answer)
            .map_err(|_| io::Error::other("the container's process could not be prepared"))?;
        Ok(Self { pid, orders: orders_to.into(), report, stdin: stdin_to, stdout, stderr })
    }

    /// Makes it the container's main process; returns once the program has been executed or has failed to.
    pub fn launch(self, spec: &LaunchSpec, order: &[u8]) -> Result<Started, StartFailure> {
        let other = |error: io::Error| StartFailure::new("other", format!("cannot start a process: {error}"));
        let Self { pid, mut orders, mut report, stdin, stdout, stderr } = self;
        let (number, started) = if spec.process.tty {
            let (terminal, number) = process::open_terminal(&spec.process)?;
            rootfs::bind_console(number)?;
            (number, Started { pid, ..terminal })
        } else {
            for output in [&stdout, &stderr] {
                sys::set_nonblocking(output).map_err(other)?;
            }
            let stdin = spec.process.open_stdin.then_some(stdin);
            if let Some(stdin) = &stdin {
                sys::set_nonblocking(stdin).map_err(other)?;
            }
            let streams = (stdin.map(File::from), Some(stdout.into()), Some(stderr.into()));
            (NO_TERMINAL, Started { pid, terminal: None, stdin: streams.0, stdout: streams.1, stderr: streams.2 })
        };
        orders.write_all(&number.to_ne_bytes()).and_then(|()| orders.write_all(order)).map_err(other)?;
        drop(orders);
        process::outcome_of(&mut report).map(|()| started)
    }
}

/// The waiting process's life; it never comes back as a second tether.
fn live(ends: Ends) -> ! {
    let Ends { mut orders, mut report, streams } = ends;
    if prepare().and_then(|()| report.write_all(&[READY])).is_ok() {
        if let Some((number, spec)) = next_order(&mut orders) {
            process::tell_failure(&report, &become_container(&spec, number, streams));
        }
    }
    sys::exit_now(127);
}

fn prepare() -> io::Result<()> {
    process::forget_tether()?;
    // It is in the container's group already: from here on that is the root of all groups.
    sys::leave_namespaces(libc::CLONE_NEWCGROUP)?;
    sys::mount("proc", Path::new(rootfs::PROC), "proc", PSEUDO, "")?;
    cgroup::mount(Path::new(rootfs::CGROUPS))
}

/// What it is to become; nothing when the tether has ended.
fn next_order(orders: &mut File) -> Option<(u32, LaunchSpec)> {
    let mut order = Vec::new();
    orders.read_to_end(&mut order).ok()?;
    let (number, order) = order.split_first_chunk()?;
    match message::parse_request(order) {
        Ok(Request::Launch { spec, .. }) => Some((u32::from_ne_bytes(*number), *spec)),
        _ => None,
    }
}

/// Comes back only with the reason why not.
fn become_container(spec: &LaunchSpec, number: u32, streams: [File; 3]) -> StartFailure {
    let streams = match streams_of(spec, number, streams) {
        Ok(streams) => streams,
        Err(failure) => return failure,
    };
    match enter_root() {
        Ok(()) => process::run(&spec.process, &spec.hostname, &spec.limits, &streams, Cwd::IsMade),
        Err(error) => StartFailure::new("mount", format!("cannot enter the container's root: {error}")),
    }
}

fn streams_of(spec: &LaunchSpec, number: u32, pipes: [File; 3]) -> Result<ChildStreams, StartFailure> {
    let other = |error: io::Error| StartFailure::new("other", format!("cannot open the standard streams: {error}"));
    if number == NO_TERMINAL {
        let [stdin, stdout, stderr] = pipes;
        let stdin = if spec.process.open_stdin { stdin } else { File::open("/dev/null").map_err(other)? };
        return Ok(ChildStreams { terminal: None, streams: [stdin, stdout, stderr] });
    }
    process::terminal_streams(number)
}

fn enter_root() -> io::Result<()> {
    sys::leave_namespaces(libc::CLONE_NEWNS)?;
    sys::mount("", Path::new("/"), "", libc::MS_REC | libc::MS_PRIVATE, "")?;
    // pivot_root wants a mount point of its own.
    std::env::set_current_dir(ROOT)?;
    sys::pivot_root_here()?;
    std::env::set_current_dir("/")
}

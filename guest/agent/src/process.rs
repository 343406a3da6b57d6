//! Starts processes in the container; the main one is made from the [zygote](crate::zygote).

use crate::account;
use crate::cgroup;
use crate::disk::ROOT;
use crate::message::{Limit, ProcessSpec, StartFailure};
use crate::sys;
use std::ffi::CString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Our ends of a process's standard streams, not blocking.
pub struct Started {
    pub pid: i32,
    /// The terminal's master when there is one; it is also the input and the output then.
    pub terminal: Option<File>,
    pub stdin: Option<File>,
    pub stdout: Option<File>,
    pub stderr: Option<File>,
}

/// What is done about a working directory that is missing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Cwd {
    /// As Docker for the main process: by root.
    IsMade,
    MustBeThere,
}

/// The child's ends.
pub struct ChildStreams {
    pub terminal: Option<File>,
    pub streams: [File; 3],
}

/// Starts a process beside the main one, in its namespaces; returns once the program has been executed or has
/// failed to.
pub fn start(spec: &ProcessSpec, hostname: &str, main: i32, limits: &[Limit]) -> Result<Started, StartFailure> {
    let other = |error: io::Error| StartFailure::new("other", format!("cannot start a process: {error}"));
    let (mut started, child) = open_streams(spec)?;
    let (report, report_to) = sys::pipe().map_err(other)?;
    let report_to = File::from(report_to);
    let group = cgroup::open().map_err(other)?;
    match fork_beside(main, &group).map_err(other)? {
        None => {
            let failure = match forget_tether() {
                Ok(()) => run(spec, hostname, limits, &child, Cwd::MustBeThere),
                Err(error) => other(error),
            };
            tell_failure(&report_to, &failure);
            sys::exit_now(127);
        }
        Some(pid) => started.pid = pid,
    }
    drop(report_to);
    drop(child);
    outcome_of(&mut report.into()).map(|()| started)
}

/// In a child: tells why there will be no program.
pub fn tell_failure(report: &File, failure: &StartFailure) {
    let text = format!("{}\0{}", failure.kind, failure.message);
    let _ = sys::write(report, text.as_bytes());
}

/// Waits until a child has executed its program, which closes the report, or has told why not.
pub fn outcome_of(report: &mut File) -> Result<(), StartFailure> {
    let mut text = String::new();
    match report.read_to_string(&mut text) {
        Err(error) => Err(StartFailure::new("other", format!("cannot start a process: {error}"))),
        Ok(_) => match text.split_once('\0') {
            Some((kind, message)) => Err(StartFailure::new(kind, message)),
            None => Ok(()),
        },
    }
}

/// The next child belongs to the container's process namespace; the tether itself stays in its own.
fn fork_beside(main: i32, group: &File) -> io::Result<Option<i32>> {
    let container = File::open(format!("/proc/{main}/ns/pid"))?;
    let mounts = File::open(format!("/proc/{main}/ns/mnt"))?;
    let groups = File::open(format!("/proc/{main}/ns/cgroup"))?;
    let own = File::open("/proc/self/ns/pid")?;
    sys::enter_namespace(&container, libc::CLONE_NEWPID)?;
    let forked = sys::fork(0, Some(group));
    if matches!(forked, Ok(None)) {
        // The child must never come back as a second tether.
        let entered = sys::enter_namespace(&groups, libc::CLONE_NEWCGROUP)
            .and_then(|()| sys::enter_namespace(&mounts, libc::CLONE_NEWNS));
        if entered.is_err() {
            sys::exit_now(127);
        }
    } else {
        sys::enter_namespace(&own, libc::CLONE_NEWPID)?;
    }
    forked
}

fn open_streams(spec: &ProcessSpec) -> Result<(Started, ChildStreams), StartFailure> {
    let other = |error: io::Error| StartFailure::new("other", format!("cannot open the standard streams: {error}"));
    if spec.tty {
        let (started, number) = open_terminal(spec)?;
        return Ok((started, terminal_streams(number)?));
    }
    let (stdin, child_stdin) = if spec.open_stdin {
        let (read, write) = sys::pipe().map_err(other)?;
        (Some(File::from(write)), File::from(read))
    } else {
        (None, File::open("/dev/null").map_err(other)?)
    };
    let (stdout, child_stdout) = sys::pipe().map_err(other)?;
    let (stderr, child_stderr) = sys::pipe().map_err(other)?;
    for fd in stdin.iter().map(|file| file as &dyn std::os::fd::AsRawFd).chain([&stdout as _, &stderr as _]) {
        sys::set_nonblocking(&fd.as_raw_fd()).map_err(other)?;
    }
    let ours = Started { pid: 0, terminal: None, stdin, stdout: Some(stdout.into()), stderr: Some(stderr.into()) };
    Ok((ours, ChildStreams { terminal: None, streams: [child_stdin, child_stdout.into(), child_stderr.into()] }))
}

/// A terminal of the container's own instance: our ends, and its number.
pub fn open_terminal(spec: &ProcessSpec) -> Result<(Started, u32), StartFailure> {
    let terminal = || -> io::Result<(File, u32)> {
        let master = open_quietly(&format!("{ROOT}/dev/pts/ptmx"))?;
        let number = sys::unlock_terminal(&master)?;
        let (rows, cols) = spec.console.unwrap_or((0, 0));
        sys::set_window_size(&master, rows, cols)?;
        sys::set_nonblocking(&master)?;
        Ok((master, number))
    };
    let (master, number) = terminal().map_err(no_terminal)?;
    let copy = || master.try_clone().map_err(no_terminal);
    let (stdin, stdout) = (Some(copy()?), Some(copy()?));
    Ok((Started { pid: 0, stdin, stdout, stderr: None, terminal: Some(master) }, number))
}

/// A terminal as the process has it.
pub fn terminal_streams(number: u32) -> Result<ChildStreams, StartFailure> {
    let open = || open_quietly(&format!("{ROOT}/dev/pts/{number}")).map_err(no_terminal);
    Ok(ChildStreams { terminal: Some(open()?), streams: [open()?, open()?, open()?] })
}

/// Not as a controlling terminal.
fn open_quietly(path: &str) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).custom_flags(libc::O_NOCTTY).open(path)
}

fn no_terminal(error: io::Error) -> StartFailure {
    StartFailure::new("other", format!("cannot open a terminal: {error}"))
}

/// In a child: it is a process as any other, and no part of the tether.
pub fn forget_tether() -> io::Result<()> {
    sys::reset_signals();
    sys::new_session()?;
    // The tether itself is exempt from the out-of-memory killer; what it starts is not.
    let _ = fs::write("/proc/self/oom_score_adj", "0");
    Ok(())
}

/// In a child whose root is the container's: everything up to exec. Comes back only with the reason why not.
pub fn run(spec: &ProcessSpec, hostname: &str, limits: &[Limit], child: &ChildStreams, cwd: Cwd) -> StartFailure {
    match prepare(spec, limits, child, cwd) {
        Ok(home) => execute(spec, hostname, &home),
        Err(failure) => failure,
    }
}

fn prepare(spec: &ProcessSpec, limits: &[Limit], child: &ChildStreams, cwd: Cwd) -> Result<String, StartFailure> {
    let other = |what: &str| {
        let what = what.to_owned();
        move |error: io::Error| StartFailure::new("other", format!("{what}: {error}"))
    };
    let account = account::resolve(Path::new("/"), &spec.user, &spec.groups)?;
    for limit in limits {
        sys::set_limit(limit.resource, limit.soft, limit.hard).map_err(other("cannot set a resource limit"))?;
    }
    if let Some(terminal) = &child.terminal {
        sys::make_controlling_terminal(terminal).map_err(other("cannot take the terminal"))?;
        let _ = std::os::unix::fs::fchown(terminal, Some(account.uid), None);
    }
    for (number, stream) in child.streams.iter().enumerate() {
        sys::duplicate_to(stream, number as i32).map_err(other("cannot connect a standard stream"))?;
    }
    sys::set_file_mask(0o022);
    let made = if cwd == Cwd::IsMade { fs::create_dir_all(&spec.cwd) } else { Ok(()) };
    let entered = std::env::set_current_dir(&spec.cwd);
    sys::become_user(account.uid, account.gid, &account.groups).map_err(other("cannot become the user"))?;
    if entered.is_err() {
        std::env::set_current_dir(&spec.cwd).map_err(|error| match made {
            Err(made) if error.kind() == io::ErrorKind::NotFound => no_cwd(&spec.cwd, &made),
            _ => no_cwd(&spec.cwd, &error),
        })?;
    }
    Ok(account.home)
}

/// In the words of Docker's runtime.
fn no_cwd(cwd: &str, error: &io::Error) -> StartFailure {
    let (kind, reason) = match error.kind() {
        io::ErrorKind::NotFound => ("not-found", "no such file or directory".to_owned()),
        io::ErrorKind::PermissionDenied => ("permission-denied", "permission denied".to_owned()),
        io::ErrorKind::NotADirectory => ("cwd", "not a directory".to_owned()),
        _ => ("cwd", error.to_string()),
    };
    StartFailure::new(kind, format!("chdir to cwd (\"{cwd}\") set in config.json failed: {reason}"))
}

fn execute(spec: &ProcessSpec, hostname: &str, home: &str) -> StartFailure {
    let env = environment(spec, hostname, home);
    let path = env.iter().rev().find_map(|entry| entry.strip_prefix("PATH=")).unwrap_or(DEFAULT_PATH).to_owned();
    let name = spec.args.first().map_or("", String::as_str);
    let program = match find_program(name, &path) {
        Ok(program) => program,
        Err(failure) => return failure,
    };
    let strings =
        |list: &[String]| -> Vec<CString> { list.iter().filter_map(|text| CString::new(text.as_str()).ok()).collect() };
    let error = sys::execute(&program, &strings(&spec.args), &strings(&env));
    match error.raw_os_error() {
        Some(libc::ENOENT) => StartFailure::new("not-found", format!("exec {name}: no such file or directory")),
        Some(libc::EACCES) => StartFailure::new("permission-denied", format!("exec: \"{name}\": permission denied")),
        Some(libc::ENOEXEC) => StartFailure::new("not-executable", format!("exec {name}: exec format error")),
        _ => StartFailure::new("other", format!("exec {name}: {error}")),
    }
}

/// The environment with what Docker adds when it is not given.
fn environment(spec: &ProcessSpec, hostname: &str, home: &str) -> Vec<String> {
    let given = |name: &str| spec.env.iter().any(|entry| entry.split('=').next() == Some(name));
    let mut env = Vec::new();
    let mut add = |name: &str, value: &str| {
        if !given(name) {
            env.push(format!("{name}={value}"));
        }
    };
    add("PATH", DEFAULT_PATH);
    add("HOSTNAME", hostname);
    if spec.tty {
        add("TERM", "xterm");
    }
    add("HOME", home);
    env.extend(spec.env.iter().filter(|entry| entry.contains('=')).cloned());
    env
}

/// Looks a program up as Docker's runtime does, with the errors in its words: the CLI reads them.
fn find_program(name: &str, path: &str) -> Result<PathBuf, StartFailure> {
    if name.contains('/') {
        return match check_program(Path::new(name)) {
            Ok(()) => Ok(PathBuf::from(name)),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                Err(StartFailure::new("permission-denied", format!("exec: \"{name}\": permission denied")))
            }
            Err(error) if error.kind() == io::ErrorKind::IsADirectory => Err(StartFailure::new(
                "permission-denied",
                format!("exec: \"{name}\": is a directory: permission denied"),
            )),
            Err(_) => {
                Err(StartFailure::new("not-found", format!("exec: \"{name}\": stat {name}: no such file or directory")))
            }
        };
    }
    let mut denied = false;
    for directory in path.split(':') {
        let candidate = Path::new(if directory.is_empty() { "." } else { directory }).join(name);
        match check_program(&candidate) {
            Ok(()) => return Ok(candidate),
            Err(error) => denied |= error.kind() == io::ErrorKind::PermissionDenied,
        }
    }
    Err(match denied && !name.is_empty() {
        true => StartFailure::new("permission-denied", format!("exec: \"{name}\": permission denied")),
        false => StartFailure::new("not-found", format!("exec: \"{name}\": executable file not found in $PATH")),
    })
}

fn check_program(path: &Path) -> io::Result<()> {
    let metadata = fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if metadata.permissions().mode() & 0o111 == 0 || metadata.file_type().is_socket() {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    Ok(())
}

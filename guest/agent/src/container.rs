//! The container in this machine: its launch, its processes and their streams.

use crate::boot;
use crate::cgroup;
use crate::connection::Connection;
use crate::disk::{self, Layers};
use crate::log_record::{self, LineCutter};
use crate::message::{Exit, LaunchSpec, Limit, ProcessSpec, StartFailure};
use crate::network;
use crate::process::{self, Started};
use crate::rootfs;
use crate::stream::{Outgoing, Sink, STDERR, STDIN, STDOUT};
use crate::sys;
use crate::zygote::Zygote;
use serde_json::{json, Value};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};

/// One of a process's outputs.
pub struct Output {
    pub file: Option<File>,
    /// Only the main process is logged.
    cutter: Option<LineCutter>,
}

/// A process of the container and what connects it.
pub struct Process {
    pub pid: i32,
    pub stdin: Sink,
    /// Standard output (or the terminal) and standard error.
    pub outputs: [Output; 2],
    pub terminal: Option<File>,
    pub exit: Option<Exit>,
    /// What the endpoint wants to hear again about a further process.
    pub session: Option<String>,
}

/// A further process that has ended, until the endpoint has said that it knows.
struct EndedExec {
    pid: i32,
    session: String,
    exit: Exit,
}

/// Somebody who reads and feeds a process.
pub struct Channel {
    /// The process's key: 0 is the main one.
    pub process: u32,
    pub stdin: bool,
    /// Bytes of input received and not yet granted anew.
    pub received: usize,
    pub outgoing: [Outgoing; 2],
}

/// Further processes an endpoint is told about when it comes: a status must fit into one message.
const MAX_TOLD: usize = 128;

/// The output log and its length.
pub struct Log {
    port: File,
    pub bytes: u64,
}

impl Log {
    pub fn new(port: File) -> Self {
        Self { port, bytes: 0 }
    }

    fn append(&mut self, records: &[u8]) {
        match self.port.write_all(records) {
            Ok(()) => self.bytes += records.len() as u64,
            Err(error) => eprintln!("tether: cannot write the log: {error}"),
        }
    }
}

pub struct Container {
    pub processes: BTreeMap<u32, Process>,
    pub channels: BTreeMap<u32, Channel>,
    pub log: Log,
    ended: BTreeMap<u32, EndedExec>,
    /// Input for the main process, from before it exists.
    early_stdin: Option<Sink>,
    /// Until it has become the main process.
    zygote: Option<Zygote>,
    hostname: String,
    limits: Vec<Limit>,
    oom_kills: u64,
    /// Tried once, while there is nothing else to do.
    early_layers: Option<Option<Layers>>,
}

impl Container {
    pub fn new(log: Log, zygote: Zygote) -> Self {
        Self {
            processes: BTreeMap::new(),
            channels: BTreeMap::new(),
            log,
            ended: BTreeMap::new(),
            early_stdin: Some(Sink::waiting()),
            zygote: Some(zygote),
            hostname: String::new(),
            limits: Vec::new(),
            oom_kills: 0,
            early_layers: None,
        }
    }

    /// Does what the launch will need and can be done before it; nothing is written.
    pub fn prepare(&mut self) {
        self.early_layers.get_or_insert_with(disk::mount_layers_early);
    }

    /// Makes this machine the container and starts its main process.
    pub fn launch(&mut self, spec: LaunchSpec, order: &[u8]) -> Result<i32, StartFailure> {
        let other = |error: io::Error| StartFailure::new("other", format!("cannot configure the machine: {error}"));
        sys::set_clock(spec.time).map_err(other)?;
        boot::seed_random(&spec.entropy).map_err(other)?;
        sys::set_host_name(&spec.hostname).map_err(other)?;
        sys::set_domain_name(&spec.domainname).map_err(other)?;
        network::configure(&spec.interfaces)?;
        disk::mount_root(self.early_layers.take().flatten())?;
        rootfs::furnish(&spec)?;
        self.oom_kills = cgroup::oom_kills();
        cgroup::limit_memory().map_err(other)?;
        let zygote = self.zygote.take();
        let zygote = zygote.ok_or_else(|| StartFailure::new("other", "the container has been started already"))?;
        let started = zygote.launch(&spec, order)?;
        let pid = started.pid;
        let sink = self.early_stdin.take().unwrap_or_else(Sink::waiting);
        self.add(0, started, sink, true);
        self.hostname = spec.hostname;
        self.limits = spec.limits;
        Ok(pid)
    }

    /// Starts a further process, read and fed by the channel of the same number.
    pub fn execute(&mut self, channel: u32, spec: &ProcessSpec, session: Option<String>) -> Result<i32, StartFailure> {
        let main = match self.processes.get(&0) {
            Some(main) if main.exit.is_none() => main.pid,
            _ => return Err(StartFailure::new("other", "the container is not running")),
        };
        let started = process::start(spec, &self.hostname, main, &self.limits)?;
        let pid = started.pid;
        self.add(channel, started, Sink::waiting(), false);
        if let Some(process) = self.processes.get_mut(&channel) {
            process.session = session;
        }
        let stderr = !spec.tty;
        self.channels.insert(channel, Channel::new(channel, spec.open_stdin, true, stderr));
        Ok(pid)
    }

    /// Subscribes a channel to the main process's output from now on.
    pub fn attach(&mut self, channel: u32, stdin: bool, stdout: bool, stderr: bool) -> Result<(), String> {
        if self.is_in_use(channel) {
            return Err(format!("channel {channel} is in use"));
        }
        let mut added = Channel::new(0, stdin, stdout, stderr);
        if let Some(main) = self.processes.get(&0) {
            for (outgoing, output) in added.outgoing.iter_mut().zip(&main.outputs) {
                if output.file.is_none() {
                    outgoing.end();
                }
            }
        }
        self.channels.insert(channel, added);
        Ok(())
    }

    /// Ends a channel; a process that only it could feed sees the end of its input.
    pub fn detach(&mut self, channel: u32) {
        self.channels.remove(&channel);
        if channel != 0 {
            if let Some(process) = self.processes.get_mut(&channel) {
                process.stdin.end();
            }
        }
    }

    /// The endpoint knows all it wants to know about a further process.
    pub fn forget(&mut self, channel: u32) {
        self.ended.remove(&channel);
        if let Some(process) = self.processes.get_mut(&channel) {
            process.session = None;
        }
    }

    /// Takes a further process that is finished out of the list; gives what is to be told where somebody listens.
    pub fn finish_exec(&mut self, key: u32) -> Option<Exit> {
        let process = self.processes.remove(&key)?;
        let told = self.channels.remove(&key).is_some() || process.session.is_some();
        let exit = process.exit?;
        if let Some(session) = process.session {
            self.ended.insert(key, EndedExec { pid: process.pid, session, exit: exit.clone() });
            if self.ended.len() > MAX_TOLD {
                self.ended.pop_first();
            }
        }
        told.then_some(exit)
    }

    /// The further processes an endpoint may not know of, the latest where there are many.
    pub fn execs(&self) -> Vec<Value> {
        let running = self.processes.iter().filter_map(|(key, process)| {
            let session = process.session.as_ref()?;
            Some((*key, json!({ "channel": key, "pid": process.pid, "session": session })))
        });
        let ended = self.ended.iter().map(|(key, exec)| {
            let exit = exec.exit.to_json();
            (*key, json!({ "channel": key, "pid": exec.pid, "session": exec.session, "exit": exit }))
        });
        let mut execs: Vec<(u32, Value)> = running.chain(ended).collect();
        execs.sort_by_key(|(key, _)| *key);
        execs.drain(..execs.len().saturating_sub(MAX_TOLD));
        execs.into_iter().map(|(_, exec)| exec).collect()
    }

    /// The highest number that is taken; an endpoint that has just come goes on behind it.
    pub fn last_channel(&self) -> u32 {
        let keys = self.channels.keys().chain(self.processes.keys()).chain(self.ended.keys());
        keys.copied().max().unwrap_or(0)
    }

    /// Whether a channel's number is taken, by an attachment or by a process.
    pub fn is_in_use(&self, channel: u32) -> bool {
        self.channels.contains_key(&channel)
            || self.processes.contains_key(&channel)
            || self.ended.contains_key(&channel)
    }

    pub fn detach_all(&mut self) {
        let channels: Vec<u32> = self.channels.keys().copied().collect();
        channels.into_iter().for_each(|channel| self.detach(channel));
    }

    /// The standard input a channel feeds.
    pub fn sink_of(&mut self, channel: u32) -> Option<&mut Sink> {
        let channel = self.channels.get(&channel).filter(|channel| channel.stdin)?;
        match self.processes.get_mut(&channel.process) {
            Some(process) => Some(&mut process.stdin),
            None => self.early_stdin.as_mut(),
        }
    }

    /// Whether an output may be read: nobody attached to it lags too far behind.
    pub fn may_read(&self, process: u32, output: usize) -> bool {
        self.channels.values().all(|channel| channel.process != process || !channel.outgoing[output].is_full())
    }

    /// Reads once from an output and hands the bytes to the log and to everyone attached.
    pub fn read_output(&mut self, key: u32, index: usize) {
        let Some(process) = self.processes.get_mut(&key) else { return };
        let output = &mut process.outputs[index];
        let Some(file) = &output.file else { return };
        let mut buffer = [0; 32 * 1024];
        match sys::read(file, &mut buffer) {
            Ok(count) if count > 0 => {
                let bytes = &buffer[..count];
                if let Some(cutter) = &mut output.cutter {
                    let mut records = Vec::with_capacity(count + 1024);
                    cutter.push(bytes, sys::now_ns(), &mut records);
                    self.log.append(&records);
                }
                for channel in self.channels.values_mut().filter(|channel| channel.process == key) {
                    channel.outgoing[index].push(bytes);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            // End of file; a terminal nobody has open any more gives an error instead.
            _ => self.end_output(key, index),
        }
    }

    pub fn end_output(&mut self, key: u32, index: usize) {
        let Some(process) = self.processes.get_mut(&key) else { return };
        let output = &mut process.outputs[index];
        output.file = None;
        if let Some(cutter) = &mut output.cutter {
            let mut records = Vec::new();
            cutter.finish(sys::now_ns(), &mut records);
            self.log.append(&records);
        }
        for channel in self.channels.values_mut().filter(|channel| channel.process == key) {
            channel.outgoing[index].end();
        }
    }

    /// Notes that a process has ended; the streams end by themselves.
    pub fn note_exit(&mut self, pid: i32, status: i32) {
        let time = sys::now_ns();
        let kills = cgroup::oom_kills();
        let mut processes = self.processes.iter_mut();
        if let Some((key, process)) = processes.find(|(_, process)| process.pid == pid && process.exit.is_none()) {
            let (code, signal) = sys::exit_of(status);
            // As Docker: the main process tells what happened anywhere in the container.
            let oom = kills > self.oom_kills && (*key == 0 || signal == libc::SIGKILL);
            process.exit = Some(Exit { code, signal, oom, time });
            process.stdin.close();
        }
    }

    /// Sends what the connection takes, in turn for every stream.
    pub fn send_output(&mut self, connection: &mut Connection) {
        let mut sent = true;
        while sent && connection.wants_data() {
            sent = false;
            for (number, channel) in &mut self.channels {
                for (outgoing, kind) in channel.outgoing.iter_mut().zip([STDOUT, STDERR]) {
                    sent |= connection.wants_data() && outgoing.send_one(number * 4 + kind, connection);
                }
            }
        }
    }

    /// Grants new credit for input that has been taken.
    pub fn send_grants(&mut self, connection: &mut Connection) {
        let sinks = self.processes.values_mut().map(|process| &mut process.stdin).chain(self.early_stdin.as_mut());
        for (number, bytes) in sinks.flat_map(Sink::take_grants) {
            if let Some(channel) = self.channels.get_mut(&number) {
                channel.received = channel.received.saturating_sub(bytes);
                connection.send_frame(crate::frame::CREDIT, number * 4 + STDIN, &(bytes as u32).to_be_bytes());
            }
        }
    }

    fn add(&mut self, key: u32, started: Started, mut stdin: Sink, logged: bool) {
        let terminal = started.terminal.is_some();
        stdin.open(started.stdin, terminal);
        let cutter = |stream| logged.then(|| LineCutter::new(stream));
        let first = if terminal { log_record::TTY } else { log_record::STDOUT };
        let outputs = [
            Output { file: started.stdout, cutter: cutter(first) },
            Output { file: started.stderr, cutter: cutter(log_record::STDERR) },
        ];
        let process =
            Process { pid: started.pid, stdin, outputs, terminal: started.terminal, exit: None, session: None };
        self.processes.insert(key, process);
        // With a terminal there is no standard error to wait for.
        if terminal {
            self.end_output(key, 1);
        }
    }
}

impl Channel {
    fn new(process: u32, stdin: bool, stdout: bool, stderr: bool) -> Self {
        let mut outgoing = [Outgoing::new(stdout), Outgoing::new(stderr)];
        for (outgoing, wanted) in outgoing.iter_mut().zip([stdout, stderr]) {
            if !wanted {
                outgoing.end();
            }
        }
        Self { process, stdin, received: 0, outgoing }
    }

    pub fn is_done(&self) -> bool {
        self.outgoing.iter().all(Outgoing::is_done)
    }

    pub fn is_delivered(&self) -> bool {
        self.outgoing.iter().all(Outgoing::is_delivered)
    }
}

impl Process {
    pub fn is_finished(&self) -> bool {
        self.exit.is_some() && self.outputs.iter().all(|output| output.file.is_none())
    }
}

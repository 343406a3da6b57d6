//! The tether's one loop: the channel, the processes, their streams, and the end of it all.

use crate::boot;
use crate::connection::{Connection, Event};
use crate::container::Container;
use crate::handshake;
use crate::message::{self, Exit, LaunchSpec, Request, StartFailure, INITIAL_CREDIT};
use crate::port::Journal;
use crate::power_button::{PowerButtons, StopOrder};
use crate::stream::STDIN;
use crate::sys;
use crate::time;
use serde_json::{json, Value};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

/// The log's length is told to the endpoint at most this often.
const PROGRESS_MS: u64 = 50;
/// How long a finished machine waits while the endpoint takes nothing of the rest of its output.
const DELIVERY_MS: u64 = 10_000;

enum Phase {
    Waiting,
    Running {
        pid: i32,
        started: u64,
    },
    /// Reported; the endpoint may still be taking the rest.
    Over {
        exit: Option<Exit>,
        since: u64,
        received: bool,
    },
}

/// What the machine itself reports.
pub struct Sources {
    /// Readable when a child has changed state.
    pub children: OwnedFd,
    pub buttons: PowerButtons,
    pub stop: StopOrder,
}

pub struct Supervisor<'a> {
    connection: Connection,
    container: Container,
    journal: &'a mut Journal,
    sources: Sources,
    phase: Phase,
    boot_id: String,
    told_bytes: u64,
    told_at: u64,
    power_off: bool,
    /// When a container that was asked to stop is killed.
    kill_at: Option<u64>,
}

impl<'a> Supervisor<'a> {
    pub fn new(
        connection: Connection,
        journal: &'a mut Journal,
        container: Container,
        sources: Sources,
    ) -> io::Result<Self> {
        Ok(Self {
            connection,
            container,
            journal,
            sources,
            phase: Phase::Waiting,
            boot_id: handshake::hex(&boot::random_bytes(16)?),
            told_bytes: 0,
            told_at: 0,
            power_off: false,
            kill_at: None,
        })
    }

    /// Runs until the machine is to be powered off.
    pub fn run(&mut self) -> io::Result<()> {
        while !self.is_over() {
            let readable = self.wait()?;
            for event in self.connection.receive()? {
                self.handle(event);
            }
            self.move_streams(&readable);
            self.reap();
            self.obey_power_button();
            self.report_exits();
            self.report_progress();
            self.container.send_grants(&mut self.connection);
            self.container.send_output(&mut self.connection);
            self.connection.flush()?;
            self.use_the_wait();
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        if self.power_off {
            return self.connection.is_drained() || !self.connection.is_ready();
        }
        match &self.phase {
            Phase::Over { since, received, .. } => {
                let delivered = *received && self.container.channels.values().all(|channel| channel.is_delivered());
                let stalled = sys::monotonic_ms() - since > DELIVERY_MS;
                stalled || !self.connection.is_ready() || (delivered && self.connection.is_drained())
            }
            _ => false,
        }
    }

    /// While an authenticated endpoint has nothing to say, time is free.
    fn use_the_wait(&mut self) {
        if matches!(self.phase, Phase::Waiting) && self.connection.is_ready() && self.connection.is_drained() {
            self.container.prepare();
        }
    }

    /// Waits for something to do; gives the outputs, by process and index, that can be read.
    fn wait(&mut self) -> io::Result<Vec<(u32, usize)>> {
        let entry = |fd, events| libc::pollfd { fd, events, revents: 0 };
        let mut entries = vec![
            entry(self.sources.children.as_raw_fd(), libc::POLLIN),
            entry(self.connection.descriptor(), libc::POLLIN),
        ];
        entries.extend(self.sources.buttons.descriptors().map(|button| entry(button, libc::POLLIN)));
        let mut outputs = Vec::new();
        let mut ending = false;
        for (key, process) in &self.container.processes {
            if let Some(file) = process.stdin.pending() {
                entries.push(entry(file.as_raw_fd(), libc::POLLOUT));
            }
            for (index, output) in process.outputs.iter().enumerate() {
                if let Some(file) = output.file.as_ref().filter(|_| self.container.may_read(*key, index)) {
                    outputs.push((entries.len(), *key, index, process.exit.is_some()));
                    entries.push(entry(file.as_raw_fd(), libc::POLLIN));
                    ending |= process.exit.is_some();
                }
            }
        }
        sys::poll(&mut entries, if ending { 0 } else { self.timeout() })?;
        let mut readable = Vec::new();
        for (position, key, index, exited) in outputs {
            if entries[position].revents != 0 {
                readable.push((key, index));
            } else if exited {
                // All it wrote has been read; what still holds the pipe open is not waited for, as in Docker.
                self.container.end_output(key, index);
            }
        }
        Ok(readable)
    }

    fn timeout(&self) -> i32 {
        if self.connection.has_work() {
            return 0;
        }
        match &self.phase {
            Phase::Over { .. } => 50,
            _ if self.container.log.bytes != self.told_bytes && self.connection.is_ready() => PROGRESS_MS as i32,
            _ => self.kill_at.map_or(-1, |at| at.saturating_sub(sys::monotonic_ms()) as i32),
        }
    }

    fn move_streams(&mut self, readable: &[(u32, usize)]) {
        for (key, index) in readable {
            self.container.read_output(*key, *index);
        }
        for process in self.container.processes.values_mut() {
            process.stdin.write();
        }
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Ready => self.send_status(),
            Event::Lost => self.container.detach_all(),
            Event::Request(request) => self.serve(request),
            Event::Data { stream, bytes } => self.take_input(stream, bytes),
            Event::Eof { stream } => {
                if let Some(sink) = self.container.sink_of(stream / 4).filter(|_| stream % 4 == STDIN) {
                    sink.end();
                }
            }
            Event::Credit { stream, bytes } => {
                let outgoing = self.container.channels.get_mut(&(stream / 4)).and_then(|channel| {
                    let index = (stream % 4).checked_sub(1)?;
                    channel.outgoing.get_mut(index as usize)
                });
                if let Some(outgoing) = outgoing {
                    outgoing.grant(bytes);
                    if let Phase::Over { since, .. } = &mut self.phase {
                        *since = sys::monotonic_ms();
                    }
                }
            }
        }
    }

    fn take_input(&mut self, stream: u32, bytes: Vec<u8>) {
        let number = stream / 4;
        let Some(channel) = self.container.channels.get_mut(&number).filter(|channel| channel.stdin) else {
            return;
        };
        channel.received += bytes.len();
        if stream % 4 != STDIN || channel.received > INITIAL_CREDIT {
            eprintln!("tether: the endpoint sends more than it may");
            let mut events = Vec::new();
            self.connection.refuse(&mut events);
            self.container.detach_all();
        } else if let Some(sink) = self.container.sink_of(number) {
            sink.push(number, bytes);
        }
    }

    fn serve(&mut self, request: Request) {
        match request {
            Request::Launch { spec, order } => self.launch(*spec, &order),
            Request::Attach { request, channel, stdin, stdout, stderr } => {
                let result = self.container.attach(channel, stdin, stdout, stderr);
                self.reply(request, result);
            }
            Request::Detach { channel } => {
                self.container.detach(channel);
                self.container.forget(channel);
            }
            Request::Exec { channel, process, session } => match self.container.is_in_use(channel) {
                true => self.send_failure(Some(channel), &StartFailure::new("other", "the channel is in use")),
                false => match self.container.execute(channel, &process, session) {
                    Ok(pid) => self.connection.send(&json!({ "kind": "exec-started", "channel": channel, "pid": pid })),
                    Err(failure) => self.send_failure(Some(channel), &failure),
                },
            },
            Request::Resize { request, channel, rows, cols } => {
                let result = self.resize(channel, rows, cols);
                self.reply(request, result);
            }
            Request::Signal { request, channel, signal } => {
                let result = self.signal(channel, signal);
                self.reply(request, result);
            }
            Request::ExitReceived => {
                if let Phase::Over { received, .. } = &mut self.phase {
                    *received = true;
                }
            }
            Request::PowerOff { request } => {
                self.reply(request, Ok(()));
                self.power_off = true;
            }
            Request::Ping { request } => self.reply(request, Ok(())),
        }
    }

    fn launch(&mut self, spec: LaunchSpec, order: &[u8]) {
        if !matches!(self.phase, Phase::Waiting) {
            let failure = StartFailure::new("other", "the container has been started already");
            return self.send_failure(None, &failure);
        }
        let addresses: Vec<String> = spec
            .interfaces
            .iter()
            .flat_map(|interface| &interface.addresses)
            .map(|(address, prefix)| format!("{address}/{prefix}"))
            .collect();
        match self.container.launch(spec, order) {
            Ok(pid) => {
                let started = sys::now_ns();
                self.phase = Phase::Running { pid, started };
                self.connection.send(&json!({ "kind": "started", "pid": pid, "time": started.to_string() }));
                self.journal.report("started", &time::rfc3339(started));
                self.journal.report("addresses", &json!(addresses).to_string());
            }
            Err(failure) => {
                self.journal.report("error", &failure.message);
                self.send_failure(None, &failure);
                self.phase = Phase::Over { exit: None, since: sys::monotonic_ms(), received: false };
            }
        }
    }

    fn resize(&mut self, channel: u32, rows: u16, cols: u16) -> Result<(), String> {
        let process = self.container.processes.get(&channel).ok_or("the process is not running")?;
        let terminal = process.terminal.as_ref().ok_or("the process has no terminal")?;
        sys::set_window_size(terminal, rows, cols).map_err(|error| error.to_string())
    }

    fn signal(&mut self, channel: u32, signal: i32) -> Result<(), String> {
        match self.container.processes.get(&channel) {
            Some(process) if process.exit.is_none() => {
                sys::kill(process.pid, signal).map_err(|error| error.to_string())
            }
            _ => Err("the process is not running".into()),
        }
    }

    fn reap(&mut self) {
        let mut buffer = [0; 1024];
        // Signals of the same kind are merged: the descriptor only says that there is something to reap.
        let _ = sys::read(&self.sources.children, &mut buffer);
        while let Some((pid, status)) = sys::reap() {
            self.container.note_exit(pid, status);
        }
    }

    /// The power button stops the container as `docker stop` does; its end powers the machine off.
    fn obey_power_button(&mut self) {
        let pressed = self.sources.buttons.were_pressed();
        let now = sys::monotonic_ms();
        match &self.phase {
            Phase::Waiting => self.power_off |= pressed,
            Phase::Running { .. } if pressed && self.kill_at.is_none() => {
                let StopOrder { signal, grace_ms } = self.sources.stop;
                let _ = self.signal(0, signal);
                self.kill_at = grace_ms.map(|grace| now + grace);
            }
            Phase::Running { .. } if self.kill_at.is_some_and(|at| at <= now) => {
                let _ = self.signal(0, libc::SIGKILL);
                self.kill_at = None;
            }
            Phase::Running { .. } | Phase::Over { .. } => {}
        }
    }

    fn report_exits(&mut self) {
        let finished: Vec<u32> = self
            .container
            .processes
            .iter()
            .filter(|(key, process)| **key != 0 && process.is_finished())
            .filter(|(key, _)| self.container.channels.get(key).is_none_or(|channel| channel.is_done()))
            .map(|(key, _)| *key)
            .collect();
        for key in finished {
            if let Some(exit) = self.container.finish_exec(key) {
                self.connection.send(&exit.to_message("exec-exited", Some(key)));
            }
        }
        let main = self.container.processes.get(&0).filter(|process| process.is_finished());
        if let (Phase::Running { .. }, Some(exit)) = (&self.phase, main.and_then(|process| process.exit.clone())) {
            self.journal.report("exit", &exit.to_json().to_string());
            self.tell_progress();
            self.connection.send(&exit.to_message("exited", None));
            self.phase = Phase::Over { exit: Some(exit), since: sys::monotonic_ms(), received: false };
        }
    }

    fn report_progress(&mut self) {
        let due = self.container.log.bytes != self.told_bytes && sys::monotonic_ms() - self.told_at >= PROGRESS_MS;
        if due && self.connection.wants_data() {
            self.tell_progress();
        }
    }

    fn tell_progress(&mut self) {
        self.told_bytes = self.container.log.bytes;
        self.told_at = sys::monotonic_ms();
        self.connection.send(&json!({ "kind": "log-progress", "logBytes": self.told_bytes }));
    }

    fn send_status(&mut self) {
        let mut status = json!({ "kind": "status", "bootId": self.boot_id, "logBytes": self.container.log.bytes });
        status["execs"] = json!(self.container.execs());
        status["lastChannel"] = json!(self.container.last_channel());
        match &self.phase {
            Phase::Waiting => status["state"] = json!("waiting"),
            Phase::Running { pid, started } => {
                status["state"] = json!("running");
                status["pid"] = json!(pid);
                status["startedAt"] = json!(started.to_string());
            }
            Phase::Over { exit, .. } => {
                status["state"] = json!("exited");
                if let Some(exit) = exit {
                    status["exit"] = exit.to_json();
                }
            }
        }
        self.connection.send(&status);
    }

    fn send_failure(&mut self, channel: Option<u32>, failure: &StartFailure) {
        let mut message: Value = json!({ "failure": failure.kind, "message": failure.message });
        message["kind"] = json!(if channel.is_some() { "exec-failed" } else { "start-failed" });
        if let Some(channel) = channel {
            message["channel"] = json!(channel);
        }
        self.connection.send(&message);
    }

    fn reply(&mut self, request: u32, result: Result<(), String>) {
        self.connection.send(&message::reply(request, result));
    }
}

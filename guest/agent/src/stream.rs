//! The streams between a process and those attached to it.

use crate::connection::Connection;
use crate::frame;
use crate::message::INITIAL_CREDIT;
use crate::sys;
use std::collections::VecDeque;
use std::fs::File;
use std::io;

pub const STDIN: u32 = 0;
pub const STDOUT: u32 = 1;
pub const STDERR: u32 = 2;

/// How much of a process's output waits for one attachment before the process has to wait.
const MAX_WAITING: usize = 256 * 1024;
/// Credit is granted in pieces of at least this, or when nothing waits.
const GRANT: usize = 32 * 1024;

/// Output on its way to one attachment.
pub struct Outgoing {
    wanted: bool,
    waiting: VecDeque<u8>,
    credit: usize,
    ended: bool,
    end_sent: bool,
    end_received: bool,
}

impl Outgoing {
    pub fn new(wanted: bool) -> Self {
        Self {
            wanted,
            waiting: VecDeque::new(),
            credit: INITIAL_CREDIT,
            ended: false,
            end_sent: false,
            end_received: false,
        }
    }

    pub fn is_full(&self) -> bool {
        self.waiting.len() >= MAX_WAITING
    }

    pub fn push(&mut self, bytes: &[u8]) {
        if self.wanted {
            self.waiting.extend(bytes);
        }
    }

    pub fn end(&mut self) {
        self.ended = true;
    }

    /// Takes credit; of nothing, it is the answer to the end.
    pub fn grant(&mut self, bytes: u32) {
        self.credit = self.credit.saturating_add(bytes as usize);
        self.end_received |= bytes == 0 && self.end_sent;
    }

    /// Whether the attachment has been sent everything it will get.
    pub fn is_done(&self) -> bool {
        self.end_sent
    }

    /// Whether the endpoint has it, too: what is sent waits in the port's queue, and would go with the machine.
    pub fn is_delivered(&self) -> bool {
        self.end_received
    }

    /// Sends one frame if there is one to send and credit for it.
    pub fn send_one(&mut self, stream: u32, connection: &mut Connection) -> bool {
        let size = self.waiting.len().min(self.credit).min(frame::MAX_PAYLOAD);
        if size > 0 {
            let bytes: Vec<u8> = self.waiting.drain(..size).collect();
            connection.send_frame(frame::DATA, stream, &bytes);
            self.credit -= size;
            return true;
        }
        if self.ended && !self.end_sent && self.waiting.is_empty() {
            connection.send_frame(frame::EOF, stream, &[]);
            self.end_sent = true;
            return true;
        }
        false
    }
}

enum SinkState {
    /// The process does not exist yet.
    Waiting,
    Open(File),
    Closed,
}

/// A process's standard input, fed by any number of attachments.
pub struct Sink {
    state: SinkState,
    waiting: VecDeque<(u32, Vec<u8>)>,
    ended: bool,
    /// A terminal's input does not end with that of an attachment.
    terminal: bool,
    grants: Vec<(u32, usize)>,
}

impl Sink {
    pub fn waiting() -> Self {
        Self { state: SinkState::Waiting, waiting: VecDeque::new(), ended: false, terminal: false, grants: Vec::new() }
    }

    pub fn open(&mut self, file: Option<File>, terminal: bool) {
        self.terminal = terminal;
        self.state = match file {
            Some(file) => SinkState::Open(file),
            None => SinkState::Closed,
        };
        self.settle();
    }

    pub fn push(&mut self, channel: u32, bytes: Vec<u8>) {
        self.waiting.push_back((channel, bytes));
        self.settle();
    }

    /// No more input will come; the process sees the end after what is waiting.
    pub fn end(&mut self) {
        self.ended = true;
        self.settle();
    }

    pub fn close(&mut self) {
        self.state = SinkState::Closed;
        self.settle();
    }

    /// The descriptor to wait for, when there is something to write.
    pub fn pending(&self) -> Option<&File> {
        match &self.state {
            SinkState::Open(file) if !self.waiting.is_empty() => Some(file),
            _ => None,
        }
    }

    /// Writes what the process takes.
    pub fn write(&mut self) {
        while let (SinkState::Open(file), Some((channel, bytes))) = (&self.state, self.waiting.front_mut()) {
            let channel = *channel;
            match sys::write(file, bytes) {
                Ok(count) => {
                    bytes.drain(..count);
                    if bytes.is_empty() {
                        self.waiting.pop_front();
                    }
                    self.note(channel, count);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // The process has closed its input: what comes is dropped from now on.
                Err(_) => self.state = SinkState::Closed,
            }
        }
        self.settle();
    }

    /// The credit to grant, per channel, for what has been written or dropped.
    pub fn take_grants(&mut self) -> Vec<(u32, usize)> {
        let all = self.waiting.is_empty();
        let (ready, kept) = self.grants.drain(..).partition(|(_, bytes)| all || *bytes >= GRANT);
        self.grants = kept;
        ready
    }

    fn settle(&mut self) {
        if matches!(self.state, SinkState::Closed) {
            for (channel, bytes) in std::mem::take(&mut self.waiting) {
                self.note(channel, bytes.len());
            }
        }
        if self.ended && self.waiting.is_empty() && !self.terminal && matches!(self.state, SinkState::Open(_)) {
            self.state = SinkState::Closed;
        }
    }

    fn note(&mut self, channel: u32, bytes: usize) {
        match self.grants.iter_mut().find(|(known, _)| *known == channel) {
            Some((_, sum)) => *sum += bytes,
            None => self.grants.push((channel, bytes)),
        }
    }
}

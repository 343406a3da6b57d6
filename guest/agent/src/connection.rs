//! The interaction channel: handshake and frames over a port whose other end comes and goes.

use crate::boot;
use crate::frame::{self, Decoder, Found, Frame, ProtocolError, MAGIC};
use crate::handshake;
use crate::message::{self, Request};
use crate::sys;
use serde_json::{json, Value};
use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

/// Stream data is cut into frames only while less than this waits to be written: control goes first.
const DATA_BELOW: usize = 64 * 1024;
/// Nothing more is read while this much waits: an endpoint that does not listen is not listened to.
const READ_BELOW: usize = 1024 * 1024;

/// What comes out of the channel.
pub enum Event {
    /// The endpoint has proved itself.
    Ready,
    /// The endpoint is gone, or another connection has taken its place.
    Lost,
    Request(Request),
    Data {
        stream: u32,
        bytes: Vec<u8>,
    },
    Eof {
        stream: u32,
    },
    Credit {
        stream: u32,
        bytes: u32,
    },
}

enum State {
    Idle,
    /// Our reply is on its way; the endpoint's proof is awaited.
    Challenged {
        endpoint_nonce: Vec<u8>,
        tether_nonce: Vec<u8>,
    },
    Ready,
}

pub struct Connection {
    port: File,
    watch: OwnedFd,
    readable: bool,
    writable: bool,
    decoder: Decoder,
    state: State,
    control: Vec<u8>,
    out: VecDeque<u8>,
    vm_id: String,
    secret: String,
}

impl Connection {
    /// Over a port that may have been opened long before, in the machine this one is a clone of.
    pub fn new(port: File, vm_id: &str, secret: &str) -> io::Result<Self> {
        let watch = sys::edge_watch(&port)?;
        Ok(Self {
            port,
            watch,
            readable: true,
            writable: true,
            decoder: Decoder::default(),
            state: State::Idle,
            control: Vec::new(),
            out: VecDeque::new(),
            vm_id: vm_id.to_owned(),
            secret: secret.to_owned(),
        })
    }

    /// Readable when something has changed at the port.
    pub fn descriptor(&self) -> RawFd {
        self.watch.as_raw_fd()
    }

    /// Whether there is something to do without waiting for a change.
    pub fn has_work(&self) -> bool {
        self.readable && self.out.len() < READ_BELOW
    }

    pub fn is_ready(&self) -> bool {
        matches!(self.state, State::Ready)
    }

    /// Whether everything handed over has been written.
    pub fn is_drained(&self) -> bool {
        self.out.is_empty()
    }

    pub fn wants_data(&self) -> bool {
        self.is_ready() && self.out.len() < DATA_BELOW
    }

    pub fn send(&mut self, message: &Value) {
        if self.is_ready() {
            let mut bytes = Vec::new();
            frame::encode_control(&mut bytes, message.to_string().as_bytes());
            self.out.extend(bytes);
        }
    }

    pub fn send_frame(&mut self, kind: u8, stream: u32, payload: &[u8]) {
        if self.is_ready() {
            self.push_frame(kind, stream, payload);
        }
    }

    fn push_frame(&mut self, kind: u8, stream: u32, payload: &[u8]) {
        let mut bytes = Vec::with_capacity(frame::HEADER + payload.len());
        frame::encode(&mut bytes, kind, stream, payload);
        self.out.extend(bytes);
    }

    /// Takes in what the port has and gives what it means.
    pub fn receive(&mut self) -> io::Result<Vec<Event>> {
        let mut events = Vec::new();
        let change = sys::edge_wait(&self.watch, 0)?;
        if change != 0 {
            self.readable |= change & libc::EPOLLIN as u32 != 0;
            self.writable |= change & libc::EPOLLOUT as u32 != 0;
            if change & libc::EPOLLHUP as u32 != 0 {
                self.lose(&mut events);
            }
        }
        let mut buffer = [0; 32 * 1024];
        if self.has_work() {
            match sys::read(&self.port, &mut buffer) {
                Ok(0) => self.readable = false,
                Ok(count) => self.decode(&buffer[..count], &mut events),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.readable = false,
                Err(error) => return Err(error),
            }
        }
        Ok(events)
    }

    /// Writes what the port takes.
    pub fn flush(&mut self) -> io::Result<()> {
        while self.writable && !self.out.is_empty() {
            let (head, _) = self.out.as_slices();
            match sys::write(&self.port, &head[..head.len().min(32 * 1024)]) {
                Ok(count) => drop(self.out.drain(..count)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.writable = false,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The endpoint broke the protocol: what it hears next is no frame, so that it dials anew.
    pub fn refuse(&mut self, events: &mut Vec<Event>) {
        self.restart(events);
        self.decoder.seek();
        self.out.extend(MAGIC);
    }

    fn lose(&mut self, events: &mut Vec<Event>) {
        self.restart(events);
        self.decoder = Decoder::default();
    }

    fn decode(&mut self, bytes: &[u8], events: &mut Vec<Event>) {
        self.decoder.push(bytes);
        loop {
            let result = match self.decoder.next() {
                Ok(None) => return,
                Ok(Some(Found::Magic)) => {
                    self.restart(events);
                    Ok(())
                }
                Ok(Some(Found::Frame(frame))) => self.handle(frame, events),
                Err(error) => Err(error),
            };
            if let Err(ProtocolError(reason)) = result {
                eprintln!("tether: the endpoint does not follow the protocol: {reason}");
                self.refuse(events);
            }
        }
    }

    /// Forgets the connection so far; the decoder keeps what follows.
    fn restart(&mut self, events: &mut Vec<Event>) {
        if self.is_ready() {
            events.push(Event::Lost);
        }
        self.state = State::Idle;
        self.control.clear();
        self.out.clear();
    }

    fn handle(&mut self, frame: Frame, events: &mut Vec<Event>) -> Result<(), ProtocolError> {
        match (&self.state, frame.kind) {
            (State::Idle, frame::HELLO) => self.answer(&frame.payload),
            (State::Challenged { endpoint_nonce, tether_nonce }, frame::PROOF) => {
                let proof = handshake::parse_proof(&frame.payload)?;
                let (id, secret) = (&self.vm_id, &self.secret);
                if !handshake::proof_matches(secret, "endpoint", endpoint_nonce, tether_nonce, id, &proof) {
                    return Err(ProtocolError("the endpoint's proof is wrong".into()));
                }
                self.state = State::Ready;
                events.push(Event::Ready);
                Ok(())
            }
            (State::Ready, _) => self.handle_authenticated(frame, events),
            (_, kind) => Err(ProtocolError(format!("frame type {kind} during the handshake"))),
        }
    }

    fn answer(&mut self, hello: &[u8]) -> Result<(), ProtocolError> {
        let endpoint_nonce = handshake::parse_hello(hello)?;
        let tether_nonce = boot::random_bytes(32).map_err(|error| ProtocolError(error.to_string()))?;
        let reply = json!({
            "version": handshake::VERSION,
            "vmId": self.vm_id,
            "echo": handshake::hex(&endpoint_nonce),
            "nonce": handshake::hex(&tether_nonce),
            "proof": handshake::proof(&self.secret, "tether", &endpoint_nonce, &tether_nonce, &self.vm_id),
        });
        self.out.extend(MAGIC);
        self.push_frame(frame::HELLO_REPLY, 0, reply.to_string().as_bytes());
        self.state = State::Challenged { endpoint_nonce, tether_nonce };
        Ok(())
    }

    fn handle_authenticated(&mut self, frame: Frame, events: &mut Vec<Event>) -> Result<(), ProtocolError> {
        let stream = frame.stream;
        match frame.kind {
            frame::CONTROL | frame::CONTROL_PART => {
                self.control.extend_from_slice(&frame.payload);
                if self.control.len() > message::MAX_CONTROL {
                    return Err(ProtocolError("a control message is too large".into()));
                }
                if frame.kind == frame::CONTROL {
                    let body = std::mem::take(&mut self.control);
                    events.push(Event::Request(message::parse_request(&body)?));
                }
            }
            frame::DATA => events.push(Event::Data { stream, bytes: frame.payload }),
            frame::EOF => events.push(Event::Eof { stream }),
            frame::CREDIT => {
                let bytes = frame
                    .payload
                    .as_slice()
                    .try_into()
                    .map_err(|_| ProtocolError("a credit frame does not have four bytes".into()))?;
                events.push(Event::Credit { stream, bytes: u32::from_be_bytes(bytes) });
            }
            kind => return Err(ProtocolError(format!("frame type {kind} after the handshake"))),
        }
        Ok(())
    }
}

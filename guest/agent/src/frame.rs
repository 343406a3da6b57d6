//! Frames: the unit of the protocol. The same as packages/contracts/agent-protocol/src/frame.ts.

pub const HELLO: u8 = 0x01;
pub const HELLO_REPLY: u8 = 0x02;
pub const PROOF: u8 = 0x03;
pub const CONTROL: u8 = 0x10;
pub const CONTROL_PART: u8 = 0x11;
pub const DATA: u8 = 0x20;
pub const EOF: u8 = 0x21;
pub const CREDIT: u8 = 0x22;

pub const MAX_PAYLOAD: usize = 64 * 1024;
pub const HEADER: usize = 9;
/// Begins each side's handshake after every connection.
pub const MAGIC: &[u8; 16] = b"\0VIC-TETHER\x01\r\n\xff\xfe";

/// The peer broke the protocol.
#[derive(Debug, PartialEq, Eq)]
pub struct ProtocolError(pub String);

#[derive(Debug, PartialEq, Eq)]
pub struct Frame {
    pub kind: u8,
    pub stream: u32,
    pub payload: Vec<u8>,
}

/// Appends a frame to `out`. The payload is cut from our own buffers and never too large.
pub fn encode(out: &mut Vec<u8>, kind: u8, stream: u32, payload: &[u8]) {
    debug_assert!(payload.len() <= MAX_PAYLOAD);
    out.extend_from_slice(&(payload.len() as u32).to_be_bytes());
    out.push(kind);
    out.extend_from_slice(&stream.to_be_bytes());
    out.extend_from_slice(payload);
}

/// Appends the frames of one control message to `out`.
pub fn encode_control(out: &mut Vec<u8>, body: &[u8]) {
    let mut rest = body;
    while rest.len() > MAX_PAYLOAD {
        let (part, tail) = rest.split_at(MAX_PAYLOAD);
        encode(out, CONTROL_PART, 0, part);
        rest = tail;
    }
    encode(out, CONTROL, 0, rest);
}

/// Cuts a byte stream into frames, or skips to the next magic.
///
/// A new connection may replace the old one without notice; its magic where a frame should begin, or anything
/// that is not a frame, makes the decoder look for the next magic.
#[derive(Default)]
pub struct Decoder {
    pending: Vec<u8>,
    framing: bool,
}

/// What the decoder has found.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// A connection's beginning.
    Magic,
    Frame(Frame),
}

impl Decoder {
    pub fn push(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
    }

    /// Forgets what is pending and looks for a magic.
    pub fn seek(&mut self) {
        self.framing = false;
    }

    /// The next frame or magic among the bytes pushed so far.
    pub fn next(&mut self) -> Result<Option<Found>, ProtocolError> {
        if !self.framing {
            return Ok(self.find_magic().then_some(Found::Magic));
        }
        if self.pending.len() < HEADER {
            return Ok(None);
        }
        let length = u32::from_be_bytes([self.pending[0], self.pending[1], self.pending[2], self.pending[3]]) as usize;
        let kind = self.pending[4];
        let stream = u32::from_be_bytes([self.pending[5], self.pending[6], self.pending[7], self.pending[8]]);
        if length > MAX_PAYLOAD || !is_kind(kind) {
            self.framing = false;
            if self.pending.starts_with(&MAGIC[..HEADER]) {
                return Ok(self.find_magic().then_some(Found::Magic));
            }
            return Err(ProtocolError(format!("not a frame: {length} bytes of type {kind}")));
        }
        if self.pending.len() < HEADER + length {
            return Ok(None);
        }
        let payload = self.pending[HEADER..HEADER + length].to_vec();
        self.pending.drain(..HEADER + length);
        Ok(Some(Found::Frame(Frame { kind, stream, payload })))
    }

    fn find_magic(&mut self) -> bool {
        match self.pending.windows(MAGIC.len()).position(|window| window == MAGIC) {
            Some(at) => {
                self.pending.drain(..at + MAGIC.len());
                self.framing = true;
                true
            }
            None => {
                let stale = self.pending.len().saturating_sub(MAGIC.len() - 1);
                self.pending.drain(..stale);
                false
            }
        }
    }
}

fn is_kind(kind: u8) -> bool {
    matches!(kind, HELLO | HELLO_REPLY | PROOF | CONTROL | CONTROL_PART | DATA | EOF | CREDIT)
}

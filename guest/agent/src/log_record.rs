//! Records of the output log. The same as packages/contracts/agent-protocol/src/log-record.ts.

pub const STDOUT: u8 = 1;
pub const STDERR: u8 = 2;
pub const TTY: u8 = 3;
pub const MAX_PAYLOAD: usize = 16 * 1024;
const MAGIC: &[u8; 4] = b"\xf5VL\x01";

/// Appends a record to `out`.
pub fn encode(out: &mut Vec<u8>, stream: u8, partial: bool, time_ns: u64, payload: &[u8]) {
    debug_assert!(payload.len() <= MAX_PAYLOAD);
    let length = (payload.len() as u32).to_le_bytes();
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&[stream, u8::from(partial), 0, 0]);
    out.extend_from_slice(&time_ns.to_le_bytes());
    out.extend_from_slice(&length);
    out.extend_from_slice(payload);
    out.extend_from_slice(&length);
}

/// Cuts one stream's output into lines and those into records.
pub struct LineCutter {
    stream: u8,
    line: Vec<u8>,
}

impl LineCutter {
    pub fn new(stream: u8) -> Self {
        Self { stream, line: Vec::new() }
    }

    /// Takes output and appends the records it completes to `out`; an unfinished line is kept.
    pub fn push(&mut self, mut bytes: &[u8], time_ns: u64, out: &mut Vec<u8>) {
        while !bytes.is_empty() {
            let room = MAX_PAYLOAD - self.line.len();
            let end = bytes.iter().take(room).position(|byte| *byte == b'\n').map(|at| at + 1);
            let (part, rest) = bytes.split_at(end.unwrap_or(room.min(bytes.len())));
            self.line.extend_from_slice(part);
            bytes = rest;
            if end.is_some() || self.line.len() == MAX_PAYLOAD {
                encode(out, self.stream, end.is_none(), time_ns, &self.line);
                self.line.clear();
            }
        }
    }

    /// Appends what is left of an unfinished line.
    pub fn finish(&mut self, time_ns: u64, out: &mut Vec<u8>) {
        if !self.line.is_empty() {
            encode(out, self.stream, true, time_ns, &self.line);
            self.line.clear();
        }
    }
}

//! Runs the vectors shared with the TypeScript side, and mutations of them.

use crate::fields::Fields;
use crate::frame::{self, Decoder, Found, Frame};
use crate::{handshake, log_record, message};
use serde_json::Value;

fn fixture(name: &str) -> Value {
    let path = format!("{}/../../packages/contracts/agent-protocol/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

/// A decoder past its magic.
fn framing() -> Decoder {
    let mut decoder = Decoder::default();
    decoder.push(frame::MAGIC);
    assert_eq!(decoder.next(), Ok(Some(Found::Magic)));
    decoder
}

#[test]
fn frames_are_encoded_and_decoded_alike() {
    let vectors = fixture("frames");
    assert_eq!(bytes(&vectors["magic"]), frame::MAGIC);
    for vector in list(&vectors["valid"]) {
        let mut decoder = framing();
        let mut encoded = Vec::new();
        // One byte at a time: the cuts must not matter.
        let mut found = Vec::new();
        for byte in bytes(&vector["bytes"]) {
            decoder.push(&[byte]);
            while let Some(Found::Frame(frame)) = decoder.next().unwrap() {
                frame::encode(&mut encoded, frame.kind, frame.stream, &frame.payload);
                found.push(frame);
            }
        }
        let wanted: Vec<Frame> = list(&vector["frames"])
            .iter()
            .map(|frame| Frame {
                kind: frame["type"].as_u64().unwrap() as u8,
                stream: frame["stream"].as_u64().unwrap() as u32,
                payload: bytes(&frame["payload"]),
            })
            .collect();
        assert_eq!(found, wanted, "{}", vector["name"]);
        assert_eq!(encoded, bytes(&vector["bytes"]), "{}", vector["name"]);
    }
}

#[test]
fn what_is_no_frame_is_refused_and_a_magic_begins_anew() {
    for vector in list(&fixture("frames")["invalid"]) {
        let mut decoder = framing();
        decoder.push(&bytes(&vector["bytes"]));
        let outcome = loop {
            match decoder.next() {
                Ok(Some(Found::Frame(_))) => {}
                other => break other,
            }
        };
        match text(&vector["name"]) {
            "the magic as a header" => assert_eq!(outcome, Ok(Some(Found::Magic))),
            name => assert!(outcome.is_err(), "{name}"),
        }
    }
}

#[test]
fn stale_bytes_are_skipped_up_to_the_magic() {
    let mut decoder = Decoder::default();
    for _ in 0..1000 {
        decoder.push(&[0x55; 4096]);
        assert_eq!(decoder.next(), Ok(None));
    }
    decoder.push(&frame::MAGIC[..7]);
    assert_eq!(decoder.next(), Ok(None));
    decoder.push(&frame::MAGIC[7..]);
    assert_eq!(decoder.next(), Ok(Some(Found::Magic)));
}

#[test]
fn proofs_are_the_same() {
    for vector in list(&fixture("handshake")["proofs"]) {
        let (endpoint, tether) = (bytes(&vector["endpointNonce"]), bytes(&vector["tetherNonce"]));
        let (secret, role, id) = (text(&vector["secret"]), text(&vector["role"]), text(&vector["vmId"]));
        let mut proof = bytes(&vector["proof"]);
        assert_eq!(handshake::proof(secret, role, &endpoint, &tether, id), text(&vector["proof"]));
        assert!(handshake::proof_matches(secret, role, &endpoint, &tether, id, &proof));
        proof[31] ^= 1;
        assert!(!handshake::proof_matches(secret, role, &endpoint, &tether, id, &proof));
    }
}

#[test]
fn messages_are_taken_and_refused_alike() {
    let vectors = fixture("messages");
    for message in list(&vectors["endpoint"]["valid"]) {
        assert!(message::parse_request(text(message).as_bytes()).is_ok(), "{message}");
    }
    for message in list(&vectors["endpoint"]["invalid"]) {
        assert!(message::parse_request(text(message).as_bytes()).is_err(), "{message}");
    }
}

#[test]
fn log_records_are_the_same() {
    for vector in list(&fixture("log-records")) {
        let stream = match text(&vector["stream"]) {
            "stdout" => log_record::STDOUT,
            "stderr" => log_record::STDERR,
            _ => log_record::TTY,
        };
        let mut out = Vec::new();
        let time = text(&vector["timeNs"]).parse().unwrap();
        log_record::encode(&mut out, stream, vector["partial"].as_bool().unwrap(), time, &bytes(&vector["payload"]));
        assert_eq!(out, bytes(&vector["bytes"]));
    }
}

#[test]
fn lines_become_records_and_long_ones_partial_records() {
    let mut cutter = log_record::LineCutter::new(log_record::STDOUT);
    let mut out = Vec::new();
    cutter.push(b"one\ntw", 1, &mut out);
    cutter.push(b"o\n", 2, &mut out);
    cutter.push(&[b'x'; log_record::MAX_PAYLOAD + 5], 3, &mut out);
    cutter.finish(4, &mut out);
    let mut wanted = Vec::new();
    log_record::encode(&mut wanted, log_record::STDOUT, false, 1, b"one\n");
    log_record::encode(&mut wanted, log_record::STDOUT, false, 2, b"two\n");
    log_record::encode(&mut wanted, log_record::STDOUT, true, 3, &[b'x'; log_record::MAX_PAYLOAD]);
    log_record::encode(&mut wanted, log_record::STDOUT, true, 4, b"xxxxx");
    assert_eq!(out, wanted);
}

/// A small deterministic generator (xorshift), so that a failure can be repeated.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }
}

fn mutate(dice: &mut Dice, bytes: &mut Vec<u8>) {
    for _ in 0..=dice.roll(4) {
        let at = dice.roll(bytes.len() + 1);
        match dice.roll(4) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, dice.roll(256) as u8),
            2 if at < bytes.len() => bytes[at] ^= 1 << dice.roll(8),
            3 if at < bytes.len() => drop(bytes.remove(at)),
            _ => {}
        }
    }
}

#[test]
fn no_mutation_of_a_vector_makes_a_decoder_panic() {
    let mut dice = Dice(0x5eed);
    let vectors = fixture("messages");
    let messages: Vec<Vec<u8>> = ["valid", "invalid"]
        .iter()
        .flat_map(|name| list(&vectors["endpoint"][*name]))
        .map(|message| text(message).as_bytes().to_vec())
        .collect();
    let frames: Vec<Vec<u8>> = list(&fixture("frames")["valid"]).iter().map(|vector| bytes(&vector["bytes"])).collect();
    for _ in 0..20_000 {
        let mut message = messages[dice.roll(messages.len())].clone();
        mutate(&mut dice, &mut message);
        let _ = message::parse_request(&message);
        let _ = handshake::parse_hello(&message);
        let _ = Fields::parse(&message, "mutated");
        let mut stream = frames[dice.roll(frames.len())].clone();
        mutate(&mut dice, &mut stream);
        let mut decoder = framing();
        decoder.push(&stream);
        while let Ok(Some(_)) = decoder.next() {}
    }
}

//! Reads the fields of an untrusted JSON object one by one, with bounds, and refuses what nobody asked for.

use crate::frame::ProtocolError;
use serde_json::{Map, Value};

pub struct Fields {
    fields: Map<String, Value>,
    path: String,
}

impl Fields {
    pub fn parse(payload: &[u8], path: &str) -> Result<Self, ProtocolError> {
        let value = serde_json::from_slice(payload).map_err(|error| ProtocolError(format!("not JSON: {error}")))?;
        Self::from_value(value, path)
    }

    pub fn from_value(value: Value, path: &str) -> Result<Self, ProtocolError> {
        match value {
            Value::Object(fields) => Ok(Self { fields, path: path.to_owned() }),
            _ => Err(ProtocolError(format!("{path} is not an object"))),
        }
    }

    pub fn has(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    pub fn integer(&mut self, name: &str, min: i64, max: i64) -> Result<i64, ProtocolError> {
        match self.fields.remove(name).as_ref().and_then(Value::as_i64) {
            Some(value) if value >= min && value <= max => Ok(value),
            _ => Err(self.bad(name, "a number in range")),
        }
    }

    pub fn boolean(&mut self, name: &str) -> Result<bool, ProtocolError> {
        self.fields.remove(name).as_ref().and_then(Value::as_bool).ok_or_else(|| self.bad(name, "true or false"))
    }

    /// A string without NUL of between `min` and `max` bytes.
    pub fn text(&mut self, name: &str, min: usize, max: usize) -> Result<String, ProtocolError> {
        let value = self.fields.remove(name);
        checked(value, min, max).ok_or_else(|| self.bad(name, "text of an allowed length"))
    }

    /// Lower-case hexadecimal digits of between `min` and `max` bytes.
    pub fn hex(&mut self, name: &str, min: usize, max: usize) -> Result<Vec<u8>, ProtocolError> {
        let text = self.text(name, min * 2, max * 2)?;
        decode_hex(&text).ok_or_else(|| self.bad(name, "hexadecimal"))
    }

    /// Nanoseconds since 1970 as decimal text.
    pub fn nanoseconds(&mut self, name: &str) -> Result<u64, ProtocolError> {
        let text = self.text(name, 1, 19)?;
        let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
        match text.parse::<i64>() {
            Ok(value) if plain => Ok(value as u64),
            _ => Err(self.bad(name, "a time in nanoseconds")),
        }
    }

    pub fn texts(&mut self, name: &str, max_items: usize, max_bytes: usize) -> Result<Vec<String>, ProtocolError> {
        let items = self.list(name, max_items)?;
        let texts: Option<Vec<_>> = items.into_iter().map(|item| checked(Some(item), 0, max_bytes)).collect();
        texts.ok_or_else(|| self.bad(name, "a list of texts"))
    }

    pub fn object(&mut self, name: &str) -> Result<Fields, ProtocolError> {
        let value = self.fields.remove(name).unwrap_or(Value::Null);
        Fields::from_value(value, &format!("{}.{name}", self.path))
    }

    pub fn objects(&mut self, name: &str, max_items: usize) -> Result<Vec<Fields>, ProtocolError> {
        let path = format!("{}.{name}", self.path);
        self.list(name, max_items)?.into_iter().map(|item| Fields::from_value(item, &path)).collect()
    }

    /// Refuses fields that have not been read.
    pub fn end(self) -> Result<(), ProtocolError> {
        match self.fields.keys().next() {
            Some(name) => Err(ProtocolError(format!("{} has an unknown field {name:.40}", self.path))),
            None => Ok(()),
        }
    }

    pub fn bad(&self, name: &str, expected: &str) -> ProtocolError {
        ProtocolError(format!("{}.{name} is not {expected}", self.path))
    }

    fn list(&mut self, name: &str, max_items: usize) -> Result<Vec<Value>, ProtocolError> {
        match self.fields.remove(name) {
            Some(Value::Array(items)) if items.len() <= max_items => Ok(items),
            _ => Err(self.bad(name, "a list of an allowed length")),
        }
    }
}

fn checked(value: Option<Value>, min: usize, max: usize) -> Option<String> {
    match value {
        Some(Value::String(text)) if text.len() >= min && text.len() <= max && !text.contains('\0') => Some(text),
        _ => None,
    }
}

fn decode_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let bytes = text.as_bytes();
    if bytes.len() % 2 != 0 {
        return None;
    }
    bytes.chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

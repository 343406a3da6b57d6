//! Control messages. The same as packages/contracts/agent-protocol/src/message.ts and launch-spec.ts.

use crate::fields::Fields;
use crate::frame::ProtocolError;
use serde_json::{json, Value};
use std::net::IpAddr;

pub const MAX_CONTROL: usize = 1024 * 1024;
pub const INITIAL_CREDIT: usize = 256 * 1024;
const MAX_CHANNEL: i64 = 0x3fff_ffff;
const MAX_REQUEST: i64 = 0xffff_ffff;
const MAX_SAFE: i64 = 9_007_199_254_740_991;
const MAX_ITEMS: usize = 4096;
const MAX_TEXT: usize = 128 * 1024;
const MAX_NAMES: usize = 32;
const MAX_NAME: usize = 255;
const MAX_SESSION: usize = 4096;

#[derive(Clone, Debug)]
pub struct ProcessSpec {
    pub args: Vec<String>,
    pub env: Vec<String>,
    pub cwd: String,
    pub user: String,
    pub groups: Vec<String>,
    pub tty: bool,
    pub console: Option<(u16, u16)>,
    pub open_stdin: bool,
}

#[derive(Debug)]
pub struct Interface {
    pub mac: [u8; 6],
    pub set_mac: bool,
    pub name: String,
    pub addresses: Vec<(IpAddr, u8)>,
    pub gateway: Option<IpAddr>,
    pub mtu: Option<u32>,
}

#[derive(Debug)]
pub struct Tmpfs {
    pub path: String,
    pub size: Option<i64>,
    pub mode: Option<u32>,
    pub read_only: bool,
    pub no_exec: bool,
}

#[derive(Debug)]
pub struct Limit {
    pub resource: u32,
    pub soft: i64,
    pub hard: i64,
}

#[derive(Debug)]
pub struct LaunchSpec {
    pub time: u64,
    pub entropy: Vec<u8>,
    pub hostname: String,
    pub domainname: String,
    pub interfaces: Vec<Interface>,
    pub dns_servers: Vec<String>,
    pub dns_search: Vec<String>,
    pub dns_options: Vec<String>,
    pub hosts: Vec<(String, Vec<String>)>,
    pub process: ProcessSpec,
    pub limits: Vec<Limit>,
    pub read_only: bool,
    pub shm_size: i64,
    pub tmpfs: Vec<Tmpfs>,
}

/// What the endpoint says.
#[derive(Debug)]
pub enum Request {
    /// `order` is the message itself, for the process that is to carry it out.
    Launch {
        spec: Box<LaunchSpec>,
        order: Vec<u8>,
    },
    Attach {
        request: u32,
        channel: u32,
        stdin: bool,
        stdout: bool,
        stderr: bool,
    },
    Detach {
        channel: u32,
    },
    /// `session` is the endpoint's to read: it is told again to one that comes after it.
    Exec {
        channel: u32,
        process: ProcessSpec,
        session: Option<String>,
    },
    Resize {
        request: u32,
        channel: u32,
        rows: u16,
        cols: u16,
    },
    Signal {
        request: u32,
        channel: u32,
        signal: i32,
    },
    ExitReceived,
    PowerOff {
        request: u32,
    },
    Ping {
        request: u32,
    },
}

pub fn parse_request(payload: &[u8]) -> Result<Request, ProtocolError> {
    let mut fields = Fields::parse(payload, "message")?;
    let kind = fields.text("kind", 1, 32)?;
    let request = match kind.as_str() {
        "launch" => Request::Launch { spec: Box::new(launch_spec(fields.object("spec")?)?), order: payload.to_vec() },
        "attach" => Request::Attach {
            request: request_id(&mut fields)?,
            channel: channel(&mut fields, 1)?,
            stdin: fields.boolean("stdin")?,
            stdout: fields.boolean("stdout")?,
            stderr: fields.boolean("stderr")?,
        },
        "detach" => Request::Detach { channel: channel(&mut fields, 1)? },
        "exec" => Request::Exec {
            channel: channel(&mut fields, 1)?,
            process: process_spec(fields.object("process")?)?,
            session: if fields.has("session") { Some(fields.text("session", 1, MAX_SESSION)?) } else { None },
        },
        "resize" => {
            let (rows, cols) = console(&mut fields)?;
            Request::Resize { request: request_id(&mut fields)?, channel: channel(&mut fields, 0)?, rows, cols }
        }
        "signal" => Request::Signal {
            request: request_id(&mut fields)?,
            channel: channel(&mut fields, 0)?,
            signal: fields.integer("signal", 1, 64)? as i32,
        },
        "exit-received" => Request::ExitReceived,
        "power-off" => Request::PowerOff { request: request_id(&mut fields)? },
        "ping" => Request::Ping { request: request_id(&mut fields)? },
        _ => return Err(ProtocolError(format!("message kind {kind} is unknown"))),
    };
    fields.end()?;
    Ok(request)
}

fn launch_spec(mut fields: Fields) -> Result<LaunchSpec, ProtocolError> {
    let mut dns = fields.object("dns")?;
    let spec = LaunchSpec {
        time: fields.nanoseconds("time")?,
        entropy: fields.hex("entropy", 16, 128)?,
        hostname: fields.text("hostname", 0, 64)?,
        domainname: fields.text("domainname", 0, 64)?,
        interfaces: fields.objects("interfaces", 32)?.into_iter().map(interface).collect::<Result<_, _>>()?,
        dns_servers: dns.texts("servers", MAX_NAMES, MAX_NAME)?,
        dns_search: dns.texts("search", MAX_NAMES, MAX_NAME)?,
        dns_options: dns.texts("options", MAX_NAMES, MAX_NAME)?,
        hosts: fields.objects("hosts", 1024)?.into_iter().map(host).collect::<Result<_, _>>()?,
        process: process_spec(fields.object("process")?)?,
        limits: fields.objects("limits", 16)?.into_iter().map(limit).collect::<Result<_, _>>()?,
        read_only: fields.boolean("readonlyRootfs")?,
        shm_size: fields.integer("shmSizeBytes", 0, MAX_SAFE)?,
        tmpfs: fields.objects("tmpfs", 64)?.into_iter().map(tmpfs).collect::<Result<_, _>>()?,
    };
    dns.end()?;
    fields.end()?;
    Ok(spec)
}

fn process_spec(mut fields: Fields) -> Result<ProcessSpec, ProtocolError> {
    let console = if fields.has("consoleSize") {
        let mut size = fields.object("consoleSize")?;
        let cells = console(&mut size)?;
        size.end()?;
        Some(cells)
    } else {
        None
    };
    let process = ProcessSpec {
        args: fields.texts("args", MAX_ITEMS, MAX_TEXT)?,
        env: fields.texts("env", MAX_ITEMS, MAX_TEXT)?,
        cwd: absolute(&mut fields, "cwd")?,
        user: fields.text("user", 0, MAX_NAME)?,
        groups: fields.texts("groups", MAX_NAMES, MAX_NAME)?,
        tty: fields.boolean("tty")?,
        console,
        open_stdin: fields.boolean("openStdin")?,
    };
    if process.args.is_empty() {
        return Err(fields.bad("args", "a command"));
    }
    fields.end()?;
    Ok(process)
}

fn interface(mut fields: Fields) -> Result<Interface, ProtocolError> {
    let mac = parse_mac(&fields.text("mac", 17, 17)?).ok_or_else(|| fields.bad("mac", "a MAC address"))?;
    let name = fields.text("name", 1, 15)?;
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    if !plain || name == "." || name == ".." {
        return Err(fields.bad("name", "an interface name"));
    }
    let addresses: Option<Vec<_>> =
        fields.texts("addresses", MAX_NAMES, 64)?.iter().map(|text| parse_cidr(text)).collect();
    let gateway = match fields.has("gateway") {
        true => Some(fields.text("gateway", 1, 64)?.parse().map_err(|_| fields.bad("gateway", "an address"))?),
        false => None,
    };
    let mtu = match fields.has("mtu") {
        true => Some(fields.integer("mtu", 68, 65_535)? as u32),
        false => None,
    };
    let interface = Interface {
        mac,
        set_mac: fields.boolean("setMac")?,
        name,
        addresses: addresses.ok_or_else(|| fields.bad("addresses", "in CIDR form"))?,
        gateway,
        mtu,
    };
    fields.end()?;
    Ok(interface)
}

fn host(mut fields: Fields) -> Result<(String, Vec<String>), ProtocolError> {
    let entry = (fields.text("address", 1, 64)?, fields.texts("names", MAX_NAMES, MAX_NAME)?);
    fields.end()?;
    Ok(entry)
}

fn limit(mut fields: Fields) -> Result<Limit, ProtocolError> {
    let limit = Limit {
        resource: fields.integer("resource", 0, 15)? as u32,
        soft: fields.integer("soft", -1, MAX_SAFE)?,
        hard: fields.integer("hard", -1, MAX_SAFE)?,
    };
    fields.end()?;
    Ok(limit)
}

fn tmpfs(mut fields: Fields) -> Result<Tmpfs, ProtocolError> {
    let tmpfs = Tmpfs {
        path: absolute(&mut fields, "path")?,
        size: if fields.has("sizeBytes") { Some(fields.integer("sizeBytes", 0, MAX_SAFE)?) } else { None },
        mode: if fields.has("mode") { Some(fields.integer("mode", 0, 0o7777)? as u32) } else { None },
        read_only: fields.boolean("readonly")?,
        no_exec: fields.boolean("noexec")?,
    };
    fields.end()?;
    Ok(tmpfs)
}

fn absolute(fields: &mut Fields, name: &str) -> Result<String, ProtocolError> {
    let path = fields.text(name, 1, 4096)?;
    if path.starts_with('/') {
        Ok(path)
    } else {
        Err(fields.bad(name, "an absolute path"))
    }
}

fn console(fields: &mut Fields) -> Result<(u16, u16), ProtocolError> {
    Ok((fields.integer("rows", 0, 0xffff)? as u16, fields.integer("cols", 0, 0xffff)? as u16))
}

fn channel(fields: &mut Fields, min: i64) -> Result<u32, ProtocolError> {
    Ok(fields.integer("channel", min, MAX_CHANNEL)? as u32)
}

fn request_id(fields: &mut Fields) -> Result<u32, ProtocolError> {
    Ok(fields.integer("request", 1, MAX_REQUEST)? as u32)
}

fn parse_mac(text: &str) -> Option<[u8; 6]> {
    let mut mac = [0; 6];
    let mut parts = text.split(':');
    for byte in &mut mac {
        let part = parts.next()?;
        if part.len() != 2 || !part.bytes().all(|digit| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit)) {
            return None;
        }
        *byte = u8::from_str_radix(part, 16).ok()?;
    }
    parts.next().is_none().then_some(mac)
}

fn parse_cidr(text: &str) -> Option<(IpAddr, u8)> {
    let (address, prefix) = text.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    if prefix.is_empty() || !prefix.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let prefix: u8 = prefix.parse().ok()?;
    (prefix <= if address.is_ipv4() { 32 } else { 128 }).then_some((address, prefix))
}

/// Why a process could not be started, in the protocol's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartFailure {
    pub kind: String,
    pub message: String,
}

impl StartFailure {
    pub fn new(kind: &str, message: impl Into<String>) -> Self {
        let mut message: String = message.into().chars().filter(|character| *character != '\0').collect();
        while message.len() > 4000 {
            message.pop();
        }
        Self { kind: kind.to_owned(), message }
    }
}

/// How a process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exit {
    pub code: i32,
    pub signal: i32,
    pub oom: bool,
    pub time: u64,
}

impl Exit {
    pub fn to_json(&self) -> Value {
        json!({ "code": self.code, "signal": self.signal, "oom": self.oom, "time": self.time.to_string() })
    }

    /// The same with a `kind` (and a channel), as a message.
    pub fn to_message(&self, kind: &str, channel: Option<u32>) -> Value {
        let mut message = self.to_json();
        message["kind"] = json!(kind);
        if let Some(channel) = channel {
            message["channel"] = json!(channel);
        }
        message
    }
}

pub fn reply(request: u32, result: Result<(), String>) -> Value {
    match result {
        Ok(()) => json!({ "kind": "reply", "request": request }),
        Err(error) => json!({ "kind": "reply", "request": request, "error": error }),
    }
}

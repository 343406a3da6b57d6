//! Interfaces, addresses and routes, through netlink.

use crate::message::{Interface, StartFailure};
use crate::sys;
use std::ffi::OsStr;
use std::fs;
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::Duration;

/// How long a hot-added interface may take to appear.
const APPEAR_MS: u64 = 10_000;
const SETTLE_MS: u64 = 3_000;
const RTM_NEWLINK: u16 = 16;
const RTM_NEWADDR: u16 = 20;
const RTM_NEWROUTE: u16 = 24;
const NLM_REQUEST_ACK: u16 = 0x01 | 0x04;
const NLM_CREATE_REPLACE: u16 = 0x400 | 0x100;
const IFLA_ADDRESS: u16 = 1;
const IFLA_IFNAME: u16 = 3;
const IFLA_MTU: u16 = 4;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;
const RTA_PRIORITY: u16 = 6;
const IFF_UP: u32 = 1;
const IFA_F_NODAD: u8 = 2;
const RTNH_F_ONLINK: u32 = 4;

/// Brings the loopback and the cards that are there up, and sets what Docker sets in a container's network namespace.
pub fn prepare() -> std::io::Result<()> {
    // A kernel without one of them works as well.
    for (name, value) in [("ip_unprivileged_port_start", "0"), ("ping_group_range", "0 2147483647")] {
        let _ = fs::write(format!("/proc/sys/net/ipv4/{name}"), value);
    }
    let mut routes = Routes::open()?;
    let index = fs::read_to_string("/sys/class/net/lo/ifindex")?;
    routes.set_link(index.trim().parse().map_err(std::io::Error::other)?, &[], true)?;
    for card in present()? {
        allow_ipv6(&card.name, false)?;
        routes.set_link(card.index, &[], true)?;
    }
    Ok(())
}

/// Waits until the kernel has taken note of the cables that are plugged in, which it does once a second.
pub fn settle() -> std::io::Result<()> {
    let deadline = sys::monotonic_ms() + SETTLE_MS;
    for card in present()? {
        let reads =
            |name: &str, value: &str| fs::read_to_string(card.path.join(name)).is_ok_and(|text| text.trim() == value);
        while reads("carrier", "1") && !reads("operstate", "up") && sys::monotonic_ms() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    Ok(())
}

/// Configures every interface of the list and takes all others away.
pub fn configure(interfaces: &[Interface]) -> Result<(), StartFailure> {
    let mut routes = Routes::open()
        .map_err(|error| StartFailure::new("network", format!("cannot open a netlink socket: {error}")))?;
    let mut taken = Vec::new();
    for (position, interface) in interfaces.iter().enumerate() {
        let card = find(interface, interfaces, &taken)?;
        configure_one(&mut routes, interface, &card, position as u32)
            .map_err(|error| failure(&interface.name, error))?;
        taken.push(card.index);
    }
    remove_others(&taken).map_err(|error| StartFailure::new("network", format!("cannot remove an interface: {error}")))
}

/// Takes the interfaces nobody named from their drivers: a machine may have more cards than the container networks.
fn remove_others(taken: &[u32]) -> std::io::Result<()> {
    for card in present()?.into_iter().filter(|card| !taken.contains(&card.index)) {
        // What has no driver, such as a tunnel, is no card.
        let Ok(device) = fs::canonicalize(card.path.join("device")) else { continue };
        if let Some(name) = device.file_name().and_then(OsStr::to_str) {
            fs::write(device.join("driver/unbind"), name)?;
        }
    }
    Ok(())
}

fn configure_one(routes: &mut Routes, wanted: &Interface, card: &Card, metric: u32) -> std::io::Result<()> {
    set_link(routes, wanted, card)?;
    // As Docker: an interface without such an address does not speak IPv6.
    allow_ipv6(&wanted.name, wanted.addresses.iter().any(|(address, _)| address.is_ipv6()))?;
    for (address, prefix) in &wanted.addresses {
        routes.add_address(card.index, *address, *prefix)?;
    }
    match wanted.gateway {
        Some(gateway) => routes.add_default_route(card.index, gateway, metric),
        None => Ok(()),
    }
}

fn set_link(routes: &mut Routes, wanted: &Interface, card: &Card) -> std::io::Result<()> {
    let name = [wanted.name.as_bytes(), b"\0"].concat();
    let mtu = wanted.mtu.unwrap_or(0).to_ne_bytes();
    let mut attributes: Vec<(u16, &[u8])> = vec![(IFLA_ADDRESS, &wanted.mac)];
    if wanted.name != card.name {
        attributes.push((IFLA_IFNAME, &name));
    }
    if wanted.mtu.is_some() {
        attributes.push((IFLA_MTU, &mtu));
    }
    match routes.set_link(card.index, &attributes, true) {
        Err(error) if error.raw_os_error() == Some(libc::EBUSY) => {
            // Of most cards name and address change only while they are down.
            routes.set_link(card.index, &[], false)?;
            routes.set_link(card.index, &attributes, true)
        }
        other => other,
    }
}

/// A kernel without IPv6 has nothing to allow.
fn allow_ipv6(interface: &str, allowed: bool) -> std::io::Result<()> {
    match fs::write(format!("/proc/sys/net/ipv6/conf/{interface}/disable_ipv6"), if allowed { "0" } else { "1" }) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// The interface with the wanted address or, where the specification allows it, the first that nobody names.
fn find(wanted: &Interface, all: &[Interface], taken: &[u32]) -> Result<Card, StartFailure> {
    let deadline = sys::monotonic_ms() + APPEAR_MS;
    loop {
        let mut present = present().map_err(|error| failure(&wanted.name, error))?;
        let named = present.iter().position(|card| card.mac == wanted.mac);
        let free = |card: &Card| !taken.contains(&card.index) && all.iter().all(|other| other.mac != card.mac);
        let found = named.or_else(|| present.iter().position(free).filter(|_| wanted.set_mac));
        if let Some(position) = found {
            return Ok(present.swap_remove(position));
        }
        if sys::monotonic_ms() > deadline {
            return Err(StartFailure::new("network", format!("interface {} did not appear", wanted.name)));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// An Ethernet interface.
struct Card {
    index: u32,
    name: String,
    mac: [u8; 6],
    path: PathBuf,
}

/// Every Ethernet interface, in the order of their indices.
fn present() -> std::io::Result<Vec<Card>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/sys/class/net")? {
        let path = entry?.path();
        let text = |name: &str| fs::read_to_string(path.join(name)).unwrap_or_default();
        let mac: Vec<u8> =
            text("address").trim().split(':').filter_map(|part| u8::from_str_radix(part, 16).ok()).collect();
        if let (Ok(index), Ok(mac), "1") = (text("ifindex").trim().parse(), mac.try_into(), text("type").trim()) {
            let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default().to_owned();
            found.push(Card { index, name, mac, path });
        }
    }
    found.sort_unstable_by_key(|card| card.index);
    Ok(found)
}

fn failure(name: &str, error: std::io::Error) -> StartFailure {
    StartFailure::new("network", format!("cannot configure interface {name}: {error}"))
}

/// A netlink socket and its sequence numbers.
struct Routes {
    socket: OwnedFd,
    sequence: u32,
}

impl Routes {
    fn open() -> std::io::Result<Self> {
        Ok(Self { socket: sys::route_socket()?, sequence: 0 })
    }

    fn set_link(&mut self, index: u32, attributes: &[(u16, &[u8])], up: bool) -> std::io::Result<()> {
        // struct ifinfomsg: family, pad, type, index, flags, change.
        let mut body = vec![0, 0, 0, 0];
        body.extend(index.to_ne_bytes());
        body.extend((if up { IFF_UP } else { 0 }).to_ne_bytes());
        body.extend(IFF_UP.to_ne_bytes());
        self.request(RTM_NEWLINK, 0, body, attributes)
    }

    fn add_address(&mut self, index: u32, address: IpAddr, prefix: u8) -> std::io::Result<()> {
        let (family, bytes) = raw(address);
        // struct ifaddrmsg: family, prefix length, flags, scope, index.
        let mut body = vec![family, prefix, if address.is_ipv6() { IFA_F_NODAD } else { 0 }, 0];
        body.extend(index.to_ne_bytes());
        self.request(RTM_NEWADDR, NLM_CREATE_REPLACE, body, &[(IFA_LOCAL, &bytes), (IFA_ADDRESS, &bytes)])
    }

    fn add_default_route(&mut self, index: u32, gateway: IpAddr, metric: u32) -> std::io::Result<()> {
        let (family, bytes) = raw(gateway);
        const MAIN_TABLE: u8 = 254;
        const PROTOCOL_BOOT: u8 = 3;
        const UNICAST: u8 = 1;
        // struct rtmsg: family, destination and source length, tos, table, protocol, scope, type, flags.
        let mut body = vec![family, 0, 0, 0, MAIN_TABLE, PROTOCOL_BOOT, 0, UNICAST];
        body.extend(RTNH_F_ONLINK.to_ne_bytes());
        let (index, metric) = (index.to_ne_bytes(), metric.to_ne_bytes());
        self.request(
            RTM_NEWROUTE,
            NLM_CREATE_REPLACE,
            body,
            &[(RTA_OIF, &index), (RTA_GATEWAY, &bytes), (RTA_PRIORITY, &metric)],
        )
    }

    fn request(
        &mut self,
        kind: u16,
        flags: u16,
        mut body: Vec<u8>,
        attributes: &[(u16, &[u8])],
    ) -> std::io::Result<()> {
        for (attribute, value) in attributes {
            body.extend((4 + value.len() as u16).to_ne_bytes());
            body.extend(attribute.to_ne_bytes());
            body.extend(*value);
            body.resize(body.len().next_multiple_of(4), 0);
        }
        self.sequence += 1;
        let mut message = Vec::with_capacity(16 + body.len());
        message.extend((16 + body.len() as u32).to_ne_bytes());
        message.extend(kind.to_ne_bytes());
        message.extend((NLM_REQUEST_ACK | flags).to_ne_bytes());
        message.extend(self.sequence.to_ne_bytes());
        message.extend(0u32.to_ne_bytes());
        message.extend(body);
        sys::write(&self.socket, &message)?;
        self.acknowledged()
    }

    /// The kernel answers each request with its error number, negative, or 0.
    fn acknowledged(&self) -> std::io::Result<()> {
        let mut answer = [0; 8192];
        let size = sys::read(&self.socket, &mut answer)?;
        match answer.get(16..20).filter(|_| size >= 20) {
            Some(&[a, b, c, d]) => match i32::from_ne_bytes([a, b, c, d]) {
                0 => Ok(()),
                error => Err(std::io::Error::from_raw_os_error(-error)),
            },
            _ => Err(std::io::Error::other("short netlink answer")),
        }
    }
}

fn raw(address: IpAddr) -> (u8, Vec<u8>) {
    match address {
        IpAddr::V4(address) => (libc::AF_INET as u8, address.octets().to_vec()),
        IpAddr::V6(address) => (libc::AF_INET6 as u8, address.octets().to_vec()),
    }
}

//! PID 1 of a container virtual machine.
//!
//! Reads its configuration from guestinfo, waits for the endpoint's launch message, turns the machine into the
//! container, carries its streams, reports its end and powers the machine off.
#![deny(unsafe_code)]

mod account;
mod boot;
mod cgroup;
mod connection;
mod container;
mod disk;
mod fields;
mod frame;
mod handshake;
mod log_record;
mod message;
mod network;
mod port;
mod power_button;
mod process;
mod rootfs;
mod stream;
mod supervisor;
mod sys;
mod sys_process;
mod time;
#[cfg(test)]
mod vectors;
mod zygote;

use connection::Connection;
use container::{Container, Log};
use port::{GuestInfoPort, Journal};
use power_button::{PowerButtons, StopOrder};
use std::io;
use std::panic::{catch_unwind, AssertUnwindSafe};
use supervisor::{Sources, Supervisor};
use zygote::Zygote;

fn main() {
    if std::process::id() != 1 {
        eprintln!("tether: this program is PID 1 of a container virtual machine and nothing else");
        std::process::exit(2);
    }
    let mut journal = None;
    let outcome = catch_unwind(AssertUnwindSafe(|| live(&mut journal)));
    let reason = match outcome {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(_) => Some("the tether failed; see the machine's console".to_owned()),
    };
    if let Some(reason) = reason {
        eprintln!("tether: {reason}");
        if let Some(journal) = &mut journal {
            journal.report("error", &reason);
        }
    }
    disk::unmount_root();
    let error = sys::power_off();
    eprintln!("tether: cannot power off: {error}");
}

/// The machine's life, in order.
fn live(slot: &mut Option<Journal>) -> io::Result<()> {
    boot::prepare()?;
    let children = sys::child_signal_descriptor()?;
    let buttons = PowerButtons::open();
    let journal = slot.insert(Journal::open()?);
    let log = Log::new(port::open("vic.log.0", true)?);
    let tether = port::open("vic.tether.0", false)?;
    let mut guestinfo = GuestInfoPort::open()?;
    let zygote = Zygote::make()?;
    let mut info = guestinfo.wait(|_| true)?;
    if info.is_template() {
        boot::warm_up()?;
        journal.ask_to_freeze();
        let template = info.id().to_owned();
        info = guestinfo.wait(|next| next.id() != template && !next.is_template())?;
    }
    boot::seed_random(info.secret().as_bytes())?;
    let stop = StopOrder::parse(info.get("guestinfo.vic.stop.signal"), info.get("guestinfo.vic.stop.timeout"));
    let connection = Connection::new(tether, info.id(), info.secret())?;
    let container = Container::new(log, zygote);
    Supervisor::new(connection, journal, container, Sources { children, buttons, stop })?.run()
}

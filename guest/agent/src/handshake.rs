//! Mutual authentication with the VM's secret. The same as packages/contracts/agent-protocol/src/handshake.ts.

use crate::fields::Fields;
use crate::frame::ProtocolError;
use hmac::{Hmac, Mac};
use sha2::Sha256;

pub const VERSION: i64 = 1;
const NONCE: usize = 32;

/// The proof of `role`, hexadecimal.
pub fn proof(secret: &str, role: &str, endpoint_nonce: &[u8], tether_nonce: &[u8], vm_id: &str) -> String {
    let mac = keyed(secret, role, endpoint_nonce, tether_nonce, vm_id);
    hex(&mac.finalize().into_bytes())
}

/// Checks a proof in constant time.
pub fn proof_matches(
    secret: &str,
    role: &str,
    endpoint_nonce: &[u8],
    tether_nonce: &[u8],
    vm_id: &str,
    given: &[u8],
) -> bool {
    keyed(secret, role, endpoint_nonce, tether_nonce, vm_id).verify_slice(given).is_ok()
}

fn keyed(secret: &str, role: &str, endpoint_nonce: &[u8], tether_nonce: &[u8], vm_id: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(format!("vic-tether-v{VERSION}\0{role}\0").as_bytes());
    mac.update(endpoint_nonce);
    mac.update(tether_nonce);
    mac.update(vm_id.as_bytes());
    mac
}

/// The nonce of the endpoint's hello.
pub fn parse_hello(payload: &[u8]) -> Result<Vec<u8>, ProtocolError> {
    let mut fields = Fields::parse(payload, "hello")?;
    let version = fields.integer("version", 0, 0xffff)?;
    let nonce = fields.hex("nonce", NONCE, NONCE)?;
    fields.end()?;
    if version != VERSION {
        return Err(ProtocolError(format!("the endpoint speaks version {version}")));
    }
    Ok(nonce)
}

/// The proof in the endpoint's proof frame.
pub fn parse_proof(payload: &[u8]) -> Result<Vec<u8>, ProtocolError> {
    let mut fields = Fields::parse(payload, "proof")?;
    let proof = fields.hex("proof", NONCE, NONCE)?;
    fields.end()?;
    Ok(proof)
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

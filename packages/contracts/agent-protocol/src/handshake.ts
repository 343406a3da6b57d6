import { createHmac, timingSafeEqual } from 'node:crypto';
import { ObjectReader, parseJson } from './object-reader.ts';
import { protocolError } from './protocol-error.ts';

/** The version of the protocol; both sides must speak the same one. */
export const PROTOCOL_VERSION = 1;

/** Begins each side's handshake after every connection. Not valid UTF-8 and not a valid frame header. */
export const MAGIC: Uint8Array = Buffer.from('\0VIC-TETHER\x01\r\n\xff\xfe', 'latin1');

/** How many stale bytes a receiver skips: a virtio queue and QEMU's buffers hold less. */
const MAX_STALE_BYTES = 2 * 1024 * 1024;

/** The length of a nonce and of a proof. */
export const NONCE_BYTES = 32;

/** Whose proof it is. */
export type Role = 'endpoint' | 'tether';

/** The endpoint's first frame. */
export interface Hello {
  readonly version: number;
  readonly nonce: string;
}

/** The tether's answer. */
export interface HelloReply {
  readonly version: number;
  readonly vmId: string;
  /** The endpoint's nonce, so that a stale reply to an earlier connection is told apart. */
  readonly echo: string;
  readonly nonce: string;
  readonly proof: string;
}

/** HMAC-SHA256 over role, both nonces and the VM's id, under the VM's secret; hexadecimal. */
export function proofOf(secret: string, role: Role, endpointNonce: string, tetherNonce: string, vmId: string): string {
  return createHmac('sha256', Buffer.from(secret, 'utf8'))
    .update(`vic-tether-v${PROTOCOL_VERSION}\0${role}\0`)
    .update(Buffer.from(endpointNonce, 'hex'))
    .update(Buffer.from(tetherNonce, 'hex'))
    .update(vmId, 'utf8')
    .digest('hex');
}

/** Compares two proofs in constant time. */
export function proofMatches(expected: string, given: string): boolean {
  const a = Buffer.from(expected, 'utf8');
  const b = Buffer.from(given, 'utf8');
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Reads the payload of a hello frame. */
export function parseHello(payload: Uint8Array): Hello {
  const reader = new ObjectReader(parseJson(payload), 'hello');
  const hello = { version: reader.integer('version', 0, 0xffff), nonce: reader.hex('nonce', NONCE_BYTES, NONCE_BYTES) };
  reader.end();
  return hello;
}

/** Reads the payload of a hello reply frame; the proof is not checked. */
export function parseHelloReply(payload: Uint8Array): HelloReply {
  const reader = new ObjectReader(parseJson(payload), 'helloReply');
  const reply = {
    version: reader.integer('version', 0, 0xffff),
    vmId: reader.text('vmId', 1, 128),
    echo: reader.hex('echo', NONCE_BYTES, NONCE_BYTES),
    nonce: reader.hex('nonce', NONCE_BYTES, NONCE_BYTES),
    proof: reader.hex('proof', NONCE_BYTES, NONCE_BYTES),
  };
  reader.end();
  return reply;
}

/** Reads the payload of a proof frame. */
export function parseProof(payload: Uint8Array): string {
  const reader = new ObjectReader(parseJson(payload), 'proof');
  const proof = reader.hex('proof', NONCE_BYTES, NONCE_BYTES);
  reader.end();
  return proof;
}

/** Skips what an earlier connection left in the channel, up to and including the magic. */
export class MagicSeeker {
  #tail: Buffer = Buffer.alloc(0);
  #skipped = 0;

  /** Takes more bytes; gives those after the magic once it has been seen. */
  push(chunk: Uint8Array): Uint8Array | undefined {
    const bytes = Buffer.concat([this.#tail, chunk]);
    const at = bytes.indexOf(MAGIC);
    if (at >= 0) return bytes.subarray(at + MAGIC.length);
    this.#tail = bytes.subarray(Math.max(0, bytes.length - MAGIC.length + 1));
    this.#skipped += chunk.length;
    if (this.#skipped > MAX_STALE_BYTES) throw protocolError('no handshake among the first bytes');
    return undefined;
  }
}

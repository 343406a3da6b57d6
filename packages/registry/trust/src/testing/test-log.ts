import { type KeyObject, createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { octets } from './der.ts';
import { spki } from './test-certificate.ts';

/** An entry with everything that a log says of it. */
export interface Logged {
  readonly body: Buffer;
  readonly logIndex: number;
  readonly integratedTimeS: number;
  /** The signed entry timestamp. */
  readonly promise: Buffer;
  readonly proof: {
    readonly logIndex: number;
    readonly treeSize: number;
    readonly rootHash: Buffer;
    readonly hashes: readonly Buffer[];
    readonly checkpoint: string;
  };
}

const ORIGIN = 'rekor.example';
/** What others logged before and after. */
const NEIGHBOURS_BEFORE = 3;
const NEIGHBOURS_AFTER = 2;
/** Indexes count over all shards of a log, those in a proof over one. */
const SHARD_OFFSET = 1000;

/** A transparency log as Rekor is one: promises, and proofs in a tree with entries of others. */
export class TestLog {
  readonly baseUrl = `https://${ORIGIN}`;
  readonly publicKey: KeyObject;
  readonly id: Buffer;
  readonly #privateKey: KeyObject;

  constructor() {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.publicKey = publicKey;
    this.#privateKey = privateKey;
    this.id = createHash('sha256').update(spki(publicKey)).digest();
  }

  /** Takes in an entry. */
  add(entry: object, atMs: number): Logged {
    const body = Buffer.from(JSON.stringify(entry));
    const leaves = [
      ...Array.from({ length: NEIGHBOURS_BEFORE }, () => leafHash(randomBytes(32))),
      leafHash(body),
      ...Array.from({ length: NEIGHBOURS_AFTER }, () => leafHash(randomBytes(32))),
    ];
    const rootHash = treeHash(leaves);
    const logIndex = NEIGHBOURS_BEFORE + SHARD_OFFSET;
    const integratedTimeS = Math.floor(atMs / 1000);
    const promised = { body: body.toString('base64'), integratedTime: integratedTimeS, logID: this.id.toString('hex') };
    return {
      body,
      logIndex,
      integratedTimeS,
      promise: sign('sha256', Buffer.from(JSON.stringify({ ...promised, logIndex })), this.#privateKey),
      proof: {
        logIndex: NEIGHBOURS_BEFORE,
        treeSize: leaves.length,
        rootHash,
        hashes: pathTo(NEIGHBOURS_BEFORE, leaves),
        checkpoint: this.#checkpoint(leaves.length, rootHash),
      },
    };
  }

  #checkpoint(treeSize: number, rootHash: Buffer): string {
    const note = `${ORIGIN} - 1\n${treeSize}\n${rootHash.toString('base64')}\n`;
    const signature = Buffer.concat([this.id.subarray(0, 4), sign('sha256', Buffer.from(note), this.#privateKey)]);
    return `${note}\n\u2014 ${ORIGIN} ${signature.toString('base64')}\n`;
  }
}

/** Makes a certificate log's key and the extension that proves that a certificate is in that log (RFC 6962). */
export function certificateLog(): {
  readonly publicKey: KeyObject;
  readonly promise: (precertificate: Buffer, issuerKey: KeyObject) => Buffer;
} {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const id = createHash('sha256').update(spki(publicKey)).digest();
  const promise = (precertificate: Buffer, issuerKey: KeyObject): Buffer => {
    const at = Buffer.alloc(8);
    at.writeBigUInt64BE(BigInt(Date.now()));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(precertificate.length);
    const issuer = createHash('sha256').update(spki(issuerKey)).digest();
    const none = Buffer.from([0, 0]);
    const signed = [Buffer.from([0, 0]), at, Buffer.from([0, 1]), issuer, length.subarray(1), precertificate, none];
    const signature = sign('sha256', Buffer.concat(signed), privateKey);
    const timestamp = Buffer.concat([Buffer.from([0]), id, at, none, Buffer.from([4, 3]), counted(signature)]);
    const list = counted(counted(timestamp));
    return octets(list);
  };
  return { publicKey, promise };
}

function counted(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
}

/** RFC 6962, section 2.1. */
function treeHash(leaves: readonly Buffer[]): Buffer {
  const [only] = leaves;
  if (leaves.length === 1 && only !== undefined) return only;
  const split = splitOf(leaves.length);
  return nodeHash(treeHash(leaves.slice(0, split)), treeHash(leaves.slice(split)));
}

/** RFC 6962, section 2.1.1. */
function pathTo(index: number, leaves: readonly Buffer[]): readonly Buffer[] {
  if (leaves.length === 1) return [];
  const split = splitOf(leaves.length);
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  return index < split ? [...pathTo(index, left), treeHash(right)] : [...pathTo(index - split, right), treeHash(left)];
}

function splitOf(count: number): number {
  return 2 ** Math.floor(Math.log2(count - 1));
}

function leafHash(entry: Uint8Array): Buffer {
  return createHash('sha256')
    .update(Buffer.from([0]))
    .update(entry)
    .digest();
}

function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return createHash('sha256')
    .update(Buffer.from([1]))
    .update(left)
    .update(right)
    .digest();
}

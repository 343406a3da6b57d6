import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import {
  FrameDecoder,
  LogDecoder,
  MAGIC,
  encodeFrame,
  encodeLogRecord,
  parseEndpointMessage,
  parseTetherMessage,
  proofOf,
} from './index.ts';
import type { FrameType, LogStream, Role } from './index.ts';

// The same vectors are run by the tether's tests (guest/agent/src/vectors.rs).
async function fixture<T>(name: string): Promise<T> {
  return JSON.parse(await readFile(new URL(`../fixtures/${name}.json`, import.meta.url), 'utf8')) as T;
}

interface FrameVectors {
  readonly magic: string;
  readonly valid: readonly {
    name: string;
    bytes: string;
    frames: readonly { type: FrameType; stream: number; payload: string }[];
  }[];
  readonly invalid: readonly { name: string; bytes: string }[];
}
interface MessageVectors {
  readonly valid: readonly string[];
  readonly invalid: readonly string[];
}

describe('the shared vectors', () => {
  it('frames are encoded and decoded alike', async () => {
    const vectors = await fixture<FrameVectors>('frames');
    expect(Buffer.from(MAGIC).toString('hex')).toBe(vectors.magic);
    for (const vector of vectors.valid) {
      const frames = new FrameDecoder().push(Buffer.from(vector.bytes, 'hex'));
      const plain = frames.map((frame) => ({ ...frame, payload: Buffer.from(frame.payload).toString('hex') }));
      expect({ name: vector.name, frames: plain }).toEqual({ name: vector.name, frames: vector.frames });
      const encoded = vector.frames.map((frame) =>
        encodeFrame(frame.type, frame.stream, Buffer.from(frame.payload, 'hex')),
      );
      expect(Buffer.concat(encoded).toString('hex')).toBe(vector.bytes);
    }
    for (const vector of vectors.invalid) {
      expect(() => new FrameDecoder().push(Buffer.from(vector.bytes, 'hex'))).toThrow(/tether protocol/);
    }
  });

  it('proofs are the same', async () => {
    const { proofs } = await fixture<{
      proofs: readonly {
        secret: string;
        role: Role;
        endpointNonce: string;
        tetherNonce: string;
        vmId: string;
        proof: string;
      }[];
    }>('handshake');
    for (const vector of proofs) {
      expect(proofOf(vector.secret, vector.role, vector.endpointNonce, vector.tetherNonce, vector.vmId)).toBe(
        vector.proof,
      );
    }
  });

  it('messages are taken and refused alike', async () => {
    const vectors = await fixture<{ endpoint: MessageVectors; tether: MessageVectors }>('messages');
    const sides = [
      [vectors.endpoint, parseEndpointMessage],
      [vectors.tether, parseTetherMessage],
    ] as const;
    for (const [side, parse] of sides) {
      for (const text of side.valid) expect(parse(Buffer.from(text))).toEqual(JSON.parse(text));
      for (const text of side.invalid) expect(() => parse(Buffer.from(text))).toThrow(/tether protocol/);
    }
  });

  it('log records are the same', async () => {
    const vectors =
      await fixture<readonly { stream: LogStream; partial: boolean; timeNs: string; payload: string; bytes: string }[]>(
        'log-records',
      );
    for (const { bytes, ...plain } of vectors) {
      const record = { ...plain, timeNs: BigInt(plain.timeNs), payload: Buffer.from(plain.payload, 'hex') };
      expect(Buffer.from(encodeLogRecord(record)).toString('hex')).toBe(bytes);
      expect(new LogDecoder().push(Buffer.from(bytes, 'hex'))).toMatchObject([record]);
    }
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isVicError } from '@vic/errors';
import {
  ControlAssembler,
  FRAME,
  FrameDecoder,
  MAGIC,
  MagicSeeker,
  encodeControl,
  encodeFrame,
  parseEndpointMessage,
  parseHelloReply,
  parseTetherMessage,
  proofMatches,
} from './index.ts';
import type { FrameType } from './index.ts';

const frames = fc.array(
  fc.record({
    type: fc.constantFrom<FrameType>(...Object.values(FRAME)),
    stream: fc.integer({ min: 0, max: 0xffff_ffff }),
    payload: fc.uint8Array({ maxLength: 300 }),
  }),
  { maxLength: 8 },
);

function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let at = 0;
  for (const size of sizes) {
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return [...chunks, bytes.subarray(at)];
}

describe('FrameDecoder', () => {
  it('gives the frames whatever the cuts', () => {
    fc.assert(
      fc.property(frames, fc.array(fc.nat(40), { maxLength: 40 }), (wanted, sizes) => {
        const bytes = Buffer.concat(wanted.map((frame) => encodeFrame(frame.type, frame.stream, frame.payload)));
        const decoder = new FrameDecoder();
        const got = cut(bytes, sizes).flatMap((chunk) => decoder.push(chunk));
        expect(got.map((frame) => ({ ...frame, payload: Uint8Array.from(frame.payload) }))).toEqual(
          wanted.map((frame) => ({ ...frame, payload: Uint8Array.from(frame.payload) })),
        );
      }),
    );
  });

  it('throws nothing but a protocol error on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) =>
        onlyProtocolErrors(() => new FrameDecoder().push(bytes)),
      ),
    );
  });
});

describe('the message parsers', () => {
  it('throw nothing but a protocol error on any JSON', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        for (const parse of [parseEndpointMessage, parseTetherMessage, parseHelloReply])
          onlyProtocolErrors(() => parse(Buffer.from(text)));
      }),
    );
  });

  it('refuse what is not UTF-8', () => {
    expect(() => parseTetherMessage(Buffer.from([0x22, 0xff, 0x22]))).toThrow(/not JSON/);
  });
});

describe('control messages', () => {
  it('larger than a frame travel in parts', () => {
    const message = { kind: 'x', text: 'é'.repeat(100_000) };
    const assembler = new ControlAssembler();
    const bodies = new FrameDecoder().push(encodeControl(message)).map((frame) => assembler.push(frame));
    expect(bodies.length).toBeGreaterThan(3);
    expect(JSON.parse(String(bodies.at(-1)))).toEqual(message);
    expect(bodies.slice(0, -1).every((body) => body === undefined)).toBe(true);
  });

  it('are refused when they never end', () => {
    const assembler = new ControlAssembler();
    const part = { type: FRAME.controlPart, stream: 0, payload: new Uint8Array(64 * 1024) };
    expect(() => {
      for (let i = 0; i < 20; i++) assembler.push(part);
    }).toThrow(/too large/);
  });
});

describe('MagicSeeker', () => {
  it('finds the magic after stale bytes, whatever the cuts', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.uint8Array({ maxLength: 20 }),
        fc.array(fc.nat(20)),
        (stale, rest, sizes) => {
          const seeker = new MagicSeeker();
          const bytes = Buffer.concat([stale, MAGIC, rest]);
          const after: Uint8Array[] = [];
          let found = false;
          for (const chunk of cut(bytes, sizes)) {
            const tail: Uint8Array | undefined = found ? chunk : seeker.push(chunk);
            found ||= tail !== undefined;
            if (tail !== undefined) after.push(tail);
          }
          expect(Buffer.concat(after)).toEqual(Buffer.from(rest));
        },
      ),
    );
  });

  it('gives up when there is no end of stale bytes', () => {
    const seeker = new MagicSeeker();
    expect(() => {
      for (let i = 0; i < 40; i++) seeker.push(new Uint8Array(64 * 1024));
    }).toThrow(/no handshake/);
  });
});

describe('proofMatches()', () => {
  it('tells equal from different and from shorter', () => {
    expect([proofMatches('ab', 'ab'), proofMatches('ab', 'ac'), proofMatches('ab', 'abc')]).toEqual([
      true,
      false,
      false,
    ]);
  });
});

function onlyProtocolErrors(action: () => unknown): void {
  try {
    action();
  } catch (error) {
    if (!isVicError(error, { code: 'TETHER_PROTOCOL' })) throw error;
  }
}

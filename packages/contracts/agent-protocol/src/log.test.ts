import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LogDecoder, MAX_LOG_PAYLOAD_BYTES, encodeLogRecord, findTail } from './index.ts';
import type { LogRecord } from './index.ts';

function record(text: string, partial = false): LogRecord {
  return { stream: 'stdout', partial, timeNs: 7n, payload: Buffer.from(text) };
}

function log(...records: readonly (LogRecord | Uint8Array)[]): Buffer {
  return Buffer.concat(records.map((item) => (item instanceof Uint8Array ? item : encodeLogRecord(item))));
}

function texts(bytes: Uint8Array): string[] {
  const decoder = new LogDecoder();
  return [...decoder.push(bytes), ...decoder.finish()].map((item) => String(item.payload));
}

async function tail(bytes: Buffer, lines: number): Promise<string[]> {
  const read = async (offset: number, length: number): Promise<Uint8Array> => bytes.subarray(offset, offset + length);
  return texts(bytes.subarray(await findTail(read, bytes.length, lines)));
}

const torn = log(record('torn away\n')).subarray(0, 25);

describe('LogDecoder', () => {
  it('gives the records whatever the cuts, and where they lie', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 60 })), fc.integer({ min: 1, max: 50 }), (lines, size) => {
        const bytes = log(...lines.map((line) => record(line)));
        const decoder = new LogDecoder(100);
        const got: string[] = [];
        for (let at = 0; at < bytes.length; at += size) {
          for (const item of decoder.push(bytes.subarray(at, at + size))) {
            got.push(String(item.payload));
            expect(texts(bytes.subarray(item.offset - 100))[0]).toBe(String(item.payload));
          }
        }
        expect(got).toEqual(lines);
        expect(decoder.position).toBe(100 + bytes.length);
      }),
    );
  });

  it('skips a torn record, in the middle and at the end', () => {
    expect(texts(log(record('a\n'), torn, record('b\n'), record('c\n'), torn))).toEqual(['a\n', 'b\n', 'c\n']);
  });

  it('waits for the rest of a record while the log may still grow', () => {
    const bytes = log(record('a\n'));
    const decoder = new LogDecoder();
    expect(decoder.push(bytes.subarray(0, 22))).toEqual([]);
    expect(decoder.push(bytes.subarray(22))).toHaveLength(1);
  });

  it('finds every whole record around any damage', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (damage) => {
        const got = texts(log(record('first\n'), damage, record('x'.repeat(MAX_LOG_PAYLOAD_BYTES)), record('last\n')));
        expect(got[0]).toBe('first\n');
        expect(got.at(-1)).toBe('last\n');
      }),
    );
  });
});

describe('findTail()', () => {
  it('finds the beginning of the last lines', async () => {
    const bytes = log(record('a\n'), record('b1', true), record('b2\n'), record('c\n'));
    expect(await tail(bytes, 0)).toEqual([]);
    expect(await tail(bytes, 1)).toEqual(['c\n']);
    expect(await tail(bytes, 2)).toEqual(['b1', 'b2\n', 'c\n']);
    expect(await tail(bytes, 9)).toEqual(['a\n', 'b1', 'b2\n', 'c\n']);
    expect(await tail(Buffer.alloc(0), 3)).toEqual([]);
  });

  it('counts a last line without an end', async () => {
    expect(await tail(log(record('a\n'), record('b', true)), 1)).toEqual(['b']);
  });

  it('goes over torn records', async () => {
    expect(await tail(log(record('a\n'), torn, record('b\n'), torn), 2)).toEqual(['a\n', 'b\n']);
  });

  it('reads far back over large records', async () => {
    const big = 'x'.repeat(MAX_LOG_PAYLOAD_BYTES);
    const bytes = log(
      record('first\n'),
      ...Array.from({ length: 40 }, (_, i) => record(`${i}${big}`.slice(0, MAX_LOG_PAYLOAD_BYTES))),
    );
    expect((await tail(bytes, 30)).map((line) => Number.parseInt(line, 10))).toEqual(
      Array.from({ length: 30 }, (_, i) => i + 10),
    );
    expect((await tail(bytes, 41))[0]).toBe('first\n');
  });
});

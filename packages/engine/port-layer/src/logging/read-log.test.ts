import { VicError } from '@vic/errors';
import { encodeLogRecord } from '@vic/agent-protocol';
import type { LogRecord } from '@vic/agent-protocol';
import { expect, it } from 'vitest';
import type { LogOptions } from '../execution/execution.ts';
import { readLog } from './read-log.ts';
import type { LogFiles, LogSource } from './read-log.ts';

const ALL: LogOptions = {
  stdout: true,
  stderr: true,
  follow: false,
  tail: undefined,
  sinceNs: undefined,
  untilNs: undefined,
};

function record(text: string, timeNs: bigint, stream: LogRecord['stream'] = 'stdout'): Uint8Array {
  return encodeLogRecord({ stream, partial: !text.endsWith('\n'), timeNs, payload: Buffer.from(text) });
}

class MemoryLog implements LogFiles, LogSource {
  readonly path = '[ds] a/output.log';
  content = Buffer.alloc(0);
  isOver = true;
  isAway = false;
  readonly #woken: (() => void)[] = [];

  constructor(...records: readonly Uint8Array[]) {
    this.content = Buffer.concat(records);
  }

  async read(_path: string, start: number, end: number): Promise<Uint8Array> {
    if (this.isAway) throw new VicError({ class: 'Unavailable', code: 'AWAY', message: 'away' });
    return this.content.subarray(start, end);
  }

  async size(): Promise<number> {
    return this.content.length;
  }

  ended(): boolean {
    return this.isOver;
  }

  async changed(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#woken.push(resolve);
    await promise;
  }

  nowNs(): bigint {
    return 0n;
  }

  append(...records: readonly Uint8Array[]): void {
    this.content = Buffer.concat([this.content, ...records]);
    for (const resolve of this.#woken.splice(0)) resolve();
  }
}

async function read(log: MemoryLog, options: Partial<LogOptions> = {}): Promise<string[]> {
  const lines: string[] = [];
  for await (const { stream, payload } of readLog(log, log, { ...ALL, ...options }, AbortSignal.timeout(20_000))) {
    lines.push(`${stream} ${Buffer.from(payload).toString()}`);
  }
  return lines;
}

const three = (): MemoryLog => new MemoryLog(record('a\n', 1n), record('b\n', 2n, 'stderr'), record('c\n', 3n));

it('a log is read in order, with both streams', async () => {
  expect(await read(three())).toEqual(['stdout a\n', 'stderr b\n', 'stdout c\n']);
});

it.each<[Partial<LogOptions>, string[]]>([
  [{ stderr: false }, ['stdout a\n', 'stdout c\n']],
  [{ tail: 2 }, ['stderr b\n', 'stdout c\n']],
  [{ tail: 0 }, []],
  [{ tail: 10 }, ['stdout a\n', 'stderr b\n', 'stdout c\n']],
  [{ sinceNs: 2n }, ['stderr b\n', 'stdout c\n']],
  [{ untilNs: 2n }, ['stdout a\n', 'stderr b\n']],
  [{ tail: 2, stderr: false }, ['stdout c\n']],
])('options %o select', async (options, expected) => {
  expect(await read(three(), options)).toEqual(expected);
});

it('a record torn by a power-off is skipped, forwards and for the tail', async () => {
  const torn = record('torn\n', 2n).subarray(0, 23);
  const log = new MemoryLog(record('a\n', 1n), torn, record('b\n', 3n), record('c\n', 4n), torn);
  expect(await read(log)).toEqual(['stdout a\n', 'stdout b\n', 'stdout c\n']);
  expect(await read(log, { tail: 3 })).toEqual(['stdout a\n', 'stdout b\n', 'stdout c\n']);
  expect(await read(log, { tail: 1 })).toEqual(['stdout c\n']);
});

it('a log that does not exist yet is empty', async () => {
  expect(await read(new MemoryLog())).toEqual([]);
});

it('a follower gets what is written later and ends when the container has stopped', async () => {
  const log = three();
  log.isOver = false;
  const reading = read(log, { follow: true, tail: 1 });
  const late = record('late\n', 4n);
  await new Promise((resolve) => setImmediate(resolve));
  log.append(late.subarray(0, 10));
  await new Promise((resolve) => setImmediate(resolve));
  log.append(late.subarray(10));
  await new Promise((resolve) => setImmediate(resolve));
  log.isOver = true;
  log.append(record('last\n', 5n));
  expect(await reading).toEqual(['stdout c\n', 'stdout late\n', 'stdout last\n']);
});

it('a follower outlasts a datastore that is away for a while', async () => {
  const log = three();
  log.isOver = false;
  const reading = read(log, { follow: true });
  await new Promise((resolve) => setImmediate(resolve));
  log.isAway = true;
  log.append(record('written meanwhile\n', 4n));
  await new Promise((resolve) => setImmediate(resolve));
  log.isAway = false;
  log.append();
  await new Promise((resolve) => setImmediate(resolve));
  log.isOver = true;
  log.append(record('last\n', 5n));
  expect((await reading).slice(3)).toEqual(['stdout written meanwhile\n', 'stdout last\n']);
  log.isAway = true;
  await expect(read(log)).rejects.toMatchObject({ class: 'Unavailable' });
});

it('a log larger than one request is read whole', async () => {
  const line = `${'x'.repeat(15_999)}\n`;
  const log = new MemoryLog(...Array.from({ length: 100 }, (_, index) => record(line, BigInt(index))));
  expect(await read(log)).toHaveLength(100);
});

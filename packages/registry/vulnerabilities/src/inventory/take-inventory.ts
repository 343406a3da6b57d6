import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { withDeadline } from '@vic/async';
import { type ErrorClass, VicError } from '@vic/errors';
import type { PackageInventory } from '../package-inventory.ts';
import { encodeFrame, FRAME } from './layer-frames.ts';

/** One layer of an image: a tar stream, plain or packed with gzip or zstd. */
export interface LayerSource {
  open(signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
}

/** Bounds of {@link takeInventory}. */
export interface InventoryLimits {
  /** Of the reading process's heap; buffers of single files come on top. */
  readonly heapMiB: number;
  readonly timeoutMs: number;
}

/** Enough for the largest images seen: 200,000 packages take some 100 MiB. */
const DEFAULT_INVENTORY_LIMITS: InventoryLimits = { heapMiB: 384, timeoutMs: 30 * 60_000 };

const MAX_ANSWER_BYTES = 256 * 1024 * 1024;
const PROGRAM = fileURLToPath(new URL('inventory-process.ts', import.meta.url));

/**
 * Takes the inventory of an image in a process of its own.
 *
 * What the layers hold comes from tenants: whatever it does to its reader, that process has neither network nor
 * write access, a bounded heap and a deadline, and this one only sees its answer.
 */
export async function takeInventory(
  layers: readonly LayerSource[],
  signal: AbortSignal,
  limits: InventoryLimits = DEFAULT_INVENTORY_LIMITS,
): Promise<PackageInventory> {
  return withDeadline(
    'the inventory of an image',
    limits.timeoutMs,
    async (deadline) => runReader(layers, deadline, limits),
    signal,
  );
}

async function runReader(
  layers: readonly LayerSource[],
  signal: AbortSignal,
  limits: InventoryLimits,
): Promise<PackageInventory> {
  const child = spawn(
    process.execPath,
    [
      '--permission',
      '--allow-fs-read=*',
      '--disable-warning=ExperimentalWarning',
      `--max-old-space-size=${limits.heapMiB}`,
      PROGRAM,
    ],
    // Nothing of this process's environment, which may hold secrets, is for that one.
    { stdio: ['pipe', 'pipe', 'pipe'], env: {}, signal, killSignal: 'SIGKILL' },
  );
  const answer = collect(child.stdout, MAX_ANSWER_BYTES);
  const complaint = collect(child.stderr, 64 * 1024);
  child.stdin.on('error', () => undefined);
  child.on('error', () => undefined);
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  child.on('close', () => resolve());
  const gone = new AbortController();
  try {
    const feeding = feed(child.stdin, layers, AbortSignal.any([signal, gone.signal]));
    feeding.catch(() => undefined);
    // A reader that has found a mistake answers and goes before it was sent everything.
    await Promise.race([feeding, closed]);
    await closed;
  } finally {
    gone.abort();
    child.kill('SIGKILL');
  }
  signal.throwIfAborted();
  return parseAnswer(answer(), complaint());
}

async function feed(stdin: NodeJS.WritableStream, layers: readonly LayerSource[], signal: AbortSignal): Promise<void> {
  const write = async (kind: number, payload?: Uint8Array): Promise<void> => {
    for (const part of encodeFrame(kind, payload)) {
      if (!stdin.write(part)) await once(stdin, 'drain', { signal });
    }
  };
  for (const layer of layers) {
    await write(FRAME.layer);
    for await (const chunk of await layer.open(signal)) {
      signal.throwIfAborted();
      await write(FRAME.data, chunk);
    }
  }
  await write(FRAME.end);
  stdin.end();
}

function collect(stream: NodeJS.ReadableStream, limitBytes: number): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= limitBytes) chunks.push(chunk);
  });
  return () => (size > limitBytes ? '' : Buffer.concat(chunks).toString('utf8'));
}

interface Answer {
  readonly inventory?: PackageInventory;
  readonly error?: { readonly class: ErrorClass; readonly code: string; readonly message: string };
}

function parseAnswer(text: string, complaint: string): PackageInventory {
  const answer = text === '' ? {} : (JSON.parse(text) as Answer);
  if (answer.inventory !== undefined) return answer.inventory;
  if (answer.error !== undefined) throw new VicError(answer.error);
  const outOfMemory = /heap out of memory|heap limit/i.test(complaint);
  throw new VicError({
    class: outOfMemory ? 'NotSupported' : 'Internal',
    code: outOfMemory ? 'SCAN_OUT_OF_MEMORY' : 'SCAN_READER_DIED',
    message: outOfMemory
      ? 'The image cannot be scanned: reading its packages takes more memory than is allowed.'
      : `The process that reads the image ended without an answer: ${complaint.trim().slice(-500)}`,
  });
}

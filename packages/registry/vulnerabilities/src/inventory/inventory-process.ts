import { pipeline } from 'node:stream';
import { constants, createGunzip, createZstdDecompress, type Gunzip, type ZstdDecompress } from 'node:zlib';
import { toVicError } from '@vic/errors';
import { decodeLayers } from './layer-frames.ts';
import { readLayers } from './read-layers.ts';

/** The window a layer may ask for: 128 MiB, what the zstd tool allows without being told to. */
const ZSTD_WINDOW_LOG_MAX = 27;
const MAGIC_BYTES = 4;
const GZIP = 0x1f8b;
const ZSTD = 0x28b52ffd;

/** Reads layers from standard input and answers with their inventory: the whole life of this process. */
async function main(): Promise<void> {
  let answer: unknown;
  try {
    answer = { inventory: await readLayers(unpacked()) };
  } catch (error) {
    const { class: errorClass, code, message } = toVicError(error);
    answer = { error: { class: errorClass, code, message } };
  }
  process.stdout.end(JSON.stringify(answer));
  // After a mistake the rest of the layers is not waited for.
  process.stdin.destroy();
}

async function* unpacked(): AsyncGenerator<AsyncIterable<Uint8Array>, void, undefined> {
  for await (const layer of decodeLayers(process.stdin)) yield unpack(layer);
}

/** Told by the first bytes, as every engine does: media types are sometimes wrong about it. */
async function* unpack(layer: AsyncIterable<Buffer>): AsyncGenerator<Uint8Array, void, undefined> {
  const pieces = layer[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  while (head.length < MAGIC_BYTES) {
    const piece = await pieces.next();
    if (piece.done === true) break;
    head = Buffer.concat([head, piece.value]);
  }
  const whole = chain(head, pieces);
  const unpacker = unpackerFor(head);
  if (unpacker === undefined) {
    yield* whole;
    return;
  }
  // Its failure is seen by whoever reads the unpacked stream.
  pipeline(whole, unpacker, () => undefined);
  yield* unpacker as AsyncIterable<Uint8Array>;
}

function unpackerFor(head: Buffer): Gunzip | ZstdDecompress | undefined {
  if (head.length >= 2 && head.readUInt16BE(0) === GZIP) return createGunzip();
  if (head.length < MAGIC_BYTES || head.readUInt32BE(0) !== ZSTD) return undefined;
  return createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX } });
}

async function* chain(head: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  if (head.length > 0) yield head;
  for (let piece = await rest.next(); piece.done !== true; piece = await rest.next()) yield piece.value;
}

await main();

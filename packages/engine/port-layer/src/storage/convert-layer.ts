import { createReadStream } from 'node:fs';
import { open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { VicError } from '@vic/errors';
import { decompressLayer, verifiedStream } from '@vic/imagec';
import type { Digest } from '@vic/oci';
import { LayerReplanError, transformLayer } from '@vic/tar';
import type { LayerDirectories, LayerPlan, LayerSummary } from '@vic/tar';
import { squash } from './squash.ts';

/** A layer made ready to be written to a disk. */
export interface ConvertedLayer extends AsyncDisposable {
  readonly diffId: Digest;
  /** Length of the uncompressed tar. */
  readonly sizeBytes: number;
  readonly summary: LayerSummary;
  /** The squashfs on local disk, deleted on disposal; meaningless when the layer is empty. */
  readonly squashfsPath: string;
  readonly squashfsBytes: number;
}

/** What {@link convertLayer} needs. */
export interface ConvertOptions {
  readonly diffId: Digest;
  /** The layer as it is downloaded, verified against its own digest. */
  readonly blob: AsyncIterable<Buffer>;
  readonly lower: () => Promise<readonly LayerDirectories[]>;
  /** Base name, without extension, for the files made on the way. */
  readonly spoolBase: string;
  /** A layer that unpacks to more than this is refused: it could not fit on a disk. */
  readonly maxLayerBytes: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** The names of the files of one conversion inside `directory`. */
export function spoolBase(directory: string, digest: Digest, unique: string): string {
  return join(directory, `${digest.slice('sha256:'.length, 'sha256:'.length + 24)}-${unique}`);
}

/**
 * Downloads a layer, checks it, and makes its squashfs, all in one pass.
 *
 * The compressed bytes are kept until the end: a layer that replaces its own files needs a second pass.
 */
export async function convertLayer(options: ConvertOptions): Promise<ConvertedLayer> {
  const blobPath = `${options.spoolBase}.blob`;
  const squashfsPath = `${options.spoolBase}.sqfs`;
  await using undo = new AsyncDisposableStack();
  undo.defer(async () => rm(squashfsPath, { force: true }));
  try {
    const converted = await convertInPasses(options, blobPath, squashfsPath);
    const squashfsBytes = (await stat(squashfsPath)).size;
    const kept = undo.move();
    return {
      ...converted,
      diffId: options.diffId,
      squashfsPath,
      squashfsBytes,
      [Symbol.asyncDispose]: async () => kept.disposeAsync(),
    };
  } finally {
    await rm(blobPath, { force: true });
  }
}

interface Pass {
  readonly sizeBytes: number;
  readonly summary: LayerSummary;
}

async function convertInPasses(options: ConvertOptions, blobPath: string, squashfsPath: string): Promise<Pass> {
  try {
    return await convertOnce(options, teeToFile(options.blob, blobPath), squashfsPath, undefined);
  } catch (error) {
    if (!(error instanceof LayerReplanError)) throw error;
    return convertOnce(options, createReadStream(blobPath) as AsyncIterable<Buffer>, squashfsPath, error.plan);
  }
}

async function convertOnce(
  options: ConvertOptions,
  blob: AsyncIterable<Buffer>,
  squashfsPath: string,
  plan: LayerPlan | undefined,
): Promise<Pass> {
  let sizeBytes = 0;
  const count = (length: number): void => {
    sizeBytes += length;
    if (sizeBytes > options.maxLayerBytes) throw tooLarge(options.diffId, options.maxLayerBytes);
  };
  const tar = verifiedStream(counted(decompressLayer(blob), count), { digest: options.diffId });
  let summary: LayerSummary | undefined;
  const onSummary = (found: LayerSummary): void => {
    summary = found;
  };
  const lower = options.lower;
  await squash(
    transformLayer(tar, { lower, onSummary, ...(plan === undefined ? {} : { plan }) }),
    squashfsPath,
    options,
  );
  if (summary === undefined) throw new Error('the layer was not summarised');
  return { sizeBytes, summary };
}

async function* counted(
  source: AsyncIterable<Buffer>,
  count: (length: number) => void,
): AsyncGenerator<Buffer, void, undefined> {
  for await (const chunk of source) {
    count(chunk.length);
    yield chunk;
  }
}

async function* teeToFile(source: AsyncIterable<Buffer>, path: string): AsyncGenerator<Buffer, void, undefined> {
  await using file = await open(path, 'w', 0o600);
  for await (const chunk of source) {
    await file.write(chunk);
    yield chunk;
  }
}

function tooLarge(diffId: Digest, maxLayerBytes: number): VicError {
  return new VicError({
    class: 'ResourceExhausted',
    code: 'STORAGE_LAYER_TOO_LARGE',
    message: `failed to register layer: layer ${diffId} unpacks to more than the ${maxLayerBytes} bytes there is room for`,
  });
}

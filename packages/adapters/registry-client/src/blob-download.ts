import { delay } from '@vic/async';
import { isVicError, VicError } from '@vic/errors';
import type { HttpResponse } from '@vic/http-client';

/** Opens the blob from a byte on: status 206, or 200 when the server does not do ranges. Anything else is thrown. */
export type OpenAt = (offset: number) => Promise<HttpResponse>;

/** How patiently a download goes on after a break. */
export interface ResumeOptions {
  readonly initialDelayMs: number;
  readonly signal: AbortSignal;
  /** Told how many bytes have arrived. */
  readonly onProgress: (current: number) => void;
  /** Where the download begins; 0 when absent. */
  readonly from?: number;
}

/** Breaks without a single new byte between them. */
const MAX_FRUITLESS_BREAKS = 5;
/** Breaks in all: a server that sends a byte at a time is given up too. */
const MAX_BREAKS = 50;
const MAX_DELAY_MS = 10_000;

/** The blob's bytes, taken up again where they stopped when the connection breaks or stalls. */
export async function* resumableDownload(
  openAt: OpenAt,
  knownSizeBytes: number | undefined,
  options: ResumeOptions,
): AsyncGenerator<Buffer, void, undefined> {
  let offset = options.from ?? 0;
  let sizeBytes = knownSizeBytes;
  let fruitless = 0;
  for (let breaks = 0; ;) {
    const startedAt = offset;
    try {
      const response = await openAt(offset);
      sizeBytes ??= wholeSizeOf(response);
      for await (const chunk of bytesFrom(response, offset)) {
        offset += chunk.length;
        options.onProgress(offset);
        yield chunk;
      }
      if (sizeBytes === undefined || offset >= sizeBytes) return;
    } catch (error) {
      options.signal.throwIfAborted();
      if (!isTransient(error) || breaks + 1 >= MAX_BREAKS || fruitless + 1 >= MAX_FRUITLESS_BREAKS) throw error;
    }
    breaks++;
    fruitless = offset > startedAt ? 0 : fruitless + 1;
    if (breaks >= MAX_BREAKS || fruitless >= MAX_FRUITLESS_BREAKS) throw cutShort(offset, sizeBytes);
    await delay(Math.min(options.initialDelayMs * 2 ** fruitless, MAX_DELAY_MS), options.signal);
  }
}

/** Drops what was already had when the server starts over. */
async function* bytesFrom(response: HttpResponse, offset: number): AsyncGenerator<Buffer, void, undefined> {
  const start = /^bytes (\d+)-/.exec(response.header('content-range') ?? '')?.[1];
  let skip = response.status === 206 ? 0 : offset;
  if (response.status === 206 && Number(start ?? 0) !== offset) {
    response.discard();
    throw new VicError({
      class: 'Unavailable',
      code: 'REGISTRY_RANGE',
      message: `${response.url.host} answered with another range of the blob than it was asked for.`,
    });
  }
  for await (const chunk of response) {
    if (skip >= chunk.length) {
      skip -= chunk.length;
      continue;
    }
    yield skip === 0 ? chunk : chunk.subarray(skip);
    skip = 0;
  }
}

function isTransient(error: unknown): boolean {
  return (
    isVicError(error, { class: 'Unavailable' }) ||
    isVicError(error, { class: 'DeadlineExceeded' }) ||
    isVicError(error, { code: 'REGISTRY_BUSY' })
  );
}

/** The blob's size as the answer tells it; a broken transfer is only recognized when it does. */
function wholeSizeOf(response: HttpResponse): number | undefined {
  const total = /\/(\d+)$/.exec(response.header('content-range') ?? '')?.[1];
  const text = response.status === 206 ? total : response.header('content-length');
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function cutShort(offset: number, sizeBytes: number | undefined): VicError {
  return new VicError({
    class: 'Unavailable',
    code: 'REGISTRY_CUT_SHORT',
    message: `unexpected EOF: the registry sent ${offset} of ${sizeBytes ?? 'unknown'} bytes and gave up`,
  });
}

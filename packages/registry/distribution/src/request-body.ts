import type { HttpRequest } from '@vic/http';
import { VicError } from '@vic/errors';
import { invalidSize } from './distribution-error.ts';

/** What the request announces as the length of its body; `undefined` when it is chunked. */
export function contentLength(request: HttpRequest): number | undefined {
  if (request.headers['transfer-encoding'] !== undefined) return undefined;
  const header = request.headers['content-length'] ?? '0';
  if (!/^\d{1,15}$/.test(header)) throw invalidSize('the length is not a number');
  return Number(header);
}

/** Whether the request has a body at all. */
export function hasBody(request: HttpRequest): boolean {
  return contentLength(request) !== 0;
}

/** A body this small that takes longer is not from a client that wants to push. */
const BODY_TIMEOUT_MS = 60_000;

/** Reads a body of at most `limitBytes` into memory; `PayloadTooLarge` beyond that. */
export async function readSmallBody(request: HttpRequest, limitBytes: number): Promise<Buffer> {
  const announced = contentLength(request);
  if (announced !== undefined && announced > limitBytes) throw tooLarge(limitBytes);
  const timer = setTimeout(() => request.raw.destroy(timedOut()), BODY_TIMEOUT_MS);
  try {
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    for await (const chunk of request.raw as AsyncIterable<Buffer>) {
      sizeBytes += chunk.length;
      if (sizeBytes > limitBytes) throw tooLarge(limitBytes);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks, sizeBytes);
  } finally {
    clearTimeout(timer);
  }
}

function tooLarge(limitBytes: number): VicError {
  return new VicError({
    class: 'PayloadTooLarge',
    code: 'DISTRIBUTION_MANIFEST_TOO_LARGE',
    message: `a manifest has at most ${limitBytes} bytes`,
  });
}

function timedOut(): VicError {
  return new VicError({
    class: 'DeadlineExceeded',
    code: 'HTTP_BODY_TIMED_OUT',
    message: `The request's body did not arrive within ${BODY_TIMEOUT_MS} ms.`,
  });
}

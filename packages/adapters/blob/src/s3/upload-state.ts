import { uploadUnknown } from '../blob-errors.ts';
import type { S3Bucket, S3Object, S3Part } from './s3-bucket.ts';

/**
 * An upload as any process can read it from the bucket:
 *
 * - `uploads/<id>/state` is there as long as the upload is, and names the multipart upload once there is one;
 * - `uploads/<id>/data` is that multipart upload's object: parts until it is complete, then an object;
 * - `uploads/<id>/tail/<offset>` is what follows the parts and is too small for one. A tail at another offset than
 *   the end of the parts is left from before they grew.
 */
export interface UploadState {
  readonly uploadId: string | undefined;
  readonly parts: readonly S3Part[];
  readonly tail: S3Object | undefined;
  /** The parts were put together: nothing more can be added. */
  readonly assembled: S3Object | undefined;
  readonly sizeBytes: number;
  readonly modifiedAtMs: number;
}

const ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const MAX_STATE_BYTES = 10_000;

/** The place of an upload's objects; ids that were never given are unknown. */
export function uploadKeys(id: string): { readonly all: string; readonly state: string; readonly data: string } {
  if (!ID.test(id)) throw uploadUnknown(id);
  return { all: `uploads/${id}/`, state: `uploads/${id}/state`, data: `uploads/${id}/data` };
}

/** Where the bytes after the parts are kept. */
export function tailKey(id: string, offset: number): string {
  return `uploads/${id}/tail/${String(offset).padStart(16, '0')}`;
}

/** Reads how far an upload is. */
export async function readUploadState(bucket: S3Bucket, id: string): Promise<UploadState> {
  const keys = uploadKeys(id);
  const objects = await Array.fromAsync(bucket.list(keys.all));
  const marker = objects.find(({ key }) => key === keys.state);
  if (marker === undefined) throw uploadUnknown(id);
  const uploadId = marker.sizeBytes === 0 ? undefined : await readMarker(bucket, id, keys.state);
  const parts = uploadId === undefined ? [] : ((await bucket.listParts(keys.data, uploadId)) ?? []);
  const assembled = objects.find(({ key }) => key === keys.data);
  const partBytes = sumOf(parts);
  const tail = objects.find(({ key }) => key === tailKey(id, partBytes));
  return {
    uploadId,
    parts,
    tail,
    assembled,
    sizeBytes: assembled?.sizeBytes ?? partBytes + (tail?.sizeBytes ?? 0),
    modifiedAtMs: Math.max(...[...objects, ...parts].map((part) => part.modifiedAtMs)),
  };
}

/** The bytes of all parts. */
export function sumOf(parts: readonly S3Part[]): number {
  return parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

async function readMarker(bucket: S3Bucket, id: string, key: string): Promise<string | undefined> {
  const marker = await bucket.get(key);
  if (marker === undefined) throw uploadUnknown(id);
  let text = '';
  for await (const chunk of marker.content.setEncoding('utf8')) {
    text += chunk as string;
    if (text.length > MAX_STATE_BYTES) break;
  }
  return text === '' ? undefined : text;
}

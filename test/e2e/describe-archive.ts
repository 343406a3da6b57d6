import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { readTar } from '@vic/tar';

/**
 * Each entry of a tar archive as one comparable line: type, mode, owner, device, link target, extended
 * attributes and digest of the content. Times of directories are left out: they say when a layer was unpacked.
 */
export async function describeArchive(archive: string | Readable): Promise<Map<string, string>> {
  const entries = new Map<string, string>();
  for await (const entry of readTar(typeof archive === 'string' ? createReadStream(archive) : archive)) {
    const { content, mtimeSeconds, path, ...metadata } = entry;
    const digest = createHash('sha256');
    for await (const chunk of content) digest.update(chunk);
    const xattrs = [...metadata.xattrs].toSorted(([a], [b]) => (a < b ? -1 : 1));
    const time = metadata.type === 'directory' ? undefined : mtimeSeconds;
    entries.set(path, JSON.stringify({ ...metadata, xattrs, time, content: digest.digest('hex') }));
  }
  return entries;
}

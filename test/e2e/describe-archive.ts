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
  for await (const { header, content } of readTar(typeof archive === 'string' ? createReadStream(archive) : archive)) {
    const digest = createHash('sha256');
    for await (const chunk of content) digest.update(chunk as Buffer);
    entries.set(header.name, JSON.stringify({ ...header, content: digest.digest('hex') }));
  }
  return entries;
}

import { defaultBootEntry } from './boot-entry.ts';
import type { IsoImage } from './iso9660.ts';

/** The text is in the setup part of a bzImage, which is smaller than this. */
const SETUP_BYTES = 64 * 1024;
const MAX_RELEASE_BYTES = 128;

/**
 * The release of the kernel that an ISO boots, as `uname -r` says it in its guests; `undefined` when the kernel
 * does not tell. Only some sectors of the image are read. Offsets are those of the Linux/x86 boot protocol.
 */
export async function kernelRelease(image: Pick<IsoImage, 'read' | 'readStart'>): Promise<string | undefined> {
  const { kernel } = await defaultBootEntry(image);
  const setup = await image.readStart(kernel, SETUP_BYTES);
  if (setup === undefined || setup.length < 0x250 || setup.toString('latin1', 0x202, 0x206) !== 'HdrS')
    return undefined;
  const pointer = setup.readUInt16LE(0x20e);
  if (pointer === 0) return undefined;
  const text = setup.toString('latin1', pointer + 0x200, pointer + 0x200 + MAX_RELEASE_BYTES);
  return /^[\w.+~-]+(?=[ \0])/.exec(text)?.[0];
}

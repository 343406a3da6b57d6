import { readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { isVicError } from '@vic/errors';
import { temporaryDirectory } from '@vic/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { smallIso } from './fixtures/small-iso.ts';
import { BootImages, IsoImage, kernelRelease } from './index.ts';
import type { IsoSource } from './index.ts';

const KERNEL = Buffer.from('\x7fELF and the rest of a kernel', 'latin1');
const MENU =
  'DEFAULT vic\nLABEL other\n KERNEL /x\n APPEND initrd=/y\nLABEL vic\n  KERNEL /boot/vmlinuz\n  APPEND initrd=/boot/initramfs.img quiet panic=-1\n';

describe('BootImages', () => {
  it.each([
    ['gzip', gzipSync(KERNEL)],
    ['zstd', Buffer.concat([zstdCompressSync(KERNEL), Buffer.alloc(4)])],
    ['no compression', Buffer.concat([KERNEL, Buffer.alloc(4)])],
  ])('get() takes the kernel out of a bzImage with %s', async (_, payload) => {
    await using directory = await temporaryDirectory();
    const image = await bootImage(directory.path, bzImage(payload), MENU);
    expect((await readFile(image.kernel)).subarray(0, KERNEL.length)).toEqual(KERNEL);
    expect(await readFile(image.initramfs ?? '', 'utf8')).toBe('initramfs');
    expect(image.commandLine).toBe('quiet panic=-1');
  });

  it('get() gives the same files again, by content', async () => {
    await using directory = await temporaryDirectory();
    const iso = join(directory.path, 'boot.iso');
    await writeFile(iso, smallIso(files(bzImage(gzipSync(KERNEL)), MENU)));
    const first = await new BootImages(join(directory.path, 'cache')).get(iso);
    const images = new BootImages(join(directory.path, 'cache'));
    expect(await images.get(iso)).toEqual(first);
    await writeFile(iso, smallIso(files(bzImage(gzipSync(KERNEL)), MENU.replace('quiet', 'debug'))));
    // Written within the same tick of the file system's clock, it would look the same.
    await utimes(iso, 1, 1);
    expect((await images.get(iso)).commandLine).toBe('debug panic=-1');
  });

  it.each([
    ['a kernel that is none', files(Buffer.alloc(4096), MENU), 'KERNEL_INVALID'],
    ['an unknown compression', files(bzImage(Buffer.from('something else')), MENU), 'KERNEL_INVALID'],
    ['a missing initramfs', { '/boot/vmlinuz': bzImage(gzipSync(KERNEL)) }, 'BOOT_IMAGE_INCOMPLETE'],
  ])('get() refuses %s', async (_, content, code) => {
    await using directory = await temporaryDirectory();
    const iso = join(directory.path, 'boot.iso');
    await writeFile(iso, smallIso(content));
    await expect(new BootImages(directory.path).get(iso)).rejects.toMatchObject({ code });
  });

  it('get() names an ISO that is not there, and one that is none', async () => {
    await using directory = await temporaryDirectory();
    const images = new BootImages(directory.path);
    await expect(images.get('/nonexistent.iso')).rejects.toMatchObject({ code: 'BOOT_IMAGE_NOT_FOUND' });
    await writeFile(join(directory.path, 'text.iso'), 'just text');
    await expect(images.get(join(directory.path, 'text.iso'))).rejects.toMatchObject({ code: 'ISO_INVALID' });
  });
});

describe('IsoImage', () => {
  it('read() finds files by their Rock Ridge name in any case, and nothing else', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'small.iso');
    await writeFile(path, smallIso({ '/boot/initramfs.img': Buffer.from('content') }));
    await using image = await IsoImage.open(path);
    expect((await image.read('/boot/INITRAMFS.img', 100))?.toString()).toBe('content');
    expect(await image.read('/boot', 100)).toBeUndefined();
    expect(await image.read('/boot/initramfs.img/x', 100)).toBeUndefined();
    expect(await image.read('/other', 100)).toBeUndefined();
    await expect(image.read('/boot/initramfs.img', 3)).rejects.toMatchObject({ code: 'ISO_INVALID' });
  });

  it('reads or refuses a damaged image, whatever is damaged', async () => {
    await using directory = await temporaryDirectory();
    const good = smallIso({ '/boot/initramfs.img': Buffer.from('content') });
    const path = join(directory.path, 'damaged.iso');
    const damage = fc.array(fc.tuple(fc.integer({ min: 16 * 2048, max: good.length - 1 }), fc.nat(255)), {
      maxLength: 40,
    });
    await fc.assert(
      fc.asyncProperty(damage, async (changes) => {
        const image = Buffer.from(good);
        for (const [at, value] of changes) image[at] = value;
        await writeFile(path, image);
        const outcome = await contentOf(path).catch((error: unknown) => error);
        const isFine = outcome === undefined || (Buffer.isBuffer(outcome) && outcome.length <= 1024);
        expect(isFine || isVicError(outcome, { code: 'ISO_INVALID' })).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
});

describe('kernelRelease()', () => {
  /** An image that is somewhere else, and counts what is read of it. */
  function farImage(bytes: Buffer): { readonly sizeBytes: number; readonly read: IsoSource['read']; total: number } {
    const source = {
      sizeBytes: bytes.length,
      total: 0,
      read: async (position: number, length: number): Promise<Uint8Array> => {
        source.total += length;
        return bytes.subarray(position, position + length);
      },
    };
    return source;
  }

  it('reads it from the head of the kernel, and not the whole image', async () => {
    const kernel = bzImage(Buffer.alloc(4 * 1024 * 1024));
    kernel.writeUInt16LE(0x60, 0x20e);
    kernel.write('6.1.0-56-cloud-amd64 (debian-kernel@lists.debian.org) #1 SMP\0', 0x260, 'latin1');
    const far = farImage(smallIso(files(kernel, MENU)));
    expect(await kernelRelease(await IsoImage.over(far, 'far.iso'))).toBe('6.1.0-56-cloud-amd64');
    expect(far.total).toBeLessThan(200 * 1024);
  });

  it.each([
    ['a kernel that does not tell', bzImage(Buffer.alloc(4096))],
    ['a kernel that is none', Buffer.alloc(4096)],
  ])('knows nothing of %s', async (_, kernel) => {
    const far = farImage(smallIso(files(kernel, MENU)));
    expect(await kernelRelease(await IsoImage.over(far, 'far.iso'))).toBeUndefined();
  });
});

async function contentOf(path: string): Promise<Buffer | undefined> {
  await using image = await IsoImage.open(path);
  return await image.read('/boot/initramfs.img', 1024);
}

async function bootImage(directory: string, kernel: Buffer, menu: string): ReturnType<BootImages['get']> {
  const iso = join(directory, 'boot.iso');
  await writeFile(iso, smallIso(files(kernel, menu)));
  return new BootImages(join(directory, 'cache')).get(iso);
}

function files(kernel: Buffer, menu: string): Readonly<Record<string, Buffer>> {
  return {
    '/isolinux/isolinux.cfg': Buffer.from(menu),
    '/boot/vmlinuz': kernel,
    '/boot/initramfs.img': Buffer.from('initramfs'),
  };
}

/** Setup header of the Linux/x86 boot protocol with one setup sector, and a payload. */
function bzImage(payload: Buffer): Buffer {
  const header = Buffer.alloc(1024);
  header[0x1f1] = 1;
  header.write('HdrS', 0x202, 'latin1');
  header.writeUInt16LE(0x20f, 0x206);
  header.writeUInt32LE(0, 0x248);
  header.writeUInt32LE(payload.length, 0x24c);
  return Buffer.concat([header, payload]);
}

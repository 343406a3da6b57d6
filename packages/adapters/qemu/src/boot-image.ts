import { mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { VicError } from '@vic/errors';
import { SingleFlight } from '@vic/async';
import { extractKernel } from './bzimage.ts';
import { defaultBootEntry } from './boot-entry.ts';
import type { KernelBoot } from './command-line.ts';
import { IsoImage } from './iso9660.ts';

/** What is booted instead of an ISO, and what it was taken from. */
export interface BootImage extends KernelBoot {
  /** SHA-256 of the ISO. */
  readonly digest: string;
}

const MAX_KERNEL_BYTES = 128 * 1024 * 1024;
const MAX_INITRAMFS_BYTES = 1024 * 1024 * 1024;

/** Takes kernel and initramfs out of boot ISOs, once per content. */
export class BootImages {
  readonly #directory: string;
  readonly #digests = new Map<string, string>();
  readonly #extractions = new SingleFlight<BootImage>();

  /** `directory` keeps what was extracted; machines of any user read it. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** What an ISO boots: the default entry of its isolinux menu, with the kernel uncompressed. */
  async get(isoPath: string): Promise<BootImage> {
    return this.#extractions.run(isoPath, async () => {
      const digest = await this.#digestOf(isoPath);
      const target = join(this.#directory, digest);
      const commandLine = await readFile(join(target, 'command-line'), 'utf8').catch(() => undefined);
      if (commandLine === undefined) await this.#extract(isoPath, target);
      return {
        digest,
        kernel: join(target, 'vmlinux'),
        initramfs: join(target, 'initramfs'),
        commandLine: commandLine ?? (await readFile(join(target, 'command-line'), 'utf8')),
      };
    });
  }

  async #digestOf(isoPath: string): Promise<string> {
    const { dev, ino, size, mtimeMs, ctimeMs } = await stat(isoPath).catch((cause: unknown) => {
      throw noImage(isoPath, cause);
    });
    const version = [isoPath, dev, ino, size, mtimeMs, ctimeMs].join('|');
    const known = this.#digests.get(version);
    if (known !== undefined) return known;
    await using image = await IsoImage.open(isoPath);
    const digest = await image.digest();
    this.#digests.set(version, digest);
    return digest;
  }

  async #extract(isoPath: string, target: string): Promise<void> {
    await using image = await IsoImage.open(isoPath);
    await mkdir(this.#directory, { recursive: true, mode: 0o755 });
    const draft = await mkdtemp(join(this.#directory, 'new-'));
    try {
      const entry = await defaultBootEntry(image);
      const bzImage = await required(image, entry.kernel, MAX_KERNEL_BYTES);
      const initramfs = await required(image, entry.initramfs, MAX_INITRAMFS_BYTES);
      await mkdir(join(draft, 'out'), { mode: 0o755 });
      await writeFile(join(draft, 'out', 'vmlinux'), await extractKernel(bzImage, draft), { mode: 0o644 });
      await writeFile(join(draft, 'out', 'initramfs'), initramfs, { mode: 0o644 });
      await writeFile(join(draft, 'out', 'command-line'), entry.commandLine, { mode: 0o644 });
      await rename(join(draft, 'out'), target).catch(ignoreIfThere);
    } finally {
      await rm(draft, { recursive: true, force: true });
    }
  }
}

async function required(image: IsoImage, path: string, maxBytes: number): Promise<Buffer> {
  const content = await image.read(path, maxBytes);
  if (content !== undefined) return content;
  throw new VicError({
    class: 'InvalidArgument',
    code: 'BOOT_IMAGE_INCOMPLETE',
    message: `The boot image has no file ${path}.`,
    remedy: 'Only images with a Linux kernel and an initramfs, as an isolinux menu names them, can be booted.',
  });
}

function noImage(path: string, cause: unknown): VicError {
  return new VicError({ class: 'NotFound', code: 'BOOT_IMAGE_NOT_FOUND', message: `There is no ISO ${path}.`, cause });
}

/** Another process may have extracted the same image meanwhile. */
function ignoreIfThere(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST' && error.code !== 'ENOTEMPTY') throw error;
}

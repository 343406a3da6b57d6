import { withDeadline } from '@vic/async';
import { describeError } from '@vic/errors';
import type { Logger } from '@vic/log';
import { IsoImage, kernelRelease } from '@vic/qemu';
import { parseDatastorePath } from '@vic/vim-client';
import type { DatastoreFiles } from '@vic/vim-client';

/** A few sectors over HTTP. The API is not kept waiting longer for what is only shown. */
const READ_TIMEOUT_MS = 10_000;

/** The release of the kernel that containers run on, read from the head of their bootstrap ISO. */
export async function guestKernelRelease(
  files: Pick<DatastoreFiles, 'head' | 'read'>,
  isoPath: string,
  logger: Logger,
  signal: AbortSignal,
): Promise<string> {
  try {
    const release = await withDeadline(
      'the version of the guest kernel',
      READ_TIMEOUT_MS,
      async (deadline) => readRelease(files, parseDatastorePath(isoPath).path, deadline),
      signal,
    );
    if (release !== undefined) return release;
    logger.warn('The kernel in the bootstrap ISO does not tell its version.', { iso: isoPath });
  } catch (error) {
    signal.throwIfAborted();
    logger.warn('The version of the guest kernel cannot be read.', { iso: isoPath, reason: describeError(error) });
  }
  return '<unknown>';
}

async function readRelease(
  files: Pick<DatastoreFiles, 'head' | 'read'>,
  path: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const sizeBytes = (await files.head(path, signal))?.sizeBytes ?? 0;
  const read = async (position: number, length: number): Promise<Uint8Array> => {
    const endByte = Math.min(position + length, sizeBytes);
    if (endByte <= position) return new Uint8Array();
    const chunks: Uint8Array[] = [];
    for await (const chunk of await files.read(path, { startByte: position, endByte, signal })) chunks.push(chunk);
    return Buffer.concat(chunks);
  };
  return kernelRelease(await IsoImage.over({ sizeBytes, read }, path));
}

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip, zstdDecompress } from 'node:zlib';
import { VicError } from '@vic/errors';
import { run } from '@vic/process';

/** An uncompressed distribution kernel is some 60 MB. */
const MAX_KERNEL_BYTES = 512 * 1024 * 1024;
const DECOMPRESS_TIMEOUT_MS = 60_000;
const ELF_MAGIC = '7f454c46';

/**
 * The uncompressed kernel inside a bzImage, which QEMU starts directly instead of letting the guest unpack it.
 *
 * `workDirectory` is for the files of external decompressors; it is the caller's to remove.
 */
export async function extractKernel(bzImage: Buffer, workDirectory: string): Promise<Buffer> {
  const kernel = await decompress(payloadOf(bzImage), workDirectory);
  if (kernel.toString('hex', 0, 4) !== ELF_MAGIC) throw badKernel('what it contains is not an ELF file');
  return kernel;
}

/** Offsets are those of the Linux/x86 boot protocol, version 2.08 and later. */
function payloadOf(image: Buffer): Buffer {
  if (image.length < 0x250 || image.toString('latin1', 0x202, 0x206) !== 'HdrS') throw badKernel('it is no bzImage');
  if (image.readUInt16LE(0x206) < 0x208) throw badKernel('its boot protocol is older than 2.08');
  const setupSectors = image[0x1f1] === 0 ? 4 : (image[0x1f1] ?? 4);
  const start = (setupSectors + 1) * 512 + image.readUInt32LE(0x248);
  const length = image.readUInt32LE(0x24c);
  if (length < 8 || start + length > image.length) throw badKernel('its payload lies outside of it');
  return image.subarray(start, start + length);
}

async function decompress(payload: Buffer, directory: string): Promise<Buffer> {
  const magic = payload.toString('hex', 0, 4);
  // All but gzip are followed by four bytes with the uncompressed size.
  const stream = payload.subarray(0, -4);
  const bound = { maxOutputLength: MAX_KERNEL_BYTES };
  if (magic.startsWith('1f8b')) return promisify(gunzip)(payload, bound);
  if (magic === '28b52ffd') return promisify(zstdDecompress)(stream, bound);
  if (magic === 'fd377a58') return withProgram('xz', ['--decompress', '--force'], 'kernel.xz', stream, directory);
  if (magic === '02214c18') return withProgram('lz4', ['-d', '-q', '-f'], 'kernel.lz4', stream, directory);
  if (magic === ELF_MAGIC) return payload;
  throw badKernel(`its compression is not known (${magic})`);
}

async function withProgram(
  program: string,
  options: readonly string[],
  name: string,
  stream: Buffer,
  directory: string,
): Promise<Buffer> {
  const packed = join(directory, name);
  const unpacked = join(directory, 'kernel');
  await writeFile(packed, stream);
  const target = program === 'lz4' ? [packed, unpacked] : [packed];
  await run(program, [...options, ...target], { timeoutMs: DECOMPRESS_TIMEOUT_MS });
  return readFile(unpacked);
}

function badKernel(why: string): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'KERNEL_INVALID',
    message: `The kernel in the boot image cannot be used: ${why}.`,
    remedy: 'Build or upload the bootstrap image again.',
  });
}

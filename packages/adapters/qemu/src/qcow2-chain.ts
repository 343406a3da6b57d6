import { open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { VicError } from '@vic/errors';

/** QEMU itself accepts deeper chains; ours never are. */
const MAX_CHAIN = 200;
/** Limit of the format (qcow2 specification, `backing_file_size`). */
const MAX_BACKING_NAME_BYTES = 1023;
const MAGIC = 0x51_46_49_fb;

/** Paths of the disks below a qcow2 file, nearest first. */
export async function backingChain(path: string): Promise<readonly string[]> {
  const chain: string[] = [];
  for (let next = await backingFile(path); next !== undefined; next = await backingFile(next)) {
    if (chain.length >= MAX_CHAIN || chain.includes(next)) throw badDisk(path, 'its chain of parents does not end');
    chain.push(next);
  }
  return chain;
}

async function backingFile(path: string): Promise<string | undefined> {
  await using file = await open(path, 'r');
  const header = Buffer.alloc(20);
  await file.read(header, 0, 20, 0);
  if (header.readUInt32BE(0) !== MAGIC) throw badDisk(path, 'it is not a qcow2 file');
  const offset = header.readBigUInt64BE(8);
  const length = header.readUInt32BE(16);
  if (offset === 0n || length === 0) return undefined;
  if (length > MAX_BACKING_NAME_BYTES || offset > 1n << 30n) throw badDisk(path, 'its header is damaged');
  const name = Buffer.alloc(length);
  const { bytesRead } = await file.read(name, 0, length, Number(offset));
  if (bytesRead !== length) throw badDisk(path, 'its header is damaged');
  const text = name.toString('utf8');
  if (/^[a-z0-9+.-]+:/i.test(text)) throw badDisk(path, 'its parent is not a plain file');
  return resolve(dirname(path), text);
}

function badDisk(path: string, why: string): VicError {
  return new VicError({ class: 'DataLoss', code: 'DISK_INVALID', message: `${path} cannot be used: ${why}.` });
}

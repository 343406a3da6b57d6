import { paxRecord } from './pax.ts';
import { tarError } from './tar-error.ts';
import { PLAIN_HEADER } from './tar-header.ts';
import type { TarEntryType, TarHeader } from './tar-header.ts';

const BLOCK_BYTES = 512;
const TYPE_FLAGS: Readonly<Record<TarEntryType, string>> = {
  file: '0',
  link: '1',
  symlink: '2',
  'character-device': '3',
  'block-device': '4',
  directory: '5',
  fifo: '6',
};
const MAX_OCTAL_7 = 0o7777777;
const MAX_OCTAL_11 = 0o77777777777;

/** The two zero blocks that end an archive. */
export const END_OF_ARCHIVE = Buffer.alloc(2 * BLOCK_BYTES);

/** The zeros that follow `sizeBytes` of content. */
export function paddingOf(sizeBytes: number): Buffer {
  return Buffer.alloc((BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES);
}

/**
 * The header blocks of an entry, with a PAX header in front when ustar has no room for it.
 *
 * Extended attributes are written in libarchive's base64 form, which carries any bytes and which tar2sqfs,
 * bsdtar and our own reader's peers understand. The root is written as `./`.
 */
export function encodeHeader(header: TarHeader): Buffer {
  const path = header.path === '' ? './' : header.path;
  const records: string[] = [];
  if (path.length > 100) records.push(paxRecord('path', path));
  if (header.linkTarget.length > 100) records.push(paxRecord('linkpath', header.linkTarget));
  if (header.uid > MAX_OCTAL_7) records.push(paxRecord('uid', String(header.uid)));
  if (header.gid > MAX_OCTAL_7) records.push(paxRecord('gid', String(header.gid)));
  if (header.sizeBytes > MAX_OCTAL_11) records.push(paxRecord('size', String(header.sizeBytes)));
  for (const [name, value] of header.xattrs) {
    const encoded = Buffer.from(value, 'latin1').toString('base64');
    records.push(paxRecord(`LIBARCHIVE.xattr.${escapeName(name)}`, encoded));
  }
  const main = ustarBlock(header, path);
  if (records.length === 0) return main;
  const content = Buffer.from(records.join(''), 'latin1');
  const paxHeader = {
    ...PLAIN_HEADER,
    path: 'PaxHeader',
    type: 'file',
    mode: 0o644,
    sizeBytes: content.length,
  } as const;
  return Buffer.concat([ustarBlock(paxHeader, 'PaxHeader', 'x'), content, paddingOf(content.length), main]);
}

function ustarBlock(header: TarHeader, path: string, flag: string = TYPE_FLAGS[header.type]): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  block.write(path.slice(0, 100), 0, 'latin1');
  writeOctal(block, header.mode, 100, 8);
  writeOctal(block, header.uid > MAX_OCTAL_7 ? 0 : header.uid, 108, 8);
  writeOctal(block, header.gid > MAX_OCTAL_7 ? 0 : header.gid, 116, 8);
  writeOctal(block, header.sizeBytes > MAX_OCTAL_11 ? 0 : header.sizeBytes, 124, 12);
  // A squashfs keeps 32 unsigned bits of time.
  writeOctal(block, Math.min(Math.max(header.mtimeSeconds, 0), 0xffff_ffff), 136, 12);
  block.fill(' ', 148, 156);
  block.write(flag, 156, 'latin1');
  block.write(header.linkTarget.slice(0, 100), 157, 'latin1');
  block.write('ustar\u000000', 257, 'latin1');
  writeOctal(block, header.deviceMajor, 329, 8);
  writeOctal(block, header.deviceMinor, 337, 8);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

function writeOctal(block: Buffer, value: number, offset: number, length: number): void {
  const digits = value.toString(8).padStart(length - 1, '0');
  if (digits.length >= length)
    throw tarError('TAR_UNSUPPORTED', 'The archive holds a number that is too large for a tar header.');
  block.write(digits, offset, 'latin1');
}

/** libarchive escapes what is not a plain printable character of a name. */
function escapeName(name: string): string {
  return name.replaceAll(
    /[^\w.:@-]/g,
    (character) => `%${character.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`,
  );
}

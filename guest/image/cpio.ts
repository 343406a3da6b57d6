/** One entry of an archive. */
export interface CpioEntry {
  readonly path: string;
  /** Type and permission bits of stat(2). */
  readonly mode: number;
  readonly content?: Uint8Array;
  /** Major and minor number of a device. */
  readonly device?: readonly [major: number, minor: number];
}

const ALIGNMENT = 4;

/** A newc archive, as the kernel unpacks it: root owns everything, nothing has a time, inodes count from 1. */
export function cpioArchive(entries: readonly CpioEntry[]): Buffer {
  const pieces = [...entries, { path: 'TRAILER!!!', mode: 0 }].map((entry, index) => encodeEntry(entry, index + 1));
  return Buffer.concat(pieces);
}

function encodeEntry(entry: CpioEntry, inode: number): Buffer {
  const content = entry.content ?? new Uint8Array();
  const [major, minor] = entry.device ?? [0, 0];
  const name = Buffer.from(`${entry.path}\0`, 'utf8');
  // Inode, mode, owner, group, links, time, size, device of the file system, device, name's length, checksum.
  const fields = [inode, entry.mode, 0, 0, 1, 0, content.length, 0, 0, major, minor, name.length, 0];
  const header = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`;
  return Buffer.concat([padded(Buffer.concat([Buffer.from(header, 'latin1'), name])), padded(Buffer.from(content))]);
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((ALIGNMENT - (bytes.length % ALIGNMENT)) % ALIGNMENT)]);
}

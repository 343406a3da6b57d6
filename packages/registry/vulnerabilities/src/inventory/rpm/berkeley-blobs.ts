const HASH_MAGIC = 0x00061561;
const PAGE_HEADER_BYTES = 26;
const HASH_UNSORTED = 2;
const HASH = 13;
const OVERFLOW = 7;
/** H_OFFPAGE: the value is in a chain of overflow pages. */
const ITEM_OFF_PAGE = 3;
const ITEM_OFF_PAGE_BYTES = 12;
const MAX_VALUE_BYTES = 64 * 1024 * 1024;

/**
 * The package headers in a Berkeley DB hash file, `Packages`, as RPM before 4.16 wrote it.
 *
 * RPM's headers are always too large for a hash page, so only values in overflow pages matter.
 */
export function* berkeleyBlobs(file: Buffer): Generator<Buffer> {
  // Bytes 12 to 15 are the magic in the order of the machine that made the file: little endian on all we run.
  if (file.length < 512 || file.readUInt32LE(12) !== HASH_MAGIC) return;
  const pageBytes = file.readUInt32LE(20);
  if (pageBytes < 512 || pageBytes > 65_536) return;
  for (let start = pageBytes; start + pageBytes <= file.length; start += pageBytes) {
    const page = file.subarray(start, start + pageBytes);
    if (page[25] !== HASH && page[25] !== HASH_UNSORTED) continue;
    const items = Math.min(page.readUInt16LE(20), Math.floor((pageBytes - PAGE_HEADER_BYTES) / 2));
    // Keys and values alternate; the values are the odd ones.
    for (let index = 1; index < items; index += 2) {
      const at = page.readUInt16LE(PAGE_HEADER_BYTES + index * 2);
      if (at + ITEM_OFF_PAGE_BYTES > pageBytes || page[at] !== ITEM_OFF_PAGE) continue;
      const value = overflowValue(file, pageBytes, page.readUInt32LE(at + 4), page.readUInt32LE(at + 8));
      if (value !== undefined) yield value;
    }
  }
}

function overflowValue(file: Buffer, pageBytes: number, first: number, length: number): Buffer | undefined {
  if (length > MAX_VALUE_BYTES) return undefined;
  const parts: Buffer[] = [];
  let [left, number] = [length, first];
  while (left > 0 && number !== 0) {
    const start = number * pageBytes;
    if (start + pageBytes > file.length || file[start + 25] !== OVERFLOW) return undefined;
    const used = Math.min(file.readUInt16LE(start + 22), pageBytes - PAGE_HEADER_BYTES, left);
    if (used === 0) return undefined;
    parts.push(file.subarray(start + PAGE_HEADER_BYTES, start + PAGE_HEADER_BYTES + used));
    left -= used;
    number = file.readUInt32LE(start + 16);
  }
  return left === 0 ? Buffer.concat(parts) : undefined;
}

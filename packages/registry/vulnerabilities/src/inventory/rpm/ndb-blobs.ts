const FILE_MAGIC = 0x506d7052; // 'RpmP'
const SLOT_MAGIC = 0x746f6c53; // 'Slot'
const BLOB_MAGIC = 0x53626c42; // 'BlbS'
const SLOT_BYTES = 16;
const HEADER_SLOTS = 2;
const PAGE_BYTES = 4096;
const BLOCK_BYTES = 16;
const MAX_SLOT_PAGES = 2048;

/** The package headers in RPM's own format, `Packages.db`, as SUSE uses it (rpm/lib/backend/ndb/rpmpkg.c). */
export function* ndbBlobs(file: Buffer): Generator<Buffer> {
  if (file.length < PAGE_BYTES || file.readUInt32LE(0) !== FILE_MAGIC) return;
  const slots = Math.min(file.readUInt32LE(12), MAX_SLOT_PAGES) * (PAGE_BYTES / SLOT_BYTES);
  for (let slot = HEADER_SLOTS; slot < slots && (slot + 1) * SLOT_BYTES <= file.length; slot++) {
    const at = slot * SLOT_BYTES;
    if (file.readUInt32LE(at) !== SLOT_MAGIC) return;
    const [packageIndex, block] = [file.readUInt32LE(at + 4), file.readUInt32LE(at + 8)];
    const start = block * BLOCK_BYTES;
    if (packageIndex === 0 || start === 0 || start + BLOCK_BYTES > file.length) continue;
    if (file.readUInt32LE(start) !== BLOB_MAGIC || file.readUInt32LE(start + 4) !== packageIndex) continue;
    const length = file.readUInt32LE(start + 12);
    const blob = file.subarray(start + BLOCK_BYTES, start + BLOCK_BYTES + length);
    if (blob.length === length) yield blob;
  }
}

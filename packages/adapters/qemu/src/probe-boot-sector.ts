/** What QEMU exits with when the guest writes 0x10 to its debug exit port: `(0x10 << 1) | 1`. */
export const PROBE_EXIT_CODE = 33;

const SECTOR_BYTES = 512;

/**
 * A guest of 200 bytes that does what stops broken KVMs: page tables, MSR access, the switch to long mode,
 * CPUID and SSE; then it writes 0x10 to port 0xf4.
 */
const CODE = [
  // 16-bit: segments and stack; zeroes 0x1000–0x3fff; maps the first 2 MiB there.
  'fa31c08ed88ec08ed0bc007c66bf001000000f22df6631c0b9000cfc66f3ab',
  '66c70600100320000066c70600200330000066c706003083000000',
  // CR4: PAE and SSE. EFER (rdmsr, wrmsr): long mode. CR0: paging and protection; far jump.
  '0f20e0660d200600000f22e066b9800000c00f32660d000100000f30',
  '0f0116b07c0f20c06683e0fb660d030000800f22c0ea707c0800',
  // 64-bit: cpuid, rdmsr of the time stamp counter, SSE store, out, halt.
  'b8000000000fa2b9100000000f32660fefc0660fd6042500400000baf4000000b810000000eef4ebfd',
  // Descriptor table with one 64-bit code segment, and its pointer at 0x7cb0.
  '0f1f8000000000000000000000000000000000009a20000f00a07c',
].join('');

/** A boot sector that ends QEMU with {@link PROBE_EXIT_CODE}. */
export function probeBootSector(): Buffer {
  const sector = Buffer.alloc(SECTOR_BYTES);
  Buffer.from(CODE, 'hex').copy(sector);
  sector.writeUInt16LE(0xaa55, SECTOR_BYTES - 2);
  return sector;
}

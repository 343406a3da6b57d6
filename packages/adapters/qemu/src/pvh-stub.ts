/** ELF note type and owner that QEMU looks for to boot a kernel directly (Xen public/elfnote.h). */
const NOTE_PHYS32_ENTRY = 18;
const ENTRY_ADDRESS = 0x10_0000;

/**
 * A kernel that halts.
 *
 * A machine that restores the memory of another never runs the kernel it is given, but must have the same
 * boot ROMs as one started with a kernel. This one costs nothing to load.
 */
export function pvhStub(): Buffer {
  const header = 64;
  const programHeader = 56;
  const noteOffset = header + 2 * programHeader;
  const codeOffset = noteOffset + 20;
  const image = Buffer.alloc(codeOffset + 3);
  // ELF64, little endian, executable, x86-64, two program headers.
  image.write('7f454c46020101', 0, 'hex');
  image.writeUInt16LE(2, 16);
  image.writeUInt16LE(62, 18);
  image.writeUInt32LE(1, 20);
  image.writeBigUInt64LE(BigInt(ENTRY_ADDRESS), 24);
  image.writeBigUInt64LE(BigInt(header), 32);
  image.writeUInt16LE(header, 52);
  image.writeUInt16LE(programHeader, 54);
  image.writeUInt16LE(2, 56);
  writeProgramHeader(image, header, { type: 1, offset: codeOffset, address: ENTRY_ADDRESS, size: 3 });
  writeProgramHeader(image, header + programHeader, { type: 4, offset: noteOffset, address: ENTRY_ADDRESS, size: 20 });
  image.writeUInt32LE(4, noteOffset);
  image.writeUInt32LE(4, noteOffset + 4);
  image.writeUInt32LE(NOTE_PHYS32_ENTRY, noteOffset + 8);
  image.write('Xen\0', noteOffset + 12, 'latin1');
  image.writeUInt32LE(ENTRY_ADDRESS, noteOffset + 16);
  // hlt; jmp to it.
  image.write('f4ebfd', codeOffset, 'hex');
  return image;
}

function writeProgramHeader(
  image: Buffer,
  at: number,
  segment: { readonly type: number; readonly offset: number; readonly address: number; readonly size: number },
): void {
  image.writeUInt32LE(segment.type, at);
  image.writeUInt32LE(5, at + 4);
  image.writeBigUInt64LE(BigInt(segment.offset), at + 8);
  image.writeBigUInt64LE(BigInt(segment.address), at + 16);
  image.writeBigUInt64LE(BigInt(segment.address), at + 24);
  image.writeBigUInt64LE(BigInt(segment.size), at + 32);
  image.writeBigUInt64LE(BigInt(segment.size), at + 40);
  image.writeBigUInt64LE(4n, at + 48);
}

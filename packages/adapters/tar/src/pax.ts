import { tarError } from './tar-error.ts';

/** Records of a PAX header; keys and values are byte strings. */
export type PaxRecords = Record<string, string>;

/**
 * Parses `length key=value\n` records strictly, byte by byte (POSIX pax, "pax Extended Header").
 *
 * tar-stream's own parser decodes values as UTF-8, which destroys binary attributes such as
 * `security.capability`.
 */
export function parsePax(bytes: Buffer): PaxRecords {
  const records: PaxRecords = Object.create(null) as PaxRecords;
  let offset = 0;
  while (offset < bytes.length) {
    const space = bytes.indexOf(0x20, offset);
    const digits = space === -1 ? '' : bytes.toString('latin1', offset, space);
    const length = /^[1-9]\d{0,7}$/.test(digits) ? Number(digits) : 0;
    const end = offset + length;
    if (length === 0 || end > bytes.length || end - 1 <= space || bytes[end - 1] !== 0x0a) throw malformed();
    const equals = bytes.indexOf(0x3d, space);
    if (equals === -1 || equals >= end || equals === space + 1) throw malformed();
    const key = bytes.toString('latin1', space + 1, equals);
    const value = bytes.toString('latin1', equals + 1, end - 1);
    // An empty value takes the keyword back; Docker and umoci read extended attributes so too.
    if (value === '') delete records[key];
    else records[key] = value;
    offset = end;
  }
  return records;
}

/** One encoded record. */
export function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length;
  // The length counts its own digits.
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return `${length}${rest}`;
}

function malformed(): Error {
  return tarError('TAR_CORRUPT', 'The archive has a malformed extended header.');
}

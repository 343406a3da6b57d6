/** One entry of a folder in an ISO 9660 image. */
export interface IsoRecord {
  readonly name: string;
  readonly directory: boolean;
  /** Where the content starts. */
  readonly sector: number;
  readonly sizeBytes: number;
}

const SECTOR_BYTES = 2048;
/** Fixed part of a directory record (ECMA-119, 9.1). */
const RECORD_HEADER_BYTES = 33;

/** The entries of a folder's content; damaged ones are left out. */
export function directoryRecords(content: Buffer): readonly IsoRecord[] {
  const records: IsoRecord[] = [];
  for (let at = 0; at < content.length;) {
    const length = content[at] ?? 0;
    if (length === 0) {
      // Records never cross sectors: the rest of this one is padding.
      at = (Math.floor(at / SECTOR_BYTES) + 1) * SECTOR_BYTES;
      continue;
    }
    const record = parseRecord(content.subarray(at, at + length));
    if (record !== undefined) records.push(record);
    at += length;
  }
  return records;
}

function parseRecord(bytes: Buffer): IsoRecord | undefined {
  const nameLength = bytes[32] ?? 0;
  if (bytes.length < RECORD_HEADER_BYTES + nameLength || nameLength === 0) return undefined;
  const identifier = bytes.toString('latin1', RECORD_HEADER_BYTES, RECORD_HEADER_BYTES + nameLength);
  // The folder itself and its parent.
  if (identifier === '\0' || identifier === '\u0001') return undefined;
  const systemUse = RECORD_HEADER_BYTES + nameLength + (nameLength % 2 === 0 ? 1 : 0);
  return {
    name: rockRidgeName(bytes.subarray(systemUse)) ?? identifier.replace(/\.?;\d+$/, ''),
    directory: ((bytes[25] ?? 0) & 2) !== 0,
    sector: bytes.readUInt32LE(2),
    sizeBytes: bytes.readUInt32LE(10),
  };
}

/** The name in the record's `NM` fields (Rock Ridge, 4.1.4). */
function rockRidgeName(systemUse: Buffer): string | undefined {
  let name: string | undefined;
  for (let at = 0; at + 4 <= systemUse.length;) {
    const length = systemUse[at + 2] ?? 0;
    if (length < 4 || at + length > systemUse.length) break;
    if (systemUse.toString('latin1', at, at + 2) === 'NM') {
      name = (name ?? '') + systemUse.toString('utf8', at + 5, at + length);
    }
    at += length;
  }
  return name;
}

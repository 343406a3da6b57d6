import { foundPackage, type FoundPackage } from '../file-facts.ts';

/** What one package's header tells. */
export interface RpmPackage {
  readonly packages: readonly FoundPackage[];
  /** The files the package owns, relative to the root. */
  readonly owns: readonly string[];
}

const TAG = {
  name: 1000,
  version: 1001,
  release: 1002,
  epoch: 1003,
  license: 1014,
  architecture: 1022,
  sourceRpm: 1044,
  directoryIndexes: 1116,
  baseNames: 1117,
  directoryNames: 1118,
} as const;

const ENTRY_BYTES = 16;
const MAX_ENTRIES = 65_536;
const MAX_STRINGS = 500_000;
const TYPE_INT32 = 4;

interface Entry {
  readonly type: number;
  readonly offset: number;
  readonly count: number;
}

/** Reads a package header as the RPM database stores it (index, then data); `undefined` when it is damaged. */
export function parseRpmHeader(blob: Buffer): RpmPackage | undefined {
  if (blob.length < 8) return undefined;
  const [count, dataBytes] = [blob.readUInt32BE(0), blob.readUInt32BE(4)];
  const start = 8 + count * ENTRY_BYTES;
  if (count > MAX_ENTRIES || start + dataBytes > blob.length) return undefined;
  const data = blob.subarray(start, start + dataBytes);
  const entries = new Map<number, Entry>();
  for (let index = 0; index < count; index++) {
    const at = 8 + index * ENTRY_BYTES;
    const entry = {
      type: blob.readUInt32BE(at + 4),
      offset: blob.readUInt32BE(at + 8),
      count: blob.readUInt32BE(at + 12),
    };
    entries.set(blob.readUInt32BE(at), entry);
  }
  const text = (tag: number): string => strings(data, entries.get(tag), 1)[0] ?? '';
  const [name, version] = [text(TAG.name), text(TAG.version)];
  const epoch = integers(data, entries.get(TAG.epoch))[0];
  if (name === 'gpg-pubkey') return { packages: [], owns: [] };
  const full = `${epoch === undefined || epoch === 0 ? '' : `${epoch}:`}${version}-${text(TAG.release)}`;
  return {
    packages: foundPackage({
      type: 'rpm',
      name,
      version: version === '' ? '' : full,
      ...sourceOf(text(TAG.sourceRpm)),
      architecture: text(TAG.architecture),
      license: text(TAG.license),
    }),
    owns: filesOf(data, entries),
  };
}

/** `openssl-3.0.7-24.el9.src.rpm`. */
function sourceOf(file: string): { source?: { name: string; version: string } } {
  const match = /^(.+)-([^-]+-[^-]+)\.(?:no)?src\.rpm$/.exec(file);
  return match === null ? {} : { source: { name: match[1] ?? '', version: match[2] ?? '' } };
}

function filesOf(data: Buffer, entries: ReadonlyMap<number, Entry>): readonly string[] {
  const directories = strings(data, entries.get(TAG.directoryNames), MAX_STRINGS);
  const indexes = integers(data, entries.get(TAG.directoryIndexes));
  return strings(data, entries.get(TAG.baseNames), MAX_STRINGS).map((base, index) =>
    `${directories[indexes[index] ?? -1] ?? ''}${base}`.replace(/^\/+/, ''),
  );
}

function strings(data: Buffer, entry: Entry | undefined, limit: number): readonly string[] {
  const found: string[] = [];
  let at = entry?.offset ?? data.length;
  while (found.length < Math.min(entry?.count ?? 0, limit) && at < data.length) {
    const end = data.indexOf(0, at);
    if (end === -1) break;
    found.push(data.toString('latin1', at, end));
    at = end + 1;
  }
  return found;
}

function integers(data: Buffer, entry: Entry | undefined): readonly number[] {
  if (entry === undefined || entry.type !== TYPE_INT32 || entry.offset > data.length) return [];
  const count = Math.min(entry.count, Math.floor((data.length - entry.offset) / 4));
  return Array.from({ length: count }, (_, index) => data.readInt32BE(entry.offset + index * 4));
}

import { pipeline, Readable } from 'node:stream';
import { VicError } from '@vic/errors';
import { extract } from 'tar-stream';
import type { Header } from 'tar-stream';
import { normalizeName } from './entry-name.ts';
import { parsePax } from './pax.ts';
import type { PaxRecords } from './pax.ts';
import { tarError } from './tar-error.ts';
import type { TarEntry, TarEntryType, TarHeader } from './tar-header.ts';

/** What tar-stream 3.2 gives besides its published types. */
interface ExtractInternals {
  _header: { readonly type: string };
  _pax: PaxRecords | null;
  _paxGlobal: PaxRecords | null;
  _decodeLongHeader(bytes: Buffer): void;
}

const XATTR_PREFIX = 'SCHILY.xattr.';
/** XATTR_SIZE_MAX and XATTR_NAME_MAX of Linux. */
const MAX_XATTR_BYTES = 65_536;
const MAX_XATTR_NAME_BYTES = 255;
const MAX_XATTRS = 256;
const MAX_ID = 0xffff_fffe;

/**
 * Reads a tar stream entry by entry.
 *
 * Understands ustar, GNU long names and PAX with extended attributes. Sparse files, and anything else that
 * would be read wrongly, are refused by name.
 */
export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry, void, undefined> {
  // Names stay bytes: latin1 maps each byte to one character and back.
  const options = { filenameEncoding: 'latin1', allowUnknownFormat: true };
  const extractor = extract(options as Parameters<typeof extract>[0]);
  keepPaxBinary(extractor as unknown as ExtractInternals);
  let failure: unknown;
  pipeline(Readable.from(source), extractor as unknown as NodeJS.WritableStream, (error) => {
    failure = error;
  });
  try {
    for await (const entry of extractor) {
      yield { ...headerOf(entry.header), content: contentOf(entry as AsyncIterable<Buffer>, () => failure) };
      entry.resume();
    }
  } catch (error) {
    throw explain(error, failure);
  }
  if (failure !== undefined && failure !== null) throw explain(failure, undefined);
}

async function* contentOf(
  entry: AsyncIterable<Buffer>,
  failure: () => unknown,
): AsyncGenerator<Buffer, void, undefined> {
  try {
    yield* entry;
  } catch (error) {
    throw explain(error, failure());
  }
}

function keepPaxBinary(extractor: ExtractInternals): void {
  const original = extractor._decodeLongHeader.bind(extractor);
  extractor._decodeLongHeader = (bytes) => {
    if (extractor._header.type === 'pax-global-header') extractor._paxGlobal = parsePax(bytes);
    else if (extractor._header.type === 'pax-header') extractor._pax = { ...extractor._paxGlobal, ...parsePax(bytes) };
    else original(bytes);
  };
}

function headerOf(raw: Header): TarHeader {
  const pax = (raw.pax ?? {}) as PaxRecords;
  const type = typeOf(raw, pax);
  const path = normalizeName(raw.name);
  const target = (raw.linkname as string | null) ?? '';
  if (target.includes('\0') || target.length > 4095)
    throw tarError('TAR_NAME', 'The archive has an invalid link target.');
  if (type === 'symlink' && target === '') throw tarError('TAR_NAME', 'The archive has a symbolic link to nothing.');
  const sizeBytes = raw.size;
  if (type !== 'file' && type !== 'directory' && sizeBytes !== 0) {
    throw tarError('TAR_CORRUPT', `The archive has a ${type} with content.`);
  }
  return {
    path,
    type,
    mode: raw.mode & 0o7777,
    uid: idOf(pax['uid'], raw.uid),
    gid: idOf(pax['gid'], raw.gid),
    mtimeSeconds: mtimeOf(pax['mtime'], raw.mtime),
    sizeBytes: type === 'file' ? sizeBytes : 0,
    linkTarget: type === 'link' ? normalizeName(target) : target,
    deviceMajor: raw.devmajor,
    deviceMinor: raw.devminor,
    xattrs: xattrsOf(pax),
  };
}

function typeOf(raw: Header, pax: PaxRecords): TarEntryType {
  if (Object.keys(pax).some((key) => key.startsWith('GNU.sparse.'))) throw unsupported('a sparse file');
  switch (raw.type) {
    case 'file':
    case 'contiguous-file':
      return raw.name.endsWith('/') && raw.size === 0 ? 'directory' : 'file';
    case 'directory':
    case 'symlink':
    case 'link':
    case 'character-device':
    case 'block-device':
    case 'fifo':
      return raw.type;
    default:
      throw unsupported('an entry of an unknown type (perhaps a sparse file)');
  }
}

function unsupported(what: string): Error {
  return tarError('TAR_UNSUPPORTED', `The archive holds ${what}, which is not supported.`);
}

function idOf(pax: string | undefined, header: number): number {
  const id = pax === undefined ? header : /^\d{1,10}$/.test(pax) ? Number(pax) : -1;
  if (!Number.isInteger(id) || id < 0 || id > MAX_ID)
    throw tarError('TAR_CORRUPT', 'The archive has an invalid owner.');
  return id;
}

function mtimeOf(pax: string | undefined, header: Date): number {
  const seconds = pax === undefined ? header.getTime() / 1000 : Number(pax);
  return Number.isFinite(seconds) ? Math.floor(seconds) : 0;
}

function xattrsOf(pax: PaxRecords): ReadonlyMap<string, string> {
  const xattrs = new Map<string, string>();
  for (const [key, value] of Object.entries(pax)) {
    if (!key.startsWith(XATTR_PREFIX)) continue;
    const name = key.slice(XATTR_PREFIX.length);
    if (name === '' || name.length > MAX_XATTR_NAME_BYTES || name.includes('\0') || value.length > MAX_XATTR_BYTES) {
      throw tarError('TAR_XATTR', 'The archive has an extended attribute that is too large.');
    }
    xattrs.set(name, value);
  }
  if (xattrs.size > MAX_XATTRS)
    throw tarError('TAR_XATTR', 'The archive has an entry with too many extended attributes.');
  return xattrs;
}

/** A failing source is the cause of what the extractor then reports. */
function explain(error: unknown, failure: unknown): unknown {
  const first = failure instanceof Error ? failure : error;
  if (first instanceof VicError) return first;
  if (error instanceof VicError) return error;
  const reason = first instanceof Error ? first.message : String(first);
  const isOurs = /tar|header|unexpected end/i.test(reason);
  return isOurs ? tarError('TAR_CORRUPT', `The archive cannot be read: ${reason}.`, first) : first;
}

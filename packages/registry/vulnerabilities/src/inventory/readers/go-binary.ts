import { type FileFacts, foundPackage, type FoundPackage } from '../file-facts.ts';

/** Starts the build information that Go's linker puts into every program. */
const MAGIC = Buffer.from('\xff Go buildinf:', 'latin1');
const HEADER_BYTES = 32;
const FLAG_INLINE = 2;
/** A marker of 16 bytes stands before and after the module information. */
const SENTINEL_BYTES = 16;
/** The modules of the largest programs take some hundred kilobytes. */
const MAX_INFO_BYTES = 4 * 1024 * 1024;

/**
 * Finds the build information of a Go program while its bytes pass by, so that memory does not grow with them.
 *
 * Understands the form of Go 1.18 and later, in which the texts follow the header.
 */
export async function readGoBinary(content: AsyncIterable<Buffer>): Promise<FileFacts> {
  let held: Buffer = Buffer.alloc(0);
  let found = false;
  let isProgram: boolean | undefined;
  for await (const chunk of content) {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    isProgram ??= held.length >= 4 ? isExecutableFormat(held) : undefined;
    if (isProgram === false) return { packages: [] };
    if (!found) {
      const at = held.indexOf(MAGIC);
      found = at !== -1;
      held = held.subarray(found ? at : Math.max(0, held.length - MAGIC.length));
    }
    const texts = found ? textsOf(held) : undefined;
    if (texts === 'none') return { packages: [] };
    if (texts === 'old')
      return { packages: [], warnings: ['a program made by Go before 1.18 does not tell its modules'] };
    if (texts !== undefined) return { packages: modulesOf(texts) };
    if (held.length > MAX_INFO_BYTES) return { packages: [] };
  }
  return { packages: [] };
}

/** ELF; Windows and Mac programs do not run in containers of ours. */
function isExecutableFormat(head: Buffer): boolean {
  return head.readUInt32BE(0) === 0x7f454c46;
}

interface GoTexts {
  readonly goVersion: string;
  readonly modules: string;
}

/** `undefined` when more bytes are needed. */
function textsOf(info: Buffer): GoTexts | 'none' | 'old' | undefined {
  if (info.length < HEADER_BYTES) return undefined;
  if (((info[15] ?? 0) & FLAG_INLINE) === 0) return 'old';
  const version = lengthPrefixed(info, HEADER_BYTES);
  if (version === undefined || version === 'invalid') return version === 'invalid' ? 'none' : undefined;
  const modules = lengthPrefixed(info, version.end);
  if (modules === undefined || modules === 'invalid') return modules === 'invalid' ? 'none' : undefined;
  return {
    goVersion: version.bytes.toString('utf8'),
    modules: modules.bytes.subarray(SENTINEL_BYTES, -SENTINEL_BYTES).toString('utf8'),
  };
}

function lengthPrefixed(bytes: Buffer, start: number): { bytes: Buffer; end: number } | 'invalid' | undefined {
  let [length, shift, at] = [0, 0, start];
  for (;;) {
    const byte = bytes[at++];
    if (byte === undefined) return undefined;
    length += (byte & 0x7f) * 2 ** shift;
    shift += 7;
    if ((byte & 0x80) === 0) break;
    if (shift > 28) return 'invalid';
  }
  if (length > MAX_INFO_BYTES) return 'invalid';
  return at + length > bytes.length ? undefined : { bytes: bytes.subarray(at, at + length), end: at + length };
}

/** Lines `dep⇥path⇥version⇥sum`; a line `=>` replaces the one before it. The standard library is a module too. */
function modulesOf({ goVersion, modules }: GoTexts): readonly FoundPackage[] {
  const packages: FoundPackage[] = [];
  const standard = /^go(\d+\.\d+(?:\.\d+)?(?:(?:rc|beta)\d+)?)/.exec(goVersion)?.[1];
  if (standard !== undefined) packages.push({ type: 'golang', name: 'stdlib', version: standard });
  for (const line of modules.split('\n')) {
    const [kind, name = '', version = ''] = line.split('\t');
    if (kind !== 'dep' && kind !== 'mod' && kind !== '=>') continue;
    if (kind === '=>') packages.pop();
    if (version === '' || version === '(devel)') {
      // Something must stand where a replacement may follow.
      if (kind === 'dep') packages.push({ type: 'golang', name: '', version: '' });
    } else packages.push({ type: 'golang', name, version });
  }
  return packages.flatMap(foundPackage);
}

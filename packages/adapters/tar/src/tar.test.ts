import fc from 'fast-check';
import { isVicError } from '@vic/errors';
import { pack } from 'tar-stream';
import { expect, test } from 'vitest';
import {
  decodeLayerDirectories,
  encodeHeader,
  encodeLayerDirectories,
  END_OF_ARCHIVE,
  LayerReplanError,
  normalizeName,
  readTar,
  transformLayer,
} from './index.ts';
import type { LayerDirectories, LayerPlan, LayerSummary, TarHeader } from './index.ts';
import { paxRecord, parsePax } from './pax.ts';

interface Item {
  readonly name: string;
  readonly type?: 'file' | 'directory' | 'symlink' | 'link' | 'fifo' | 'character-device';
  readonly content?: string;
  readonly linkname?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly mtime?: number;
  readonly pax?: Record<string, string>;
}

async function archive(items: readonly Item[]): Promise<Buffer> {
  const packer = pack();
  for (const { content = '', mtime = 0, mode = 0o644, ...rest } of items) {
    packer.entry({ ...rest, mode, mtime: new Date(mtime * 1000) } as never, content);
  }
  packer.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of packer) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function* once(bytes: Buffer, pieceBytes = 1000): AsyncGenerator<Buffer> {
  for (let offset = 0; offset < bytes.length; offset += pieceBytes) yield bytes.subarray(offset, offset + pieceBytes);
}

async function readAll(bytes: Buffer): Promise<{ header: TarHeader; content: string }[]> {
  const found: { header: TarHeader; content: string }[] = [];
  for await (const { content, ...header } of readTar(once(bytes))) {
    const chunks: Buffer[] = [];
    for await (const chunk of content) chunks.push(chunk);
    found.push({ header, content: Buffer.concat(chunks).toString('latin1') });
  }
  return found;
}

async function transform(
  bytes: Buffer,
  lower: readonly LayerDirectories[] = [],
): Promise<{ entries: { header: TarHeader; content: string }[]; summary: LayerSummary; runs: number }> {
  let plan: LayerPlan | undefined;
  for (let runs = 1; ; runs++) {
    let summary: LayerSummary | undefined;
    const chunks: Buffer[] = [];
    try {
      const options = { lower: async () => lower, onSummary: (found: LayerSummary) => void (summary = found) };
      for await (const chunk of transformLayer(once(bytes), plan === undefined ? options : { ...options, plan }))
        chunks.push(chunk);
    } catch (error) {
      if (!(error instanceof LayerReplanError) || runs > 1) throw error;
      plan = error.plan;
      continue;
    }
    if (summary === undefined) throw new Error('no summary');
    return { entries: await readAll(Buffer.concat(chunks)), summary, runs };
  }
}

const names = (entries: { header: TarHeader }[]): string[] =>
  entries.map(({ header }) => `${header.type} ${header.path}`);

test('readTar() gives metadata, long names, binary attributes and content', async () => {
  const long = `${'d'.repeat(120)}/${'ü'.repeat(100)}`;
  const bytes = await archive([
    { name: './a/', type: 'directory', mode: 0o1777, uid: 7, mtime: 1234 },
    { name: 'a/f', content: 'hello', pax: { 'SCHILY.xattr.user.x': 'v', mtime: '99.75', uid: '3000000' } },
    { name: long, content: 'x' },
    { name: 'l', type: 'symlink', linkname: '../../etc/passwd' },
    { name: 'h', type: 'link', linkname: '/a/./f' },
  ]);
  const found = await readAll(bytes);
  expect(names(found)).toEqual([
    'directory a',
    'file a/f',
    `file ${Buffer.from(long).toString('latin1')}`,
    'symlink l',
    'link h',
  ]);
  expect(found[0]?.header).toMatchObject({ mode: 0o1777, uid: 7, mtimeSeconds: 1234 });
  expect(found[1]?.header).toMatchObject({ mtimeSeconds: 99, uid: 3_000_000, sizeBytes: 5 });
  expect(found[1]?.header.xattrs.get('user.x')).toBe('v');
  expect(found[1]?.content).toBe('hello');
  expect(found[3]?.header.linkTarget).toBe('../../etc/passwd');
  expect(found[4]?.header.linkTarget).toBe('a/f');
});

test('readTar() keeps the bytes of binary attributes and of names that are not UTF-8', async () => {
  const value = String.fromCharCode(1, 0, 0, 2, 255, 10, 61, 128);
  const record = Buffer.from(
    paxRecord('SCHILY.xattr.security.capability', value) + paxRecord('path', 'caf\xe9'),
    'latin1',
  );
  const header = encodeHeader(plain({ path: 'PaxHeader', sizeBytes: record.length }));
  header.write('x', 156, 'latin1');
  fixChecksum(header);
  const bytes = Buffer.concat([
    header,
    record,
    Buffer.alloc(512 - record.length),
    encodeHeader(plain({ path: 'y' })),
    END_OF_ARCHIVE,
  ]);
  const [entry] = await readAll(bytes);
  expect(entry?.header.path).toBe('caf\xe9');
  expect(entry?.header.xattrs.get('security.capability')).toBe(value);
});

test.each([
  ['../x', 'is outside of the root'],
  ['a/../../x', 'is outside of the root'],
  [`a/${'n'.repeat(256)}`, 'component'],
  [`${'d/'.repeat(2100)}x`, 'too long'],
])('a hostile name is refused (%#)', async (name, reason) => {
  await expect(readAll(await archive([{ name }]))).rejects.toThrow(reason);
});

test('names are normalised', () => {
  expect(normalizeName('/etc//./passwd/')).toBe('etc/passwd');
  expect(normalizeName('a/b/../c')).toBe('a/c');
  expect(normalizeName('./')).toBe('');
  expect(() => normalizeName('a\0b')).toThrow('zero byte');
});

test('truncated, garbled and sparse archives are refused by name', async () => {
  const bytes = await archive([{ name: 'a', content: 'x'.repeat(5000) }]);
  await expect(readAll(bytes.subarray(0, 3000))).rejects.toMatchObject({ code: 'TAR_CORRUPT' });
  await expect(readAll(Buffer.alloc(1024, 0x41))).rejects.toMatchObject({ code: 'TAR_CORRUPT' });
  const sparse = await archive([{ name: 'a', content: 'x', pax: { 'GNU.sparse.major': '1' } }]);
  await expect(readAll(sparse)).rejects.toMatchObject({ code: 'TAR_UNSUPPORTED' });
});

test('an error of the source is the error of the reader', async () => {
  const source = (async function* () {
    yield Buffer.alloc(100);
    throw new Error('the disk is gone');
  })();
  await expect(Array.fromAsync(readTar(source))).rejects.toThrow('the disk is gone');
});

test('pax records survive encoding and parsing', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary-ascii', minLength: 1 }).filter((key) => !key.includes('=')),
      fc.string({ unit: 'binary-ascii', minLength: 1 }),
      (key, value) => {
        expect(parsePax(Buffer.from(paxRecord(key, value), 'latin1'))[key]).toBe(value);
      },
    ),
  );
});

test('a pax record with an empty value takes the keyword back', () => {
  const records = parsePax(Buffer.from(paxRecord('path', 'a') + paxRecord('path', '') + paxRecord('size', '1')));
  expect({ ...records }).toEqual({ size: '1' });
});

test('whiteouts become devices and opaque markers an attribute of their directory', async () => {
  const { entries, summary } = await transform(
    await archive([
      { name: 'etc/', type: 'directory', mode: 0o755 },
      { name: 'etc/.wh.gone' },
      { name: 'var/.wh..wh..opq' },
      { name: 'var/new', content: 'n' },
      { name: '.wh..wh.plnk', content: '' },
    ]),
  );
  expect(names(entries)).toContain('character-device etc/gone');
  expect(names(entries)).toContain('file var/new');
  expect(entries.some(({ header }) => header.path.includes('.wh.'))).toBe(false);
  expect([...summary.directories.opaque]).toEqual(['var']);
  expect([...summary.directories.hidden]).toEqual(['etc/gone']);
});

test('a whiteout spares what its own layer brings, and makes a directory opaque', async () => {
  const { entries, summary } = await transform(
    await archive([{ name: '.wh.d' }, { name: 'd/f', content: '1' }, { name: 'g', content: '2' }, { name: '.wh.g' }]),
  );
  expect(names(entries).filter((name) => name.startsWith('character'))).toEqual([]);
  expect([...summary.directories.opaque]).toEqual(['d']);
});

test('attributes that speak to overlayfs are stripped, and unsupported ones reported', async () => {
  const { entries, summary } = await transform(
    await archive([
      {
        name: 'd/',
        type: 'directory',
        pax: { 'SCHILY.xattr.trusted.overlay.opaque': 'y', 'SCHILY.xattr.user.ok': '1' },
      },
      { name: 'f', pax: { 'SCHILY.xattr.system.posix_acl_access': 'a' } },
    ]),
  );
  expect(summary.directories.opaque.size).toBe(0);
  expect([...(summary.directories.directories.get('d')?.xattrs ?? [])]).toEqual([['user.ok', '1']]);
  expect(summary.droppedXattrs).toEqual(['trusted.overlay.opaque', 'system.posix_acl_access']);
  expect(names(entries)).toContain('directory d');
});

test('later entries replace earlier ones', async () => {
  const { entries, runs } = await transform(
    await archive([
      { name: 'f', content: 'old' },
      { name: 'd/x', content: 'lost' },
      { name: 'keep', content: 'shared' },
      { name: 'other', type: 'link', linkname: 'keep' },
      { name: 'f', content: 'new' },
      { name: 'd', type: 'symlink', linkname: 'f' },
      { name: 'keep', content: 'replaced' },
    ]),
  );
  expect(runs).toBe(2);
  const files = Object.fromEntries(entries.map(({ header, content }) => [header.path, `${header.type} ${content}`]));
  expect(files).toMatchObject({ f: 'file new', d: 'symlink ', other: 'file shared', keep: 'file replaced' });
  expect(files['d/x']).toBeUndefined();
  expect(entries.filter(({ header }) => header.path === 'f')).toHaveLength(1);
});

test('entries below a symbolic link of the same layer land at its target', async () => {
  const { entries } = await transform(
    await archive([
      { name: 'usr/lib/', type: 'directory' },
      { name: 'lib', type: 'symlink', linkname: 'usr/lib' },
      { name: 'lib/a', content: 'x' },
      { name: 'up', type: 'symlink', linkname: '/../../usr' },
      { name: 'up/b', content: 'y' },
    ]),
  );
  expect(names(entries)).toEqual(expect.arrayContaining(['file usr/lib/a', 'file usr/b', 'symlink lib']));
});

test('loops of symbolic links and files used as directories are refused', async () => {
  const loop = await archive([
    { name: 'a', type: 'symlink', linkname: 'b' },
    { name: 'b', type: 'symlink', linkname: 'a' },
    { name: 'a/x' },
  ]);
  await expect(transform(loop)).rejects.toThrow('not a directory');
  await expect(transform(await archive([{ name: 'a', content: 'x' }, { name: 'a/x' }]))).rejects.toThrow(
    'not a directory',
  );
});

test('a hard link to a file that only a lower layer has is refused as Docker refuses it', async () => {
  const bytes = await archive([{ name: 'hl/c', type: 'link', linkname: 'hl/a' }]);
  await expect(transform(bytes)).rejects.toThrow('link /hl/a /hl/c: no such file or directory');
});

test('directories a layer does not describe keep what the layers below say', async () => {
  const base = (await transform(await archive([{ name: 'tmp/', type: 'directory', mode: 0o1777, uid: 5, mtime: 42 }])))
    .summary;
  const stored = decodeLayerDirectories(encodeLayerDirectories(base.directories));
  const { entries, summary } = await transform(await archive([{ name: 'tmp/f', content: 'x' }, { name: 'new/f' }]), [
    stored,
  ]);
  const find = (path: string): TarHeader | undefined => entries.find(({ header }) => header.path === path)?.header;
  expect(find('tmp')).toMatchObject({ mode: 0o1777, uid: 5, mtimeSeconds: 42 });
  expect(find('new')).toMatchObject({ mode: 0o755, uid: 0 });
  const above = await transform(await archive([{ name: '.wh.tmp' }]), [summary.directories, stored]);
  const again = await transform(await archive([{ name: 'tmp/g' }]), [
    above.summary.directories,
    summary.directories,
    stored,
  ]);
  expect(again.entries.find(({ header }) => header.path === 'tmp')?.header.mode).toBe(0o755);
  const replaced = await transform(await archive([{ name: 'tmp', content: 'file now' }]), [stored]);
  expect([...replaced.summary.directories.hidden]).toEqual(['tmp']);
});

test('only a layer without entries is empty', async () => {
  expect((await transform(END_OF_ARCHIVE)).summary.isEmpty).toBe(true);
  expect((await transform(await archive([{ name: './', type: 'directory' }]))).summary.isEmpty).toBe(false);
});

test('damaged archives end in an error of ours or in an archive, never in anything else', async () => {
  const bytes = await archive([
    { name: 'd/', type: 'directory' },
    { name: `d/${'l'.repeat(150)}`, content: 'abc', pax: { 'SCHILY.xattr.user.a': 'b' } },
    { name: 's', type: 'symlink', linkname: 'd' },
    { name: 'h', type: 'link', linkname: 's' },
    { name: 'd/.wh.x' },
  ]);
  const damage = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(damage, fc.boolean(), async (changes, mendChecksums) => {
      const damaged = Buffer.from(bytes);
      for (const [offset, byte] of changes) damaged[offset] = byte;
      if (mendChecksums)
        for (let block = 0; block < damaged.length; block += 512) fixChecksum(damaged.subarray(block, block + 512));
      try {
        await transform(damaged);
      } catch (error) {
        if (!isVicError(error)) throw error;
      }
    }),
    { numRuns: 300 },
  );
});

function plain(header: Partial<TarHeader>): TarHeader {
  return {
    path: '',
    type: 'file',
    mode: 0o644,
    uid: 0,
    gid: 0,
    mtimeSeconds: 0,
    sizeBytes: 0,
    linkTarget: '',
    deviceMajor: 0,
    deviceMinor: 0,
    xattrs: new Map(),
    ...header,
  };
}

function fixChecksum(block: Buffer): void {
  if (block.length < 512 || block.every((byte) => byte === 0)) return;
  block.fill(' ', 148, 156);
  const sum = block.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
}

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { temporaryDirectory } from '@vic/testkit';
import { expect, test } from 'vitest';
import { readRpmDatabase } from '../readers/rpm.ts';

interface Package {
  readonly name: string;
  readonly version: string;
  readonly release: string;
  readonly epoch?: number;
  readonly source?: string;
  readonly files?: readonly string[];
}

const STRING = 6;
const INT32 = 4;
const STRING_ARRAY = 8;

/** A package header as RPM stores it. */
function header(p: Package): Buffer {
  const files = p.files ?? [];
  const entries: [tag: number, type: number, count: number, data: Buffer][] = [
    [1000, STRING, 1, text(p.name)],
    [1001, STRING, 1, text(p.version)],
    [1002, STRING, 1, text(p.release)],
    ...(p.epoch === undefined ? [] : [[1003, INT32, 1, int32(p.epoch)] as [number, number, number, Buffer]]),
    [1022, STRING, 1, text('x86_64')],
    [1044, STRING, 1, text(p.source ?? `${p.name}-${p.version}-${p.release}.src.rpm`)],
    [1116, INT32, files.length, Buffer.concat(files.map(() => int32(0)))],
    [1117, STRING_ARRAY, files.length, Buffer.concat(files.map((file) => text(file.split('/').at(-1) ?? '')))],
    [1118, STRING_ARRAY, 1, text(`/${(files[0] ?? '').split('/').slice(0, -1).join('/')}/`)],
  ];
  const index: Buffer[] = [];
  let data = Buffer.alloc(0);
  for (const [tag, type, count, bytes] of entries) {
    if (type === INT32) data = Buffer.concat([data, Buffer.alloc((4 - (data.length % 4)) % 4)]);
    index.push(Buffer.concat([int32(tag), int32(type), int32(data.length), int32(count)]));
    data = Buffer.concat([data, bytes]);
  }
  return Buffer.concat([int32(index.length), int32(data.length), ...index, data]);
}

const text = (value: string): Buffer => Buffer.from(`${value}\0`);

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

const PACKAGES: readonly Package[] = [
  { name: 'gpg-pubkey', version: 'abc', release: '1' },
  { name: 'openssl-libs', version: '3.0.7', release: '24.el9', epoch: 1, source: 'openssl-3.0.7-24.el9.src.rpm' },
  // Longer than a page, so that it overflows into others.
  {
    name: 'python3-pyyaml',
    version: '5.4.1',
    release: '6.el9',
    files: Array.from({ length: 2000 }, (_, index) => `usr/lib/python3/PyYAML-5.4.1.egg-info/file${index}`),
  },
];

const EXPECTED = [
  { name: 'openssl-libs', version: '1:3.0.7-24.el9', source: { name: 'openssl', version: '3.0.7-24.el9' } },
  { name: 'python3-pyyaml', version: '5.4.1-6.el9', architecture: 'x86_64' },
];

test('rpmdb.sqlite is read, with packages that overflow their page and more than one page of them', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'rpmdb.sqlite');
  const database = new DatabaseSync(path);
  database.exec(
    'create table Basenames (key text, hnum integer); create table Packages (hnum integer primary key autoincrement, blob blob not null)',
  );
  const insert = database.prepare('insert into Packages (blob) values (?)');
  const many = Array.from({ length: 300 }, (_, index) => ({ name: `many${index}`, version: '1', release: '1' }));
  database.exec('begin');
  for (const found of [...PACKAGES, ...many]) insert.run(header(found));
  database.exec('commit');
  database.close();
  const facts = readRpmDatabase(await readFile(path), 'var/lib/rpm/rpmdb.sqlite');
  const byName = facts.packages.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  expect(byName).toHaveLength(302);
  expect(byName.filter(({ name }) => !name.startsWith('many'))).toMatchObject(EXPECTED);
  expect(facts.owns).toContain('usr/lib/python3/PyYAML-5.4.1.egg-info/file1999');
  expect(facts.warnings).toEqual([]);
});

test('Packages.db (ndb) is read', () => {
  const blobs = PACKAGES.map(header);
  const slots = Buffer.alloc(4096);
  slots.write('RpmP', 0);
  slots.writeUInt32LE(1, 12);
  const parts: Buffer[] = [slots];
  let offset = slots.length;
  for (const [index, blob] of blobs.entries()) {
    const at = (index + 2) * 16;
    const head = Buffer.alloc(16);
    head.write('BlbS', 0);
    head.writeUInt32LE(index + 1, 4);
    head.writeUInt32LE(blob.length, 12);
    const padded = Buffer.concat([head, blob, Buffer.alloc((16 - (blob.length % 16)) % 16)]);
    slots.write('Slot', at);
    slots.writeUInt32LE(index + 1, at + 4);
    slots.writeUInt32LE(offset / 16, at + 8);
    slots.writeUInt32LE(padded.length / 16, at + 12);
    parts.push(padded);
    offset += padded.length;
  }
  const facts = readRpmDatabase(Buffer.concat(parts), 'usr/lib/sysimage/rpm/Packages.db');
  expect(facts.packages).toMatchObject(EXPECTED);
});

test('Packages (Berkeley DB) is read', () => {
  const PAGE = 4096;
  const pages: Buffer[] = [Buffer.alloc(PAGE), Buffer.alloc(PAGE)];
  const [meta, hash] = [pages[0] ?? Buffer.alloc(0), pages[1] ?? Buffer.alloc(0)];
  meta.writeUInt32LE(0x00061561, 12);
  meta.writeUInt32LE(PAGE, 20);
  hash[25] = 13;
  hash.writeUInt16LE(PACKAGES.length * 2, 20);
  let free = PAGE;
  for (const [index, blob] of PACKAGES.map(header).entries()) {
    free -= 5;
    hash.writeUInt16LE(free, 26 + index * 4);
    hash[free] = 1;
    free -= 12;
    hash.writeUInt16LE(free, 26 + index * 4 + 2);
    hash[free] = 3;
    hash.writeUInt32LE(pages.length, free + 4);
    hash.writeUInt32LE(blob.length, free + 8);
    for (let start = 0; start < blob.length; start += PAGE - 26) {
      const page = Buffer.alloc(PAGE);
      page[25] = 7;
      const piece = blob.subarray(start, start + PAGE - 26);
      page.writeUInt32LE(start + PAGE - 26 < blob.length ? pages.length + 1 : 0, 16);
      page.writeUInt16LE(piece.length, 22);
      piece.copy(page, 26);
      pages.push(page);
    }
  }
  expect(readRpmDatabase(Buffer.concat(pages), 'var/lib/rpm/Packages').packages).toMatchObject(EXPECTED);
});

test('a database whose pages point in circles ends', async () => {
  const page = Buffer.alloc(1024);
  page.write('SQLite format 3\0', 0);
  page.writeUInt16BE(512, 16);
  page[100] = 5;
  page.writeUInt16BE(1, 103);
  page.writeUInt32BE(1, 108);
  page.writeUInt16BE(200, 112);
  page.writeUInt32BE(2, 200);
  page[512] = 5;
  page.writeUInt32BE(1, 520);
  const facts = readRpmDatabase(page, 'rpmdb.sqlite');
  expect(facts).toMatchObject({ packages: [], warnings: ['the RPM database has no packages that can be read'] });
});

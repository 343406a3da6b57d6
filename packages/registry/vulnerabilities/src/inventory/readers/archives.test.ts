import { deflateRawSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { readGoBinary } from './go-binary.ts';
import { readJar } from './jar.ts';

/** A zip archive; checksums are left out, which nothing here looks at. */
function zip(files: Readonly<Record<string, string | Buffer>>): Buffer {
  const [locals, directory]: [Buffer[], Buffer[]] = [[], []];
  let offset = 0;
  for (const [name, text] of Object.entries(files)) {
    const content = Buffer.from(text);
    const packed = deflateRawSync(content);
    const sizes = (bytes: Buffer, at: number): void => {
      bytes.writeUInt32LE(packed.length, at);
      bytes.writeUInt32LE(content.length, at + 4);
      bytes.writeUInt16LE(Buffer.byteLength(name), at + 8);
    };
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(8, 8);
    sizes(local, 18);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(8, 10);
    sizes(entry, 20);
    entry.writeUInt32LE(offset, 42);
    locals.push(local, Buffer.from(name), packed);
    directory.push(entry, Buffer.from(name));
    offset += local.length + Buffer.byteLength(name) + packed.length;
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(Object.keys(files).length, 10);
  end.writeUInt32LE(Buffer.concat(directory).length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, ...directory, end]);
}

const pom = (artifact: string, version: string): Readonly<Record<string, string>> => ({
  [`META-INF/maven/org.x/${artifact}/pom.properties`]: `#Generated\ngroupId=org.x\nartifactId=${artifact}\nversion=${version}\n`,
});

test('readJar() finds coordinates in jars and in the jars inside of them', () => {
  const inner = zip(pom('inner', '2.0'));
  const middle = zip({ ...pom('middle', '1.1'), 'BOOT-INF/lib/inner.jar': inner });
  const outer = zip({ ...pom('outer', '1.0'), 'WEB-INF/lib/middle.jar': middle, 'readme.txt': 'x' });
  const { packages } = readJar(outer);
  expect(packages.map(({ name, version }) => `${name} ${version}`)).toEqual([
    'org.x:outer 1.0',
    'org.x:middle 1.1',
    'org.x:inner 2.0',
  ]);
});

test('readJar() does not follow jars in jars without end', () => {
  let jar = zip(pom('deepest', '1.0'));
  for (let depth = 0; depth < 10; depth++) jar = zip({ ...pom(`level${depth}`, '1.0'), 'next.jar': jar });
  expect(readJar(jar).packages).toHaveLength(3);
});

test('readGoBinary() reads build information that is cut into pieces', async () => {
  const modules =
    'path\texample.org/app\nmod\texample.org/app\t(devel)\t\ndep\tgolang.org/x/net\tv0.1.0\th1:x=\ndep\tgithub.com/old/a\tv1.0.0\n=>\tgithub.com/new/a\tv1.2.0\th1:y=\n';
  const info = Buffer.concat([Buffer.alloc(16, 1), Buffer.from(modules), Buffer.alloc(16, 2)]);
  const head = Buffer.alloc(32);
  Buffer.from('\xff Go buildinf:', 'latin1').copy(head);
  head[14] = 8;
  head[15] = 2;
  const length = Buffer.from([(info.length & 0x7f) | 0x80, info.length >> 7]);
  const program = Buffer.concat([
    Buffer.from('7f454c46', 'hex'),
    Buffer.alloc(100_000, 9),
    head,
    Buffer.from([8]),
    Buffer.from('go1.20.4'),
    length,
    info,
    Buffer.alloc(1000),
  ]);
  for (const size of [7, 1000, program.length]) {
    const pieces = async function* (): AsyncGenerator<Buffer> {
      for (let at = 0; at < program.length; at += size) yield program.subarray(at, at + size);
    };
    const { packages } = await readGoBinary(pieces());
    expect(packages).toEqual([
      { type: 'golang', name: 'stdlib', version: '1.20.4' },
      { type: 'golang', name: 'golang.org/x/net', version: 'v0.1.0' },
      { type: 'golang', name: 'github.com/new/a', version: 'v1.2.0' },
    ]);
  }
});

test('readGoBinary() finds nothing in other programs', async () => {
  const pieces = async function* (content: string): AsyncGenerator<Buffer> {
    yield Buffer.from(content, 'latin1');
  };
  expect(await readGoBinary(pieces('#!/bin/sh\n'))).toEqual({ packages: [] });
  expect(await readGoBinary(pieces('\x7fELF and no more'))).toEqual({ packages: [] });
});

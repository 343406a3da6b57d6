import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { imageLayer, type LayerEntry } from '../testing/image-layer.ts';
import { readLayers } from './read-layers.ts';
import { takeInventory } from './take-inventory.ts';

const status = (...packages: readonly string[]): string =>
  packages
    .map((line) => {
      const [name, version, source] = line.split(' ');
      const fields = [`Package: ${name}`, 'Status: install ok installed', `Version: ${version}`, 'Architecture: amd64'];
      return [...fields, ...(source === undefined ? [] : [`Source: ${source.replace(/=(.*)/, ' ($1)')}`])].join('\n');
    })
    .join('\n\n');

async function* layersOf(
  ...layers: readonly Readonly<Record<string, LayerEntry>>[]
): AsyncGenerator<AsyncIterable<Buffer>> {
  for (const entries of layers) {
    yield (async function* () {
      yield imageLayer(entries);
    })();
  }
}

async function found(...layers: readonly Readonly<Record<string, LayerEntry>>[]): Promise<readonly string[]> {
  const { packages } = await readLayers(layersOf(...layers));
  return packages.map(({ type, name, version }) => `${type} ${name} ${version}`);
}

describe('layers', () => {
  test('an upper layer replaces what a lower one had', async () => {
    const lower = { 'var/lib/dpkg/status': status('bash 5.1-2', 'dash 0.5') };
    expect(await found(lower, { 'var/lib/dpkg/status': status('bash 5.2-1') })).toEqual(['deb bash 5.2-1']);
  });

  test('a whiteout removes a file or a directory of lower layers', async () => {
    const lower = {
      'app/package-lock.json': '{"packages":{"node_modules/a":{"version":"1.0.0"}}}',
      'srv/node_modules/b/package.json': '{"name":"b","version":"2.0.0"}',
    };
    expect(await found(lower)).toEqual(['npm a 1.0.0', 'npm b 2.0.0']);
    expect(await found(lower, { 'app/.wh.package-lock.json': '' })).toEqual(['npm b 2.0.0']);
    expect(await found(lower, { '.wh.srv': '' })).toEqual(['npm a 1.0.0']);
  });

  test('an opaque directory hides what lower layers had in it, not what its own layer has', async () => {
    const lower = { 'srv/node_modules/b/package.json': '{"name":"b","version":"2.0.0"}' };
    const upper = { 'srv/.wh..wh..opq': '', 'srv/node_modules/c/package.json': '{"name":"c","version":"3.0.0"}' };
    expect(await found(lower, upper)).toEqual(['npm c 3.0.0']);
    expect(await found(lower, { 'srv/node_modules/c/package.json': '', 'srv/node_modules/.wh..wh..opq': '' })).toEqual(
      [],
    );
  });

  test('a file where lower layers had a directory hides it', async () => {
    const lower = { 'srv/node_modules/b/package.json': '{"name":"b","version":"2.0.0"}' };
    expect(await found(lower, { srv: 'now a file' })).toEqual([]);
    expect(await found(lower, { srv: { type: 'directory' } })).toEqual(['npm b 2.0.0']);
  });

  test('a hard link tells what its target tells', async () => {
    const layer = {
      'a/node_modules/b/package.json': '{"name":"b","version":"2.0.0"}',
      'c/node_modules/b/package.json': { type: 'link', target: 'a/node_modules/b/package.json' },
    } as const;
    expect(await found(layer, { '.wh.a': '' })).toEqual(['npm b 2.0.0']);
  });

  test('files of a distribution package are left to that package', async () => {
    const metadata = 'Metadata-Version: 2.1\nName: PyYAML\nVersion: 6.0\n\nText\nName: other\n';
    const path = 'usr/lib/python3/dist-packages/PyYAML-6.0.dist-info/METADATA';
    const system = { 'var/lib/dpkg/status': status('python3-yaml 6.0-3'), [path]: metadata };
    expect(await found(system)).toEqual(['pypi pyyaml 6.0', 'deb python3-yaml 6.0-3'].toSorted().toReversed());
    const owned = { ...system, 'var/lib/dpkg/info/python3-yaml.list': `/.\n/usr\n/${path}\n` };
    expect(await found(owned)).toEqual(['deb python3-yaml 6.0-3']);
  });
});

describe('the reader of', () => {
  test('dpkg takes installed packages with their sources, and distroless files', async () => {
    const { packages } = await readLayers(
      layersOf({
        'var/lib/dpkg/status': `${status('libssl3 3.0.8-1 openssl', 'libc6 2.36-9 glibc=2.36-9+x')}\n\nPackage: gone\nStatus: deinstall ok config-files\nVersion: 1\n`,
        'var/lib/dpkg/status.d/tzdata': 'Package: tzdata\nVersion: 2024a-0\nArchitecture: all\n',
        'var/lib/dpkg/status.d/tzdata.md5sums': 'Package: no\nVersion: 1\n',
      }),
    );
    expect(packages.map(({ name, source }) => [name, source])).toEqual([
      ['libssl3', { name: 'openssl', version: '3.0.8-1' }],
      ['libc6', { name: 'glibc', version: '2.36-9+x' }],
      ['tzdata', { name: 'tzdata', version: '2024a-0' }],
    ]);
  });

  test('apk and os-release', async () => {
    const inventory = await readLayers(
      layersOf({
        'etc/os-release': 'NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.18.4\nPRETTY_NAME="Alpine Linux v3.18"\n',
        'lib/apk/db/installed':
          'C:Q1abc=\nP:ssl_client\nV:1.36.1-r0\nA:x86_64\nL:GPL-2.0-only\no:busybox\nF:usr/bin\nR:ssl_client\n\nP:musl\nV:1.2.4-r1\nA:x86_64\n',
      }),
    );
    expect(inventory.operatingSystem).toEqual({ id: 'alpine', version: '3.18.4', name: 'Alpine Linux v3.18' });
    expect(inventory.packages).toMatchObject([
      { type: 'apk', name: 'ssl_client', version: '1.36.1-r0', source: { name: 'busybox' }, license: 'GPL-2.0-only' },
      { type: 'apk', name: 'musl', version: '1.2.4-r1', source: { name: 'musl' } },
    ]);
  });

  test('JavaScript lockfiles', async () => {
    expect(
      await found({
        'a/package-lock.json':
          '{"lockfileVersion":1,"dependencies":{"x":{"version":"1.0.0","dependencies":{"y":{"version":"2.0.0"}}},"d":{"version":"1.0.0","dev":true}}}',
        'b/package-lock.json':
          '{"packages":{"":{"version":"9.9.9"},"node_modules/@s/p":{"version":"1.1.0"},"lib/l":{"version":"1.0.0"},"node_modules/l":{"link":true}}}',
        'c/yarn.lock':
          '# yarn lockfile v1\n\n"@babel/core@^7.0.0", "@babel/core@^7.1.0":\n  version "7.2.2"\n  resolved "x"\n',
        'd/yarn.lock':
          '__metadata:\n  version: 8\n\n"ms@npm:^2.0.0":\n  version: 2.1.3\n\n"me@workspace:.":\n  version: 0.0.0-use.local\n',
        'e/pnpm-lock.yaml':
          "lockfileVersion: '9.0'\n\nimporters:\n  .:\n    dependencies: {}\n\npackages:\n\n  '@types/node@20.1.0':\n    resolution: {}\n\n  debug@4.3.4:\n    resolution: {}\n\nsnapshots:\n  other@1.0.0:\n    x: 1\n",
        'f/pnpm-lock.yaml': 'lockfileVersion: 5.4\npackages:\n  /ws/8.1.0_peer:\n    resolution: {}\n',
      }),
    ).toEqual([
      'npm x 1.0.0',
      'npm y 2.0.0',
      'npm @s/p 1.1.0',
      'npm @babel/core 7.2.2',
      'npm ms 2.1.3',
      'npm @types/node 20.1.0',
      'npm debug 4.3.4',
      'npm ws 8.1.0',
    ]);
  });

  test('Python, Rust, Ruby, PHP and Go lockfiles', async () => {
    expect(
      await found({
        'a/requirements.txt':
          'Flask==2.0.1  # pinned\nrequests[socks]===2.25.1 ; python_version > "3"\nnumpy>=1.0\n-r other.txt\nx==1.*\n',
        'b/poetry.lock': '[[package]]\nname = "Jinja2"\nversion = "3.0.0"\n\n[package.dependencies]\nname = "no"\n',
        'c/Pipfile.lock': '{"default":{"idna":{"version":"==3.4"}},"develop":{"pytest":{"version":"==7.0"}}}',
        'd/Cargo.lock':
          'version = 3\n\n[[package]]\nname = "mine"\nversion = "0.1.0"\n\n[[package]]\nname = "time"\nversion = "0.1.43"\nsource = "registry+https://github.com/rust-lang/crates.io-index"\n',
        'e/Gemfile.lock':
          'GEM\n  remote: https://rubygems.org/\n  specs:\n    rack (2.2.3)\n    nokogiri (1.15.0-x86_64-linux)\n      racc (~> 1.4)\n\nDEPENDENCIES\n  rack\n',
        'usr/lib/ruby/gems/3.0.0/specifications/rake-13.0.6.gemspec': 'Gem::Specification.new',
        'f/composer.lock':
          '{"packages":[{"name":"Monolog/monolog","version":"2.3.5","license":["MIT"]}],"packages-dev":[{"name":"x/y","version":"1"}]}',
        'g/go.sum':
          'golang.org/x/net v0.1.0 h1:abc=\ngolang.org/x/net v0.1.0/go.mod h1:def=\ngolang.org/x/old v0.0.1/go.mod h1:ghi=\n',
      }),
    ).toEqual([
      'pypi flask 2.0.1',
      'pypi requests 2.25.1',
      'pypi jinja2 3.0.0',
      'pypi idna 3.4',
      'cargo time 0.1.43',
      'gem rack 2.2.3',
      'gem nokogiri 1.15.0',
      'composer monolog/monolog 2.3.5',
      'golang golang.org/x/net v0.1.0',
      'gem rake 13.0.6',
    ]);
  });

  test('what is not what its name says gives nothing, and no error', async () => {
    const junk = Buffer.from(Array.from({ length: 5000 }, (_, index) => (index * 7919) % 256));
    const names = [
      'app.jar',
      'package-lock.json',
      'go.sum',
      'Cargo.lock',
      'composer.lock',
      'yarn.lock',
      'Pipfile.lock',
    ];
    const databases = [
      'var/lib/rpm/rpmdb.sqlite',
      'var/lib/rpm/Packages.db',
      'var/lib/rpm/Packages',
      'lib/apk/db/installed',
    ];
    const entries = Object.fromEntries([...names, ...databases].map((name) => [name, junk]));
    expect(await found(entries)).toEqual([]);
  });
});

describe('takeInventory()', () => {
  const signal = new AbortController().signal;
  const source = (bytes: Buffer) => ({
    open: async () =>
      (async function* () {
        for (let at = 0; at < bytes.length; at += 50_000) yield bytes.subarray(at, at + 50_000);
      })(),
  });

  test('reads plain, gzip and zstd layers in a process of its own', async () => {
    const layers = [
      gzipSync(imageLayer({ 'var/lib/dpkg/status': status('a 1', 'b 2') })),
      zstdCompressSync(imageLayer({ 'app/Cargo.lock': '' })),
      imageLayer({ 'app/go.sum': 'example.org/m v1.0.0 h1:x=\n' }),
    ];
    const { packages } = await takeInventory(layers.map(source), signal);
    expect(packages.map(({ name }) => name)).toEqual(['example.org/m', 'a', 'b']);
  });

  test('names what is wrong with a damaged layer', async () => {
    const damaged = gzipSync(imageLayer({ 'var/lib/dpkg/status': status('a 1') }));
    damaged.fill(0xff, 15, 60);
    await expect(takeInventory([source(damaged), source(damaged)], signal)).rejects.toThrow(/archive|invalid/);
    await expect(takeInventory([source(Buffer.alloc(2000, 7))], signal)).rejects.toMatchObject({ code: 'TAR_CORRUPT' });
  });

  test('survives an image that makes its reader run out of memory', async () => {
    // Many modules with long names in a small compressed layer.
    const lines = Array.from({ length: 60_000 }, (_, index) => `m${String(index).padStart(400, 'x')} v1.0.0 h1:x=`);
    const bomb = gzipSync(imageLayer({ 'go.sum': lines.join('\n') }));
    const limits = { heapMiB: 16, timeoutMs: 120_000 };
    await expect(takeInventory([source(bomb)], signal, limits)).rejects.toMatchObject({ code: 'SCAN_OUT_OF_MEMORY' });
  }, 150_000);

  test('ends with its signal and with its deadline', async () => {
    const never = {
      open: async () =>
        (async function* () {
          yield Buffer.alloc(10);
          await new Promise(() => undefined);
        })(),
    };
    const limits = { heapMiB: 64, timeoutMs: 200 };
    await expect(takeInventory([never], signal, limits)).rejects.toMatchObject({ class: 'DeadlineExceeded' });
    const stopping = new AbortController();
    const taking = takeInventory([never], stopping.signal);
    stopping.abort(new Error('stopped by the user'));
    await expect(taking).rejects.toThrow('stopped by the user');
  });
});

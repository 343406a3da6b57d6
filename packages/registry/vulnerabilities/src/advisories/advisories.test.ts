import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { silentLogger } from '@vic/log';
import { temporaryDatabase } from '@vic/sql/testing';
import { temporaryDirectory } from '@vic/testkit';
import { describe, expect, onTestFinished, test } from 'vitest';
import { matchInventory } from '../match-inventory.ts';
import type { InstalledPackage, PackageInventory } from '../package-inventory.ts';
import { osvDocuments } from '../testing/osv-documents.ts';
import { compareSemVer } from '../versions/semver-version.ts';
import { AdvisoryFeeds, type FetchFeed } from './advisory-feeds.ts';
import { judgeVersion } from './affected-version.ts';
import { parseOsvObject } from './parse-osv.ts';

const signal = new AbortController().signal;
const refuse: FetchFeed = async () => Promise.reject(new Error('nothing is fetched here'));

async function world(fetch: FetchFeed = refuse): Promise<{ feeds: AdvisoryFeeds; path: string }> {
  const directory = await temporaryDirectory();
  const database = await temporaryDatabase();
  onTestFinished(async () => {
    await database[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
  });
  const feeds = new AdvisoryFeeds({
    database,
    logger: silentLogger(),
    directory: join(directory.path, 'files'),
    fetch,
  });
  return { feeds, path: directory.path };
}

async function writeFeed(path: string, documents = osvDocuments): Promise<string> {
  const feed = join(path, 'feed');
  await mkdir(feed, { recursive: true });
  for (const document of documents)
    await writeFile(join(feed, `${String(document['id'])}.json`), JSON.stringify(document));
  return feed;
}

const debian = { id: 'debian', version: '12', name: 'Debian GNU/Linux 12 (bookworm)' };

function inventory(packages: readonly Partial<InstalledPackage>[], operatingSystem = debian): PackageInventory {
  const complete = packages.map((found) => ({ type: 'deb', name: 'x', version: '1', path: 'p', ...found }) as const);
  return { operatingSystem, packages: complete, warnings: [] };
}

async function judge(feeds: AdvisoryFeeds, image: PackageInventory): Promise<readonly string[]> {
  await using advisories = await feeds.open();
  const { findings } = await matchInventory(image, advisories);
  return findings.map(
    ({ id, package: { name }, severity, fixedVersion }) => `${id} ${name} ${severity} ${fixedVersion}`,
  );
}

describe('advisories', () => {
  test('of source packages are about the binary packages made from them', async () => {
    const { feeds, path } = await world();
    await feeds.import({ name: 'Debian', source: await writeFeed(path), mode: 'replace' }, signal);
    const libssl = { name: 'libssl3', version: '3.0.8-1', source: { name: 'openssl', version: '3.0.8-1' } };
    expect(await judge(feeds, inventory([libssl, { name: 'apt', version: '2.6.1' }]))).toEqual([
      'CVE-2023-0464 libssl3 High 3.0.9-1',
      'CVE-2011-3374 apt Negligible ',
      'CVE-2023-0465 libssl3 Unknown 3.0.9-1',
    ]);
    const fixed = { ...libssl, source: { name: 'openssl', version: '3.0.9-1' } };
    expect(await judge(feeds, inventory([fixed]))).toEqual([]);
    expect(await judge(feeds, inventory([libssl], { ...debian, version: '11' }))).toEqual([]);
  });

  test('of languages are matched by their own order of versions', async () => {
    const { feeds, path } = await world();
    await feeds.import({ name: 'all', source: await writeFeed(path), mode: 'replace' }, signal);
    const packages = [
      { type: 'npm', name: 'lodash', version: '4.17.20' },
      { type: 'npm', name: 'lodash', version: '4.17.21' },
      { type: 'pypi', name: 'requests', version: '2.30.0' },
      { type: 'pypi', name: 'requests', version: '2.2.9' },
      { type: 'golang', name: 'stdlib', version: '1.20.4' },
      { type: 'golang', name: 'stdlib', version: '1.19.10' },
    ] as const;
    expect(await judge(feeds, inventory(packages))).toEqual([
      'CVE-2021-23337 lodash High 4.17.21',
      'CVE-2023-29403 stdlib Unknown 1.20.5',
      'CVE-2023-32681 requests Unknown 2.31.0',
      'CVE-2023-32681 requests Unknown 2.31.0',
    ]);
  });

  test('of Alpine are for its release, whatever the patch level', async () => {
    const { feeds, path } = await world();
    await feeds.import({ name: 'all', source: await writeFeed(path), mode: 'replace' }, signal);
    const packages = [
      { type: 'apk', name: 'ssl_client', version: '1.36.1-r1', source: { name: 'busybox', version: '1.36.1-r1' } },
    ] as const;
    const alpine = (version: string) => ({ id: 'alpine', version, name: 'Alpine' });
    expect(await judge(feeds, inventory(packages, alpine('3.18.4')))).toEqual([
      'CVE-2022-48174 ssl_client Critical 1.36.1-r2',
    ]);
    expect(await judge(feeds, inventory(packages, alpine('3.19.0')))).toEqual([]);
  });

  test('say when a distribution is not known, instead of finding nothing', async () => {
    const { feeds } = await world();
    await using advisories = await feeds.open();
    const image = inventory([{ name: 'bash' }], { id: 'slackware', version: '15', name: 'Slackware 15' });
    const { findings, warnings } = await matchInventory(image, advisories);
    expect(findings).toEqual([]);
    expect(warnings).toEqual(['The 1 packages of Slackware 15 were not judged: there are no advisories for it.']);
  });
});

describe('a feed', () => {
  test('tells how much is known and how old it is', async () => {
    const { feeds, path } = await world();
    expect(await feeds.status()).toEqual({
      feeds: [],
      advisoryCount: 0,
      modifiedAtMs: undefined,
      importedAtMs: undefined,
    });
    await feeds.import({ name: 'all', source: await writeFeed(path), mode: 'replace' }, signal);
    expect(await feeds.status()).toMatchObject({
      advisoryCount: 7,
      modifiedAtMs: Date.parse('2024-05-20T00:00:00Z'),
      feeds: [{ name: 'all', ecosystems: ['Alpine', 'Debian', 'Go', 'PyPI', 'npm'], packageCount: 6 }],
    });
  });

  test('is replaced as a whole, or merged by advisory', async () => {
    const { feeds, path } = await world();
    await feeds.import({ name: 'all', source: await writeFeed(path), mode: 'replace' }, signal);
    const lodash = inventory([{ type: 'npm', name: 'lodash', version: '4.17.20' }]);
    const apt = inventory([{ name: 'apt', version: '2.6.1' }]);
    const update = join(path, 'update.json');
    const withdrawn = {
      id: 'GHSA-35jh-r3h4-6jhm',
      modified: '2025-01-01T00:00:00Z',
      withdrawn: '2025-01-01T00:00:00Z',
    };
    const changed = {
      ...osvDocuments[2],
      modified: '2025-01-01T00:00:00Z',
      affected: [
        {
          package: { ecosystem: 'Debian:12', name: 'apt' },
          ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '2.7' }] }],
        },
      ],
    };
    await writeFile(update, JSON.stringify([withdrawn, changed]));
    await feeds.import({ name: 'all', source: update, mode: 'merge' }, signal);
    expect(await judge(feeds, lodash)).toEqual([]);
    expect(await judge(feeds, apt)).toEqual(['CVE-2011-3374 apt Unknown 2.7']);
    expect((await feeds.status()).advisoryCount).toBe(6);
    await feeds.import({ name: 'all', source: update, mode: 'replace' }, signal);
    expect((await feeds.status()).advisoryCount).toBe(1);
  });

  test('stays as it was when the source holds nothing or is damaged', async () => {
    const { feeds, path } = await world();
    const source = await writeFeed(path);
    await feeds.import({ name: 'all', source, mode: 'replace' }, signal);
    const before = await readdir(join(path, 'files'));
    for (const [name, content] of [
      ['empty.json', '{}'],
      ['bad.json', '{'],
      ['bad.zip', 'PK\u0003\u0004junk'],
    ] as const) {
      await writeFile(join(path, name), content);
      await expect(
        feeds.import({ name: 'all', source: join(path, name), mode: 'replace' }, signal),
      ).rejects.toMatchObject({
        class: 'InvalidArgument',
      });
    }
    expect((await feeds.status()).advisoryCount).toBe(7);
    expect(await readdir(join(path, 'files'))).toEqual(before);
  });

  test('is fetched again only when its server says that it changed', async () => {
    const asked: (string | undefined)[] = [];
    const { feeds } = await world(async (_url, etag) => {
      asked.push(etag);
      if (etag !== undefined) return 'unchanged';
      return {
        etag: '"v1"',
        content: (async function* () {
          yield Buffer.from(JSON.stringify(osvDocuments));
        })(),
      };
    });
    const wanted = { name: 'web', source: 'https://example.org/all.json', mode: 'replace' } as const;
    expect(await feeds.import(wanted, signal)).toBe(true);
    expect(await feeds.import(wanted, signal)).toBe(false);
    expect(asked).toEqual([undefined, '"v1"']);
    expect(await feeds.remove('web')).toBe(true);
    expect((await feeds.status()).advisoryCount).toBe(0);
  });
});

test('judgeVersion() follows introduced, fixed, last affected and limit', () => {
  const verdict = (version: string, ...events: readonly Record<string, string>[]): unknown => {
    const parsed = parseOsvObject({
      id: 'X-1',
      modified: '2024-01-01T00:00:00Z',
      affected: [{ package: { ecosystem: 'npm', name: 'p' }, ranges: [{ type: 'SEMVER', events }] }],
    });
    const advisory = parsed?.entries[0]?.advisory ?? { ranges: [], versions: [] };
    const { affected, fixedIn } = judgeVersion(version, advisory, compareSemVer);
    return affected ? (fixedIn ?? 'no fix') : 'not affected';
  };
  const two = [{ fixed: '2.1.0' }, { introduced: '2.0.0' }, { introduced: '0' }, { fixed: '1.5.0' }];
  expect(verdict('1.4.9', ...two)).toBe('1.5.0');
  expect(verdict('1.5.0', ...two)).toBe('not affected');
  expect(verdict('2.0.0', ...two)).toBe('2.1.0');
  expect(verdict('3.0.0', { introduced: '1.0.0' }, { last_affected: '3.0.0' })).toBe('no fix');
  expect(verdict('3.0.1', { introduced: '1.0.0' }, { last_affected: '3.0.0' })).toBe('not affected');
  expect(verdict('2.0.0', { introduced: '1.0.0' }, { limit: '2.0.0' })).toBe('not affected');
});

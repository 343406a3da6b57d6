import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { run } from '@vic/process';
import { temporaryDirectory } from '@vic/testkit';
import { beforeAll, expect, it } from 'vitest';
import { buildImage, layered } from '../../tools/lab/images/index.ts';
import { describeArchive } from './describe-archive.ts';
import { type E2eLab, openLab } from './open-lab.ts';

let lab: E2eLab;
let layeredImage: string;
beforeAll(async () => {
  lab = await openLab();
  layeredImage = await lab.push(layered);
  await lab.docker.ok(['pull', '--quiet', layeredImage]);
});

/** Mounted over or written by the engine in every container, in Docker as here. */
const NOT_THE_IMAGES = [
  './dev',
  './proc',
  './sys',
  './etc/hostname',
  './etc/hosts',
  './etc/resolv.conf',
  './.dockerenv',
];
const TAR = [
  '--create',
  '--file=-',
  '--format=pax',
  '--xattrs',
  '--xattrs-include=*',
  '--numeric-owner',
  '--sort=name',
];

it('a container’s file tree equals the image’s, entry by entry', async () => {
  await using scratch = await temporaryDirectory('vic-e2e-tree-');
  const exclusions = NOT_THE_IMAGES.flatMap((path) => ['--exclude', path]);
  await run('umoci', ['unpack', '--image', `${await buildImage(layered)}:latest`, join(scratch.path, 'bundle')], {
    timeoutMs: 300_000,
  });
  const expectedArchive = join(scratch.path, 'expected.tar');
  const expectedTree = join(scratch.path, 'bundle/rootfs');
  await run(
    'tar',
    [
      ...TAR.map((option) => option.replace('--file=-', `--file=${expectedArchive}`)),
      ...exclusions,
      `--directory=${expectedTree}`,
      '.',
    ],
    { timeoutMs: 300_000 },
  );
  const expected = await describeArchive(expectedArchive);

  const container = lab.docker.spawn(['run', '--rm', layeredImage, 'tar', ...TAR, ...exclusions, '--directory=/', '.']);
  if (container.stdout === null || container.stderr === null) throw new Error('no output');
  const [actual, complaints] = await Promise.all([describeArchive(container.stdout), text(container.stderr)]);
  expect(complaints).toBe('');

  expect(expected.size).toBeGreaterThan(5_000);
  expect([...actual.keys()].filter((path) => !expected.has(path))).toEqual([]);
  const different = [...expected].filter(([path, entry]) => actual.get(path) !== entry);
  expect(different.map(([path, entry]) => ({ path, expected: entry, actual: actual.get(path) }))).toEqual([]);
});

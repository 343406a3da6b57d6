import { describe, expect, it, test } from 'vitest';
import { ArtifactFilter } from './artifact-filter.ts';
import { destinationName } from './destination-name.ts';
import { compileGlob } from './glob.ts';
import { literalRepositories } from './literal-repositories.ts';

test.each([
  ['', 'anything/at/all', true],
  ['**', 'a/b/c', true],
  ['**', '', true],
  ['*', '', true],
  ['library/*', 'library/app', true],
  ['library/*', 'library/app/deep', false],
  ['library/**', 'library/app/deep', true],
  ['a/**/z', 'a/z', true],
  ['a/**/z', 'a/b/c/z', true],
  ['v?.?', 'v1.2', true],
  ['v?.?', 'v1x2', false],
  ['{dev,qa}/app-{a,b}', 'qa/app-b', true],
  ['{dev,qa}/app-{a,b}', 'qa/app-c', false],
  ['release-*', 'release-1.0', true],
  ['1.0', '1x0', false],
])('the pattern %j and the name %j: %j', (pattern, name, matches) => {
  expect(compileGlob(pattern)(name)).toBe(matches);
});

test.each(['{a', 'a}', 'x'.repeat(2000), '{a,b}'.repeat(9)])(
  'a pattern that is malformed or too costly is refused (%#)',
  (pattern) => {
    expect(() => compileGlob(pattern)).toThrow(/^The pattern/);
  },
);

test.each([
  [-1, 'n/image'],
  [0, 'n/a/b/c/image'],
  [1, 'n/b/c/image'],
  [2, 'n/c/image'],
  [3, 'n/image'],
])('with %i components replaced a/b/c/image becomes %s', (count, name) => {
  expect(destinationName('a/b/c/image', 'n', count)).toBe(name);
  expect(destinationName('a/b/c/image', '', count)).toBe('a/b/c/image');
});

it('a pattern full of wildcards is answered like any other', () => {
  expect(compileGlob('**a'.repeat(300))('a'.repeat(250))).toBe(false);
  expect(compileGlob('*a'.repeat(200))('a'.repeat(250))).toBe(true);
});

it('destinationName() refuses to replace more components than there are', () => {
  expect(() => destinationName('a/b/c/image', 'n', 4)).toThrow('the destination namespace flattening level is 4');
});

it('literalRepositories() lists what has no wildcards', () => {
  expect(literalRepositories('a/b')).toEqual(['a/b']);
  expect(literalRepositories('{a/b, c/d}')).toEqual(['a/b', 'c/d']);
  expect(literalRepositories('a/{b,c}/{d,e}')).toEqual(['a/b/d', 'a/b/e', 'a/c/d', 'a/c/e']);
  expect(literalRepositories('a/*')).toBeUndefined();
  expect(literalRepositories('')).toBeUndefined();
});

describe('ArtifactFilter', () => {
  it('wants every filter to agree', () => {
    const filter = new ArtifactFilter([
      { type: 'name', value: 'a/**' },
      { type: 'tag', value: 'v*', decoration: 'matches' },
      { type: 'tag', value: '*-rc', decoration: 'excludes' },
      { type: 'label', value: ['gold', 'signed'], decoration: 'matches' },
      { type: 'resource', value: 'image' },
    ]);
    expect([filter.acceptsRepository('a/b'), filter.acceptsRepository('b/b')]).toEqual([true, false]);
    expect([filter.acceptsTag('v1'), filter.acceptsTag('v1-rc'), filter.acceptsTag('')]).toEqual([true, false, false]);
    expect([filter.acceptsLabels(['gold', 'signed', 'x']), filter.acceptsLabels(['gold'])]).toEqual([true, false]);
    const manifest = 'application/vnd.oci.image.manifest.v1+json';
    expect(filter.acceptsKind(manifest, 'application/vnd.oci.image.config.v1+json')).toBe(true);
    expect(filter.acceptsKind(manifest, 'application/vnd.cncf.helm.config.v1+json')).toBe(false);
  });

  it('takes everything without filters, and what lacks a label when that excludes', () => {
    const open = new ArtifactFilter([]);
    expect(open.acceptsRepository('x/y') && open.acceptsTag('') && open.acceptsLabels([])).toBe(true);
    const excluding = new ArtifactFilter([{ type: 'label', value: ['old'], decoration: 'excludes' }]);
    expect([excluding.acceptsLabels([]), excluding.acceptsLabels(['old'])]).toEqual([true, false]);
  });
});

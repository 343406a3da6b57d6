import fc from 'fast-check';
import { isVicError } from '@vic/errors';
import { expect, test } from 'vitest';
import { canonicalReference, familiarReference, parseReference, withTag } from './index.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

test.each([
  ['busybox', 'docker.io/library/busybox', 'busybox'],
  ['busybox:1.35', 'docker.io/library/busybox:1.35', 'busybox:1.35'],
  ['docker.io/busybox', 'docker.io/library/busybox', 'busybox'],
  ['index.docker.io/library/busybox', 'docker.io/library/busybox', 'busybox'],
  ['library/busybox', 'docker.io/library/busybox', 'busybox'],
  ['vmware/admiral:v1', 'docker.io/vmware/admiral:v1', 'vmware/admiral:v1'],
  ['localhost/a', 'localhost/a', 'localhost/a'],
  ['reg.local:5000/a/b:t', 'reg.local:5000/a/b:t', 'reg.local:5000/a/b:t'],
  ['[::1]:5000/a', '[::1]:5000/a', '[::1]:5000/a'],
  ['a:5000/b', 'a:5000/b', 'a:5000/b'],
  ['gcr.io/google_containers/pause__x:3', 'gcr.io/google_containers/pause__x:3', 'gcr.io/google_containers/pause__x:3'],
  [`busybox@${DIGEST}`, `docker.io/library/busybox@${DIGEST}`, `busybox@${DIGEST}`],
  [`a.b/c:t@${DIGEST}`, `a.b/c:t@${DIGEST}`, `a.b/c:t@${DIGEST}`],
])('%s is %s, shown as %s', (text, canonical, familiar) => {
  const reference = parseReference(text);
  expect(canonicalReference(reference)).toBe(canonical);
  expect(familiarReference(reference)).toBe(familiar);
});

test('the default tag is added only where there is neither tag nor digest', () => {
  expect(withTag(parseReference('a')).tag).toBe('latest');
  expect(withTag(parseReference('a:b')).tag).toBe('b');
  expect(withTag(parseReference(`a@${DIGEST}`)).tag).toBeUndefined();
});

test.each([
  '',
  ' ',
  'A',
  'a b',
  'a/',
  '/a',
  'a//b',
  'a:',
  'a:b:c',
  'a@',
  'a@sha256:12',
  'a..b',
  '-a',
  'a/../b',
  'http://a/b',
  'a\n',
  `a:${'t'.repeat(129)}`,
  'x'.repeat(600),
  `d.e/${'x/'.repeat(126)}x`,
])('%j is refused', (text) => {
  expect(() => parseReference(text)).toThrow('invalid reference format');
});

test('upper case and image ids are refused with the reason', () => {
  expect(() => parseReference('lib/Busybox')).toThrow('repository name (lib/Busybox) must be lowercase');
  expect(() => parseReference('a'.repeat(64))).toThrow('cannot specify 64-byte hexadecimal strings');
});

test('whatever is accepted survives its canonical and its familiar form', () => {
  const piece = fc.stringMatching(/^[a-z0-9.:/@_-]{1,40}$/);
  fc.assert(
    fc.property(fc.oneof(piece, fc.string({ maxLength: 60 })), (text) => {
      let reference;
      try {
        reference = parseReference(text);
      } catch (error) {
        if (isVicError(error, { class: 'InvalidArgument' })) return;
        throw error;
      }
      expect(parseReference(canonicalReference(reference))).toEqual(reference);
      expect(parseReference(familiarReference(reference))).toEqual(reference);
    }),
    { numRuns: 2000 },
  );
});

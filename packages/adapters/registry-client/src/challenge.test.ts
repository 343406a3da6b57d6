import { expect, test } from 'vitest';
import { parseChallenge } from './challenge.ts';

test('bearer and basic challenges are read', () => {
  expect(parseChallenge('Basic realm="x"')).toEqual({ scheme: 'basic' });
  expect(parseChallenge('Bearer realm="https://a/t?x=1,2",service="r e g",scope="repository:a/b:pull,push"')).toEqual({
    scheme: 'bearer',
    realm: 'https://a/t?x=1,2',
    service: 'r e g',
    scope: 'repository:a/b:pull,push',
  });
  expect(parseChallenge('bearer REALM="https://a/\\"t" , service=reg')).toMatchObject({ service: 'reg' });
});

test.each([
  '',
  'Digest realm="x"',
  'Bearer',
  'Bearer realm="ftp://a"',
  'Bearer realm="https://a" service="b"',
  'Bearer realm="https://a',
  `Bearer realm="https://a",x="${'y'.repeat(5000)}"`,
])('a challenge that is malformed or unknown is none (%#)', (line) => {
  expect(parseChallenge(line)).toBeUndefined();
});

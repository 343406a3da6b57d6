import { expect, it } from 'vitest';
import { randomHexId, randomUuid, shortId } from './index.ts';

it('randomHexId() gives 64 digits, never twice the same', () => {
  expect(randomHexId()).toMatch(/^[0-9a-f]{64}$/);
  expect(randomHexId()).not.toBe(randomHexId());
  expect(randomUuid()).toMatch(/^[0-9a-f-]{36}$/);
});

it('shortId() drops the algorithm and keeps twelve digits', () => {
  expect(shortId('sha256:0123456789abcdef')).toBe('0123456789ab');
});

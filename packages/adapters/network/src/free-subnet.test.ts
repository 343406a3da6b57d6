import { describe, expect, it } from 'vitest';
import { chooseFreeSubnet } from './index.ts';

describe('chooseFreeSubnet()', () => {
  it('gives a private /24 that overlaps nothing in use', () => {
    expect(chooseFreeSubnet([])).toBe('192.168.254.0/24');
    expect(chooseFreeSubnet(['192.168.254.7/32', '192.168.253.0/24'])).toBe('192.168.252.0/24');
    expect(chooseFreeSubnet(['192.168.0.0/16'])).toBe('10.213.0.0/24');
  });

  it('says so when there is none', () => {
    expect(() => chooseFreeSubnet(['0.0.0.0/1', '128.0.0.0/1'])).toThrow(/already has a route/);
  });
});

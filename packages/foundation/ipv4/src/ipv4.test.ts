import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  containsAddress,
  formatIpv4,
  formatIpv4Network,
  isInIpv4Range,
  networksOverlap,
  parseIpv4,
  parseIpv4Interface,
  parseIpv4Network,
} from './index.ts';

const address = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const prefix = fc.integer({ min: 0, max: 32 });

describe('IPv4 addresses', () => {
  it('parseIpv4() reads what formatIpv4() writes', () => {
    fc.assert(fc.property(address, (number) => parseIpv4(formatIpv4(number)) === number));
  });

  it.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '01.2.3.4',
    '1.2.3.4 ',
    ' 1.2.3.4',
    '1.2.3.-4',
    '::1',
    '1.2.3.4/8',
    '0x1.2.3.4',
  ])('parseIpv4() refuses %j', (text) => {
    expect(() => parseIpv4(text)).toThrow(/is not an IPv4 address/);
  });

  it('a network contains every address of it and no other', () => {
    fc.assert(
      fc.property(address, prefix, address, (base, prefixLength, other) => {
        const { network } = parseIpv4Interface(`${formatIpv4(base)}/${prefixLength}`);
        const same = prefixLength === 0 || base >>> (32 - prefixLength) === other >>> (32 - prefixLength);
        expect(containsAddress(network, base)).toBe(true);
        expect(containsAddress(network, other)).toBe(same);
      }),
    );
  });

  it('networksOverlap() tells whether one lies in the other', () => {
    fc.assert(
      fc.property(address, prefix, address, prefix, (a, aLength, b, bLength) => {
        const left = parseIpv4Interface(`${formatIpv4(a)}/${aLength}`).network;
        const right = parseIpv4Interface(`${formatIpv4(b)}/${bLength}`).network;
        const nested = containsAddress(left, right.base) || containsAddress(right, left.base);
        expect(networksOverlap(left, right)).toBe(nested);
        expect(networksOverlap(right, left)).toBe(nested);
      }),
    );
  });

  it('parseIpv4Network() refuses host bits and names the network', () => {
    expect(formatIpv4Network(parseIpv4Network('172.16.0.0/12'))).toBe('172.16.0.0/12');
    expect(() => parseIpv4Network('172.16.0.1/12')).toThrow(
      '172.16.0.1/12 has host bits set; the network is 172.16.0.0/12.',
    );
    for (const text of ['172.16.0.0', '172.16.0.0/33', '172.16.0.0/', '172.16.0.0/08', '/8']) {
      expect(() => parseIpv4Network(text)).toThrow(/is not an IPv4 address/);
    }
  });

  it('isInIpv4Range() knows the addresses of a range and takes nothing else for one', () => {
    expect(isInIpv4Range('10.1.0.0/16', '10.1.255.255')).toBe(true);
    expect(isInIpv4Range('10.1.2.3/16', '10.1.0.1')).toBe(true);
    expect(isInIpv4Range('10.1.0.0/16', '10.2.0.0')).toBe(false);
    for (const range of ['10.1.0.0', '10.1.0.0/33', '10.1.0.0/', 'fe80::/10', 'example.com/16']) {
      expect(isInIpv4Range(range, '10.1.0.0')).toBe(false);
    }
    expect(isInIpv4Range('0.0.0.0/0', 'example.com')).toBe(false);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  chooseFreeSubnet,
  containsAddress,
  formatIpv4,
  formatIpv4Network,
  interfaceNameFor,
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
});

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

describe('interfaceNameFor()', () => {
  it('is valid, stable, and different for different keys', () => {
    const name = interfaceNameFor('br', 'VM Network');
    expect(name).toMatch(/^br[0-9a-f]{10}$/);
    expect(interfaceNameFor('br', 'VM Network')).toBe(name);
    expect(interfaceNameFor('br', 'vm network')).not.toBe(name);
    expect(() => interfaceNameFor('too-long', 'x')).toThrow(/not a valid interface name/);
  });
});

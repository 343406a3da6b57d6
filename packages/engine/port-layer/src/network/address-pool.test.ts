import { describe, expect, it } from 'vitest';
import { AddressPool } from './address-pool.ts';
import { macOf } from './mac.ts';

describe('AddressPool', () => {
  it('take() gives the lowest free address and never a reserved, network or broadcast one', () => {
    const pool = new AddressPool('10.0.0.0/29', ['10.0.0.1']);
    const taken = [pool.take(), pool.take(), pool.take(), pool.take(), pool.take()];
    expect(taken).toEqual(['10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5', '10.0.0.6']);
    expect(() => pool.take()).toThrow(/no available IPv4 addresses/);
    pool.give('10.0.0.4');
    expect(pool.take()).toBe('10.0.0.4');
  });

  it('takeExactly() refuses an address that is held or outside', () => {
    const pool = new AddressPool('10.0.0.0/29', ['10.0.0.1']);
    expect(pool.takeExactly('10.0.0.5')).toBe('10.0.0.5');
    expect(() => pool.takeExactly('10.0.0.5')).toThrow('Address already in use: 10.0.0.5');
    for (const outside of ['10.0.0.0', '10.0.0.7', '10.0.0.8', '192.168.0.1', 'x', '10.0.0.05']) {
      expect(() => pool.takeExactly(outside)).toThrow(/does not belong/i);
    }
    expect(() => pool.takeExactly('10.0.0.1')).toThrow(/in use/);
  });

  it('take() goes past addresses taken by name', () => {
    const pool = new AddressPool('10.0.0.0/24', ['10.0.0.1']);
    pool.takeExactly('10.0.0.2');
    expect(pool.take()).toBe('10.0.0.3');
  });
});

describe('macOf()', () => {
  it("stays in vCenter's static range, goes with the address, and tells addresses and VCHs apart", () => {
    const addresses = ['172.16.0.2', '172.16.0.3', '172.31.255.254', '10.255.1.2'];
    const macs = ['one', 'two'].flatMap((vch) => addresses.map((address) => macOf(vch, address)));
    for (const mac of macs) expect(mac).toMatch(/^00:50:56:[0-3][0-9a-f]:[0-9a-f]{2}:[0-9a-f]{2}$/);
    expect(new Set(macs).size).toBe(macs.length);
    expect(macOf('one', '172.16.0.2')).toBe(macs[0]);
  });
});

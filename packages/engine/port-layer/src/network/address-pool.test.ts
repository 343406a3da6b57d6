import { describe, expect, it } from 'vitest';
import { AddressPool } from './address-pool.ts';
import { macFromAddress } from './mac.ts';

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

describe('macFromAddress()', () => {
  it("stays in vCenter's static range and tells addresses apart", () => {
    expect(macFromAddress('172.16.0.2')).toBe('00:50:56:10:00:02');
    expect(macFromAddress('172.31.255.254')).toBe('00:50:56:1f:ff:fe');
    expect(macFromAddress('10.255.1.2')).toBe('00:50:56:3f:01:02');
  });
});

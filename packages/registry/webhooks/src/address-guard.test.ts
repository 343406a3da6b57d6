import { describe, expect, it } from 'vitest';
import { AddressGuard } from './index.ts';

describe('AddressGuard', () => {
  it('closes this machine, links, metadata services and what is no machine', () => {
    const { check } = new AddressGuard();
    for (const address of [
      '127.0.0.1',
      '127.9.9.9',
      '0.0.0.0',
      '169.254.169.254',
      '100.100.100.200',
      '224.0.0.1',
      '255.255.255.255',
      '::1',
      '::',
      'fe80::1%eth0',
      'fd00:ec2::254',
      'ff02::1',
      '::ffff:169.254.169.254',
      '::ffff:7f00:1',
      '::127.0.0.1',
    ]) {
      expect(() => check(address), address).toThrow('may not be sent');
    }
  });

  it('leaves private and public networks open', () => {
    const { check } = new AddressGuard();
    for (const address of ['10.0.0.1', '192.168.1.1', '172.16.0.1', '93.184.216.34', 'fd12::1', '2606:4700::1']) {
      expect(() => check(address), address).not.toThrow();
    }
  });

  it('opens what an administrator allows', () => {
    const { check } = new AddressGuard(['127.0.0.0/8', '::1', '169.254.1.2']);
    for (const address of ['127.0.0.1', '::1', '169.254.1.2', '::ffff:127.0.0.1']) {
      expect(() => check(address), address).not.toThrow();
    }
    expect(() => check('169.254.169.254')).toThrow('may not be sent');
  });
});

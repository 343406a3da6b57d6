import { describe, expect, it } from 'vitest';
import { decodeVchConfiguration, decodeVchSecrets, encodeVchConfiguration, networkOf } from './index.ts';
import { sampleConfiguration as configuration } from './testing/index.ts';

const secrets = { vimPassword: 'password', serverKey: 'server key', containerKey: 'container key' };

describe('the configuration of a VCH', () => {
  it('comes back from extraConfig as it was written, secrets apart from it', () => {
    const extraConfig = encodeVchConfiguration(configuration, secrets);
    expect(decodeVchConfiguration(extraConfig)).toEqual(configuration);
    expect(decodeVchSecrets(extraConfig)).toEqual(secrets);
    const readable = Object.entries(extraConfig).filter(([key]) => !(key.split('.').at(-1) ?? '').startsWith('secret'));
    for (const secret of Object.values(secrets)) expect(JSON.stringify(readable)).not.toContain(secret);
  });

  it('is absent from machines that are no endpoints', () => {
    expect(decodeVchConfiguration({ 'guestinfo.other': 'x' })).toBeUndefined();
  });

  it.each<[unknown, RegExp]>([
    ['not JSON', /it is not JSON/],
    [[], /"configuration" is not an object/],
    [{ ...configuration, formatVersion: 2 }, /has format 2; this program reads format 1/],
    [{ ...configuration, id: 5 }, /"id" is not a string/],
    [{ ...configuration, networks: [] }, /one bridge and one public network/],
    [{ ...configuration, baseImageSizeBytes: -1 }, /"baseImageSizeBytes" is not a whole number/],
    [{ ...configuration, dnsServers: [1] }, /"dnsServers" holds something that is not a string/],
    [{ ...configuration, tls: { ...configuration.tls, mode: 'x' } }, /"mode" is not one of/],
  ])('names what is wrong with %j', (value, message) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    expect(() => decodeVchConfiguration({ 'guestinfo.vch.configuration': text })).toThrow(message);
  });

  it('networkOf() gives the network of a role', () => {
    expect(networkOf(configuration, 'bridge').portGroup).toBe('vch');
  });
});

import { describe, expect, it } from 'vitest';
import { decodeVchConfiguration, decodeVchSecrets, encodeVchConfiguration, networkOf } from './index.ts';
import type { VchConfiguration } from './index.ts';

const configuration: VchConfiguration = {
  formatVersion: 1,
  id: '0d1e',
  name: 'vch',
  createdByVersion: '0.1.0',
  debug: 0,
  networks: [
    { role: 'public', portGroup: 'VM Network', mac: '00:50:56:80:00:01', address: '10.0.0.10/24', gateway: '10.0.0.1' },
    { role: 'bridge', portGroup: 'vch', mac: '00:50:56:80:00:02', address: '172.16.0.1/16', gateway: undefined },
  ],
  bridgeRange: '172.16.0.0/12',
  bridgeWidth: 16,
  dnsServers: ['8.8.8.8'],
  folder: '[ds] VIC/0d1e',
  imageStore: '[ds] VIC/0d1e/images',
  baseImageSizeBytes: 8 * 2 ** 30,
  resourcePool: { type: 'ResourcePool', value: 'pool-1' },
  vmFolder: { type: 'Folder', value: 'ha-folder-vm' },
  bootstrapIso: '[ds] VIC/boot/bootstrap.iso',
  containerNameConvention: '{name}-{id}',
  defaultContainer: { cpus: 1, memoryMiB: 512 },
  registries: {
    insecure: ['r:5000'],
    certificateAuthorities: [],
    httpProxy: 'http://p',
    httpsProxy: undefined,
    noProxy: undefined,
  },
  tls: { mode: 'tls-verify', serverCertificate: 'certificate', clientCertificateAuthorities: ['ca'] },
  vim: { url: 'https://10.0.0.2/sdk', thumbprint: 'AA', user: 'root' },
};
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

import type { VchConfiguration } from '../configuration.ts';

/** A configuration with every kind of field in it, for tests. */
export const sampleConfiguration: VchConfiguration = {
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

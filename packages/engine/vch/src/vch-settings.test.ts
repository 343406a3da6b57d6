import { describe, expect, it } from 'vitest';
import { checkVchOptions, parseDuration, parseTarget, targetUrl } from './index.ts';
import type { VchOptions } from './index.ts';
import { parseSize } from './size.ts';
import { vchOptions } from './testing/vch-options.ts';

describe('checkVchOptions()', () => {
  it('fills in the defaults of the original', () => {
    expect(checkVchOptions(vchOptions({ name: undefined }))).toMatchObject({
      name: 'virtual-container-host',
      baseImageSizeBytes: 8 * 2 ** 30,
      bridgeRange: '172.16.0.0/12',
      bridgeWidth: 16,
      publicNetwork: 'VM Network',
      dnsServers: ['8.8.8.8', '8.8.4.4'],
      endpointCpus: 1,
      endpointMemoryMb: 2048,
      tlsMode: 'tls-verify',
      containerNameConvention: '{name}-{id}',
      organization: 'virtual-container-host',
    });
  });

  it.each<[Partial<VchOptions>, RegExp]>([
    [{ name: 'x'.repeat(32) }, /exceeds the permitted 31 characters limit/],
    [{ name: 'a/b' }, /not allowed: \//],
    [{ name: '' }, /not allowed/],
    [{ imageStore: 'ds/../x' }, /image store/],
    [{ baseImageSize: 'huge' }, /is not a size/],
    [{ baseImageSize: '1MB' }, /64MB or larger/],
    [{ bridgeNetworkRange: '172.16.0.0/24' }, /must be \/16 or larger network/],
    [{ bridgeNetworkRange: '172.16.1.0/12' }, /host bits/],
    [{ bridgeNetworkWidth: 31 }, /Width must be an integer less than 31/],
    [{ bridgeNetworkWidth: 8 }, /Width must be larger than prefix/],
    [{ publicNetworkGateway: undefined }, /public network must have both static IP and gateway specified/],
    [{ publicNetworkIp: undefined }, /Gateway provided without static IP for public network/],
    [{ publicNetworkGateway: '10.0.1.1' }, /public gateway with IP 10.0.1.1 is not reachable from 10.0.0.10\/24/],
    [
      { publicNetworkIp: '172.17.0.5/24', publicNetworkGateway: '172.17.0.1' },
      /overlaps with the bridge network range/,
    ],
    [{ bridgeNetwork: 'VM Network' }, /must not be shared with another network role/],
    [{ dnsServers: ['1.1.1.1', '1.1.1.2', '1.1.1.3', '1.1.1.4'] }, /Maximum of three DNS servers/],
    [{ dnsServers: ['dns.example.com'] }, /is not an IPv4 address/],
    [{ memoryMb: -1 }, /--memory must be 1 or more/],
    [{ memoryMb: 512, memoryReservationMb: 513 }, /--memory-reservation must not be above --memory/],
    [{ cpuReservationMhz: -1 }, /--cpu-reservation must be 0 or more/],
    [{ cpuShares: 'most' }, /--cpu-shares must be low, normal, high or a number/],
    [{ memoryShares: '1000001' }, /--memory-shares must be low, normal, high or a number/],
    [{ endpointMemory: 64 }, /--endpoint-memory must be 256 or more/],
    [{ insecureRegistries: ['http://registry'] }, /invalid format for registry server/],
    [{ httpProxy: 'proxy:3128' }, /Could not parse --http-proxy/],
    [{ httpsProxy: 'ftp://proxy' }, /Could not parse --https-proxy/],
    [{ containerNameConvention: 'fixed' }, /must include {id} or {name} token/],
  ])('refuses %j', (changes, message) => {
    expect(() => checkVchOptions(vchOptions(changes))).toThrow(message);
  });

  it.each([
    ['ds', 'ds', ''],
    ['ds/a b/c', 'ds', 'a b/c'],
    ['[my ds] a/b', 'my ds', 'a/b'],
    ['[my ds]', 'my ds', ''],
    ['ds://ds1/x', 'ds1', 'x'],
  ])('reads the image store %j', (imageStore, datastore, folder) => {
    expect(checkVchOptions(vchOptions({ imageStore })).imageStore).toEqual({ datastore, folder });
  });

  it('a limit of 0 is no limit, as it was', () => {
    expect(checkVchOptions(vchOptions({ memoryMb: 0 })).memory.limit).toBeUndefined();
  });
});

describe('parseTarget()', () => {
  it('reads host, port, data center and credentials', () => {
    expect(parseTarget('vc.example.com')).toMatchObject({ host: 'vc.example.com', port: 443, datacenter: undefined });
    expect(parseTarget('root:p%40ss@10.0.0.1:8443/dc 1')).toEqual({
      host: '10.0.0.1',
      port: 8443,
      datacenter: 'dc 1',
      user: 'root',
      password: 'p@ss',
    });
    expect(targetUrl(parseTarget('https://[fd00::1]/sdk'))).toBe('https://[fd00::1]/sdk');
    expect(targetUrl(parseTarget('h:8443'))).toBe('https://h:8443/sdk');
  });

  it('refuses what is no server', () => {
    expect(() => parseTarget(undefined)).toThrow('--target argument must be specified');
    expect(() => parseTarget('http://plain')).toThrow(/not a vSphere server/);
    expect(() => parseTarget('a b')).toThrow(/not a vSphere server/);
  });
});

describe('sizes and durations', () => {
  it.each([
    ['8GB', 8 * 2 ** 30],
    ['8g', 8 * 2 ** 30],
    ['1.5GiB', 1.5 * 2 ** 30],
    ['100', 100 * 2 ** 20],
    ['512 MB', 512 * 2 ** 20],
  ])('parseSize() reads %j', (text, bytes) => {
    expect(parseSize(text, '--x')).toBe(bytes);
  });

  it.each([
    ['3m', 180_000],
    ['3m0s', 180_000],
    ['90s', 90_000],
    ['1h30m', 5_400_000],
  ])('parseDuration() reads %j', (text, ms) => {
    expect(parseDuration(text, '--timeout')).toBe(ms);
  });

  it.each(['', '3', 'm', '-3m', '3m3h'])('parseDuration() refuses %j', (text) => {
    expect(() => parseDuration(text, '--timeout')).toThrow(/is not a duration/);
  });
});

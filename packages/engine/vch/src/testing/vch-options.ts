import type { VchOptions } from '../index.ts';

/** Options of a VCH that is fine, with changes. */
export function vchOptions(changes: Partial<VchOptions> = {}): VchOptions {
  return {
    name: 'vch',
    computeResource: undefined,
    imageStore: undefined,
    baseImageSize: undefined,
    bridgeNetwork: undefined,
    bridgeNetworkRange: undefined,
    bridgeNetworkWidth: undefined,
    publicNetwork: undefined,
    publicNetworkIp: '10.0.0.10/24',
    publicNetworkGateway: '10.0.0.1',
    dnsServers: [],
    memoryMb: undefined,
    memoryReservationMb: undefined,
    memoryShares: undefined,
    cpuMhz: undefined,
    cpuReservationMhz: undefined,
    cpuShares: undefined,
    endpointCpu: undefined,
    endpointMemory: undefined,
    tlsCname: undefined,
    noTls: false,
    noTlsVerify: false,
    organization: undefined,
    insecureRegistries: [],
    httpProxy: undefined,
    httpsProxy: undefined,
    noProxy: undefined,
    containerNameConvention: undefined,
    debug: undefined,
    ...changes,
  };
}

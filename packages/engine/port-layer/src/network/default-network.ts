import { createHash } from 'node:crypto';
import { VicError } from '@vic/errors';
import type { NetworkId } from '@vic/ids';
import { formatIpv4, formatIpv4Network, parseIpv4Network } from '@vic/ipv4';
import type { ContainerNetwork, NetworkConfiguration } from './network-model.ts';

/** The network `bridge`: the first slice of the VCH's bridge range, with the endpoint as its gateway. */
export function defaultNetwork(configuration: NetworkConfiguration): ContainerNetwork {
  const range = parseIpv4Network(configuration.bridgeRange);
  const prefixLength = configuration.bridgeWidth;
  if (prefixLength < range.prefixLength || prefixLength > 30) {
    throw new VicError({
      class: 'InvalidArgument',
      code: 'NETWORK_WIDTH_INVALID',
      message: `Networks of width /${prefixLength} cannot be carved from ${configuration.bridgeRange}.`,
    });
  }
  return {
    id: createHash('sha256').update(`${configuration.vchId}/bridge`).digest('hex') as NetworkId,
    name: 'bridge',
    driver: 'bridge',
    subnet: formatIpv4Network({ base: range.base, prefixLength }),
    gateway: formatIpv4(range.base + 1),
    prefixLength,
  };
}

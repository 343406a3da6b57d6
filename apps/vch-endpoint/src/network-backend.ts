import { createHash } from 'node:crypto';
import type { NetworkId } from '@vic/ids';
import type { NetworkBackend, NetworkDescription } from '@vic/personality-docker';
import type { ContainerNetworks } from '@vic/port-layer';

/** The VCH's networks as the Docker personality needs them: those of the port layer, and `none`. */
export function networkBackend(networks: ContainerNetworks, vchId: string, createdAt: string): NetworkBackend {
  const shared = { createdAt, internal: false, labels: {} };
  const none: NetworkDescription = {
    ...shared,
    id: createHash('sha256').update(`${vchId} none`).digest('hex') as NetworkId,
    name: 'none',
    driver: 'null',
    subnet: undefined,
    gateway: undefined,
  };
  return {
    list: () => [
      ...networks
        .list()
        .map(({ id, name, driver, subnet, gateway }) => ({ ...shared, id, name, driver, subnet, gateway })),
      none,
    ],
  };
}

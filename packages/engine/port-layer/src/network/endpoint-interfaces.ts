import { addAddress, listLinks, setDefaultRoute, setLinkUp, writeNetworkSetting } from '@vic/network';
import type { Link } from '@vic/network';
import type { ContainerNetwork, NetworkConfiguration } from './network-model.ts';
import { interfaceMissing } from './network-errors.ts';

/** Names of the endpoint's interfaces. */
export interface EndpointInterfaces {
  readonly publicInterface: string;
  readonly bridgeInterface: string;
}

/**
 * Gives the endpoint's NICs, found by MAC, their addresses and makes it a router.
 *
 * Can be repeated: after a restart of the endpoint everything is as it was.
 */
export async function configureInterfaces(
  configuration: NetworkConfiguration,
  network: ContainerNetwork,
  signal: AbortSignal,
): Promise<EndpointInterfaces> {
  const scope = { signal };
  const links = await listLinks(scope);
  const publicInterface = nameByMac(links, 'public', configuration.public.mac);
  const bridgeInterface = nameByMac(links, 'bridge', configuration.bridge.mac);
  for (const name of ['lo', publicInterface, bridgeInterface]) await setLinkUp(scope, name, true);
  await addAddress(scope, publicInterface, configuration.public.address);
  await addAddress(scope, bridgeInterface, `${network.gateway}/${network.prefixLength}`);
  if (configuration.public.gateway !== undefined) await setDefaultRoute(scope, configuration.public.gateway);
  await writeNetworkSetting(scope, 'ipv4/ip_forward', '1');
  return { publicInterface, bridgeInterface };
}

function nameByMac(links: readonly Link[], role: string, mac: string): string {
  const link = links.find((candidate) => candidate.mac === mac.toLowerCase());
  if (link === undefined) throw interfaceMissing(role, mac);
  return link.name;
}

import { VicError } from '@vic/errors';
import type { VimClient } from '@vic/vim-client';
import { planBridge } from './bridge-port-group.ts';
import { listVchs } from './list-vchs.ts';
import type { FoundVch } from './list-vchs.ts';
import { invalidOption, notFound } from './vch-error.ts';
import type { VchPlace } from './vch-place.ts';
import type { VchSettings } from './vch-settings.ts';

/** Checks what can only be checked against the inventory; throws with suggestions, changes nothing. */
export async function checkAgainstInventory(
  client: VimClient,
  settings: VchSettings,
  place: VchPlace,
  signal: AbortSignal,
) {
  const existing = await listVchs(client, signal);
  const { name } = settings;
  if (existing.some((vch) => vch.name === name)) {
    throw new VicError({
      class: 'AlreadyExists',
      code: 'VCH_EXISTS',
      message: `A VCH with the name "${name}" already exists. Please choose a different name before attempting another install.`,
      remedy: 'Choose another --name, or delete the one there is with vic-machine delete.',
    });
  }
  if (!place.networkNames.includes(settings.publicNetwork)) {
    throw notFound('network', settings.publicNetwork, place.networkNames, '--public-network');
  }
  const bridge = planBridge(settings, place, existing, client.isVirtualCenter);
  const publicAddress = requirePublicAddress(settings, existing);
  return { bridge, publicAddress };
}

function requirePublicAddress(
  settings: VchSettings,
  existing: readonly FoundVch[],
): { readonly cidr: string; readonly gateway: string } {
  const { publicAddress, publicNetwork } = settings;
  const address = (cidr: string): string => cidr.replace(/\/.*/, '');
  const neighbours = existing
    .flatMap((vch) => vch.configuration?.networks ?? [])
    .filter((network) => network.portGroup === publicNetwork);
  const taken = neighbours.map((network) => address(network.address));
  if (publicAddress === undefined) {
    const [neighbour] = neighbours;
    const free = neighbour === undefined ? undefined : nextFree(address(neighbour.address), taken);
    const example =
      neighbour === undefined || free === undefined
        ? 'an address of that network that nobody uses'
        : `for example --public-network-ip ${free}/${neighbour.address.split('/')[1] ?? '24'} --public-network-gateway ${neighbour.gateway ?? ''}`;
    throw new VicError({
      class: 'NotSupported',
      code: 'VCH_DHCP_NOT_SUPPORTED',
      message: `The address of the public network "${publicNetwork}" must be given: DHCP is not supported yet.`,
      remedy: `Add --public-network-ip and --public-network-gateway: ${example}.`,
    });
  }
  if (taken.includes(address(publicAddress.cidr))) {
    throw invalidOption(
      `The address ${address(publicAddress.cidr)} is used by another virtual container host.`,
      'Give --public-network-ip an address that nobody uses.',
    );
  }
  return publicAddress;
}

function nextFree(start: string, taken: readonly string[]): string | undefined {
  const prefix = start.replace(/\d+$/, '');
  const first = Number(start.split('.').at(-1));
  return Array.from({ length: 254 - first }, (_unused, index) => `${prefix}${first + 1 + index}`).find(
    (candidate) => !taken.includes(candidate),
  );
}

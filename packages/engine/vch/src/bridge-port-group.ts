import { isFault } from '@vic/vim';
import { VicError } from '@vic/errors';
import { properties } from '@vic/vim-client';
import type { VimClient } from '@vic/vim-client';
import type { FoundVch } from './list-vchs.ts';
import { invalidOption, notFound } from './vch-error.ts';
import type { VchPlace } from './vch-place.ts';
import type { VchSettings } from './vch-settings.ts';

/** The port group a VCH's containers are on. */
export interface BridgePlan {
  readonly name: string;
  /** Whether it is to be made, and removed with the VCH. */
  readonly create: boolean;
}

/** Decides on the bridge network; nobody else may be on it, since whoever is on it is among the containers. */
export function planBridge(
  settings: VchSettings,
  place: Pick<VchPlace, 'networkNames'>,
  existing: readonly FoundVch[],
  isVirtualCenter: boolean,
): BridgePlan {
  const name = settings.bridgeNetwork ?? settings.name;
  const exists = place.networkNames.includes(name);
  if (isVirtualCenter && settings.bridgeNetwork === undefined) {
    throw invalidOption(
      'An existing distributed port group or opaque network must be specified for bridge network on vCenter.',
      `Suggested values for --bridge-network: ${place.networkNames.map((network) => `"${network}"`).join(', ')}`,
    );
  }
  if (isVirtualCenter && !exists) throw notFound('network', name, place.networkNames, '--bridge-network');
  if (!exists) return { name, create: true };
  if (settings.bridgeNetwork === undefined) {
    throw invalidOption(
      `There is a network ${name} already, which the bridge network of the virtual container host would be named.`,
      'Choose another --name, or say --bridge-network to use the network that is there.',
    );
  }
  const user = existing.find((vch) => vch.configuration?.networks.some((network) => network.portGroup === name));
  if (user !== undefined) {
    throw invalidOption(
      `The bridge network must not be shared with another network role: ${name} is used by the virtual container host ${user.name}.`,
      'Give --bridge-network a port group of its own, or leave it out.',
    );
  }
  return { name, create: false };
}

/** Makes the port group on a virtual switch of its own, without physical adapters. */
export async function createBridge(
  client: VimClient,
  place: VchPlace,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const networkSystem = await networkSystemOf(client, place, signal);
  await client.call(networkSystem, 'AddVirtualSwitch', { vswitchName: name, spec: { numPorts: 1024 } }, { signal });
  try {
    const portgrp = { name, vlanId: 0, vswitchName: name, policy: {} };
    await client.call(networkSystem, 'AddPortGroup', { portgrp }, { signal });
  } catch (error) {
    await client.call(networkSystem, 'RemoveVirtualSwitch', { vswitchName: name });
    throw error;
  }
}

/** Removes what {@link createBridge} made, whatever is left of it. */
export async function removeBridge(client: VimClient, place: VchPlace, name: string): Promise<void> {
  const networkSystem = await networkSystemOf(client, place, undefined);
  const gone = (error: unknown): void => {
    if (!isFault(error, 'NotFound')) throw error;
  };
  await client.call(networkSystem, 'RemovePortGroup', { pgName: name }).catch(gone);
  await client.call(networkSystem, 'RemoveVirtualSwitch', { vswitchName: name }).catch(gone);
}

async function networkSystemOf(client: VimClient, place: VchPlace, signal: AbortSignal | undefined) {
  const { configManager } = await properties(client, place.host, ['configManager'], { signal });
  if (configManager?.networkSystem !== undefined) return configManager.networkSystem;
  throw new VicError({
    class: 'PermissionDenied',
    code: 'VCH_HOST_NETWORK_UNREADABLE',
    message: 'The network configuration of the host cannot be read.',
    remedy: 'Use a user with the privilege Host.Configuration.Network.',
  });
}

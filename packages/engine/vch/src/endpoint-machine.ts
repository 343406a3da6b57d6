import { isA, make } from '@vic/vim';
import type {
  ManagedObjectReference,
  VirtualDevice,
  VirtualDeviceConfigSpec,
  VirtualMachineConfigSpec,
} from '@vic/vim';
import { VicError } from '@vic/errors';
import { properties } from '@vic/vim-client';
import type { VimClient } from '@vic/vim-client';
import type { VchSettings } from './vch-settings.ts';

/** Name of the program that is the endpoint, in hostd's list of programs. */
const ENDPOINT_PROGRAM = 'vch-endpoint';

/** The endpoint VM as it is created; its configuration follows once the server has given its NICs their MACs. */
export function endpointMachine(
  settings: VchSettings,
  vchId: string,
  datastoreName: string,
  portGroups: { readonly public: string; readonly bridge: string },
): VirtualMachineConfigSpec {
  return {
    name: settings.name,
    // The endpoint finds itself in the inventory by it.
    uuid: vchId,
    guestId: 'otherLinux64Guest',
    numCPUs: settings.endpointCpus,
    memoryMB: settings.endpointMemoryMb,
    files: { vmPathName: `[${datastoreName}]` },
    annotation: 'Endpoint of a virtual container host; manage it with vic-machine.',
    deviceChange: [
      add(make('ParaVirtualSCSIController', { key: -1, busNumber: 0, sharedBus: 'noSharing' })),
      add(nic(-2, portGroups.public)),
      add(nic(-3, portGroups.bridge)),
    ],
    extraConfig: [{ key: 'vic.program', value: ENDPOINT_PROGRAM }],
  };
}

/** The MAC of the NIC on each port group. */
export async function readMacs(
  client: VimClient,
  machine: ManagedObjectReference<'VirtualMachine'>,
  signal: AbortSignal,
): Promise<(portGroup: string) => string> {
  const { 'config.hardware': hardware } = await properties(client, machine, ['config.hardware'], { signal });
  return (portGroup) => {
    const mac = hardware?.device?.find((device) => portGroupOf(device) === portGroup);
    if (isA(mac, 'VirtualEthernetCard') && mac.macAddress !== undefined && mac.macAddress !== '') {
      return mac.macAddress.toLowerCase();
    }
    throw new VicError({
      class: 'Unavailable',
      code: 'VCH_NIC_WITHOUT_MAC',
      message: `The server gave the endpoint's network adapter on ${portGroup} no MAC address.`,
    });
  };
}

function portGroupOf(device: VirtualDevice): string | undefined {
  return isA(device.backing, 'VirtualEthernetCardNetworkBackingInfo') ? device.backing.deviceName : undefined;
}

function nic(key: number, portGroup: string): VirtualDevice {
  return make('VirtualVmxnet3', {
    key,
    addressType: 'generated',
    backing: make('VirtualEthernetCardNetworkBackingInfo', { deviceName: portGroup }),
    connectable: { startConnected: true, allowGuestControl: false, connected: true },
  });
}

function add(device: VirtualDevice): VirtualDeviceConfigSpec {
  return { operation: 'add', device };
}

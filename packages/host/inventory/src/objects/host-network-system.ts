import { VimFault, make } from '@vic/vim';
import type { PortGroup } from '../backends/index.ts';
import type { Handlers } from '../model/call.ts';
import { generalFault, invalidArgument, notFound, notSupported, requireName } from '../model/faults.ts';
import type { Host } from '../model/host.ts';
import { ManagedEntity } from '../model/managed-entity.ts';
import { ManagedObject } from '../model/managed-object.ts';
import { WELL_KNOWN } from '../model/well-known.ts';
import { Network } from './network.ts';

interface Switches {
  readonly virtualSwitches: readonly string[];
  readonly portGroups: readonly PortGroup[];
}

const INITIAL: Switches = {
  virtualSwitches: ['vSwitch0'],
  portGroups: [{ name: 'VM Network', virtualSwitch: 'vSwitch0', vlanId: 0 }],
};
const SWITCH_PORTS = 1024;

/** Virtual switches and port groups. */
export class HostNetworkSystem extends ManagedObject {
  readonly #host: Host;
  #switches: Switches = INITIAL;

  constructor(host: Host) {
    super('HostNetworkSystem', WELL_KNOWN.networkSystem.value, host.changes);
    this.#host = host;
  }

  protected readonly properties = {
    networkInfo: () => this.#networkInfo(),
  };

  readonly handlers: Handlers<HostNetworkSystem> = {
    AddVirtualSwitch: async (_self, { vswitchName, spec }) => {
      requireName(vswitchName);
      if (spec?.bridge !== undefined) throw notSupported('Virtual switches of this host have no physical adapters.');
      if (this.#switches.virtualSwitches.includes(vswitchName)) throw alreadyExists(vswitchName);
      await this.#save({ ...this.#switches, virtualSwitches: [...this.#switches.virtualSwitches, vswitchName] });
      return undefined;
    },
    RemoveVirtualSwitch: async (_self, { vswitchName }) => {
      this.#requireSwitch(vswitchName);
      if (this.#switches.portGroups.some((portGroup) => portGroup.virtualSwitch === vswitchName))
        throw inUse(vswitchName);
      await this.#save({
        ...this.#switches,
        virtualSwitches: this.#switches.virtualSwitches.filter((name) => name !== vswitchName),
      });
      return undefined;
    },
    AddPortGroup: async (_self, { portgrp }) => {
      const portGroup = { name: requireName(portgrp.name), virtualSwitch: portgrp.vswitchName, vlanId: portgrp.vlanId };
      if (portGroup.vlanId < 0 || portGroup.vlanId > 4095)
        throw invalidArgument('portgrp.vlanId', 'A VLAN is a number from 0 to 4095.');
      this.#requireSwitch(portGroup.virtualSwitch);
      if (this.#find(portGroup.name) !== undefined) throw alreadyExists(portGroup.name);
      await this.#add(portGroup);
      return undefined;
    },
    RemovePortGroup: async (_self, { pgName }) => {
      await this.#remove(pgName);
      return undefined;
    },
  };

  /** Reads the port groups and makes them real. */
  async restore(): Promise<void> {
    this.#switches = ((await this.#host.store.read('networks')) as Switches | undefined) ?? INITIAL;
    for (const portGroup of this.#switches.portGroups) {
      await this.#host.switches.ensure(portGroup);
      this.#show(portGroup);
    }
    this.touch('networkInfo');
  }

  /** The port group of this name. */
  #find(name: string): PortGroup | undefined {
    return this.#switches.portGroups.find((portGroup) => portGroup.name === name);
  }

  async #add(portGroup: PortGroup): Promise<void> {
    try {
      await this.#host.switches.ensure(portGroup);
      await this.#save({ ...this.#switches, portGroups: [...this.#switches.portGroups, portGroup] });
    } catch (error) {
      throw generalFault(error);
    }
    this.#show(portGroup);
  }

  async #remove(name: string): Promise<void> {
    if (this.#find(name) === undefined) throw notFound(`There is no port group ${name.slice(0, 100)}.`);
    const network = this.#host.objects.all(Network).find((candidate) => candidate.name === name);
    if ((network?.machines().length ?? 0) > 0) throw inUse(name);
    try {
      await this.#host.switches.remove(name);
    } catch (error) {
      throw generalFault(error);
    }
    await this.#save({
      ...this.#switches,
      portGroups: this.#switches.portGroups.filter((portGroup) => portGroup.name !== name),
    });
    if (network !== undefined) {
      this.#host.objects.remove(network);
      network.parent?.touch('childEntity');
    }
  }

  #show(portGroup: PortGroup): void {
    const folder = this.#host.objects.get(WELL_KNOWN.networkFolder, ManagedEntity);
    this.#host.objects.add(new Network(this.#host, portGroup.name, folder));
    folder.touch('childEntity');
  }

  #requireSwitch(name: string): void {
    if (!this.#switches.virtualSwitches.includes(name))
      throw notFound(`There is no virtual switch ${name.slice(0, 100)}.`);
  }

  async #save(switches: Switches): Promise<void> {
    await this.#host.store.write('networks', switches);
    this.#switches = switches;
    this.touch('networkInfo');
    this.#host.objects.get(WELL_KNOWN.host, ManagedEntity).touch('config');
  }

  #networkInfo(): unknown {
    const keyOfGroup = (name: string): string => `key-vim.host.PortGroup-${name}`;
    return {
      vswitch: this.#switches.virtualSwitches.map((name) => ({
        name,
        key: `key-vim.host.VirtualSwitch-${name}`,
        numPorts: SWITCH_PORTS,
        numPortsAvailable: SWITCH_PORTS,
        mtu: 1500,
        portgroup: this.#switches.portGroups
          .filter((group) => group.virtualSwitch === name)
          .map((group) => keyOfGroup(group.name)),
        pnic: [],
        spec: { numPorts: SWITCH_PORTS, mtu: 1500 },
      })),
      portgroup: this.#switches.portGroups.map((group) => ({
        key: keyOfGroup(group.name),
        port: [],
        vswitch: `key-vim.host.VirtualSwitch-${group.virtualSwitch}`,
        computedPolicy: {},
        spec: { name: group.name, vlanId: group.vlanId, vswitchName: group.virtualSwitch, policy: {} },
      })),
      pnic: [],
      vnic: [],
      consoleVnic: [],
    };
  }
}

function alreadyExists(name: string): VimFault {
  return new VimFault({ fault: make('AlreadyExists', { name }), message: `There is a ${name} already.` });
}

function inUse(name: string): VimFault {
  return new VimFault({ fault: make('ResourceInUse', { type: 'Network', name }), message: `${name} is in use.` });
}

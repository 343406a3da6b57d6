import { randomBytes } from 'node:crypto';
import { VicError, isVicError } from '@vic/errors';
import type { PortGroup, SwitchBackend } from '@vic/inventory';
import {
  createBridge,
  createTap,
  createVeth,
  deleteLink,
  findLink,
  interfaceNameFor,
  listLinks,
  setBridge,
} from '@vic/network';
import type { NetworkScope } from '@vic/network';

/** Options of {@link Switches}. */
export interface SwitchesOptions {
  /** Network namespace the bridges are in; the caller's own when absent, as in hostd. */
  readonly namespace?: string;
}

/** Every port we make starts with one of these, so that ports left over can be told from anything else. */
const TAP_PREFIX = 'tap';
const VETH_PREFIX = 'vp';

/**
 * Port groups as Linux bridges, and the ports machines are connected by.
 *
 * A bridge carries a name made from the port group's, so nothing needs to be remembered between runs.
 */
export class Switches implements SwitchBackend {
  readonly #scope: NetworkScope;

  constructor(options: SwitchesOptions = {}) {
    this.#scope = options.namespace === undefined ? {} : { namespace: options.namespace };
  }

  async ensure(portGroup: PortGroup): Promise<void> {
    if (portGroup.vlanId !== 0) throw vlanNotSupported(portGroup);
    const bridge = bridgeNameOf(portGroup.name);
    if ((await findLink(this.#scope, bridge)) !== undefined) return;
    await createBridge(this.#scope, bridge);
  }

  async remove(name: string): Promise<void> {
    const bridge = bridgeNameOf(name);
    if ((await findLink(this.#scope, bridge)) === undefined) return;
    const ports = await listLinks(this.#scope, { bridge });
    if (ports.length > 0) throw inUse(name, ports.length);
    await deleteLink(this.#scope, bridge);
  }

  /** Creates a tap on the port group that only `ownerUid` may open, and gives its name. */
  async createTap(portGroup: string, ownerUid: number): Promise<string> {
    const name = randomPortName(TAP_PREFIX);
    await this.#connected(portGroup, (bridge) => createTap(this.#scope, { name, ownerUid, bridge }), name);
    return name;
  }

  /**
   * Connects a network namespace to the port group through a veth pair.
   *
   * The end inside is called `interfaceName`, has the MAC and is up. Gives the name of the port on this side.
   */
  async createVethPort(portGroup: string, namespace: string, interfaceName: string, mac: string): Promise<string> {
    const name = randomPortName(VETH_PREFIX);
    const inside = { name: interfaceName, namespace, mac };
    await this.#connected(portGroup, (bridge) => createVeth(this.#scope, { name, bridge }, inside), name);
    return name;
  }

  /** Moves a port to another port group, or disconnects it (`undefined`). */
  async movePort(port: string, portGroup: string | undefined): Promise<void> {
    if (portGroup === undefined) await setBridge(this.#scope, port, undefined);
    else await this.#connected(portGroup, (bridge) => setBridge(this.#scope, port, bridge));
  }

  /** Removes a tap; nothing happens when it is gone. */
  async removeTap(name: string): Promise<void> {
    await deleteLink(this.#scope, name);
  }

  /** Removes a veth port together with its end inside the namespace; nothing happens when it is gone. */
  async removeVethPort(name: string): Promise<void> {
    await deleteLink(this.#scope, name);
  }

  /** Names of all taps and veth ports there are, to find those no machine owns. */
  async listPorts(): Promise<readonly string[]> {
    const links = await listLinks(this.#scope);
    return links.map((link) => link.name).filter((name) => PORT_NAME.test(name));
  }

  async #connected(portGroup: string, connect: (bridge: string) => Promise<void>, created?: string): Promise<void> {
    try {
      await connect(bridgeNameOf(portGroup));
    } catch (error) {
      // A port that was made but not connected would stay for ever.
      if (created !== undefined) await deleteLink(this.#scope, created);
      if ((await findLink(this.#scope, bridgeNameOf(portGroup))) === undefined)
        throw unknownPortGroup(portGroup, error);
      throw error;
    }
  }
}

const PORT_NAME = new RegExp(`^(?:${TAP_PREFIX}|${VETH_PREFIX})[0-9a-f]{12}$`);

/** Name of the bridge that is the port group. */
export function bridgeNameOf(portGroup: string): string {
  return interfaceNameFor('br', portGroup);
}

function randomPortName(prefix: string): string {
  return `${prefix}${randomBytes(6).toString('hex')}`;
}

function vlanNotSupported(portGroup: PortGroup): VicError {
  return new VicError({
    class: 'NotSupported',
    code: 'SWITCH_VLAN_NOT_SUPPORTED',
    message: `Port group ${portGroup.name} asks for VLAN ${portGroup.vlanId}; this host has no VLANs.`,
    remedy: 'Use VLAN 0. Each port group is a network of its own already.',
  });
}

function inUse(name: string, ports: number): VicError {
  return new VicError({
    class: 'Conflict',
    code: 'SWITCH_PORT_GROUP_IN_USE',
    message: `Port group ${name} cannot be removed: ${ports} ${ports === 1 ? 'port is' : 'ports are'} connected to it.`,
    remedy: 'Power off the machines that use it, or connect them elsewhere.',
  });
}

function unknownPortGroup(name: string, cause: unknown): VicError {
  const missing = new VicError({
    class: 'NotFound',
    code: 'SWITCH_PORT_GROUP_NOT_FOUND',
    message: `There is no port group ${name} on this host.`,
    cause,
  });
  return isVicError(cause, { class: 'PermissionDenied' }) ? cause : missing;
}

import { Mutex } from '@vic/async';
import { VicError } from '@vic/errors';
import { replaceTable } from '@vic/network';
import type { EndpointInterfaces } from './endpoint-interfaces.ts';
import type { ContainerNetwork, NetworkConfiguration } from './network-model.ts';
import type { PublishedPort } from './port-table.ts';
import { renderRuleset } from './ruleset.ts';

const TABLE = 'vic';

/** The endpoint's packet filter: always the whole ruleset, replaced in one transaction. */
export class EndpointFirewall {
  readonly #network: ContainerNetwork;
  readonly #shielded: NetworkConfiguration['shielded'];
  readonly #order = new Mutex();
  #interfaces: EndpointInterfaces | undefined;
  #wanted: readonly PublishedPort[] = [];
  #inForce: readonly PublishedPort[] | undefined;

  constructor(network: ContainerNetwork, shielded: NetworkConfiguration['shielded']) {
    this.#network = network;
    this.#shielded = shielded;
  }

  /** Puts the first ruleset in force. */
  async open(interfaces: EndpointInterfaces, published: readonly PublishedPort[]): Promise<void> {
    this.#interfaces = interfaces;
    await this.apply(published);
  }

  /** Replaces the published ports; calls that come while one is under way share the run after it. */
  async apply(published: readonly PublishedPort[]): Promise<void> {
    this.#wanted = published;
    await this.#order.run(async () => {
      const wanted = this.#wanted;
      if (this.#inForce === wanted) return;
      await this.#load(wanted);
      this.#inForce = wanted;
    });
  }

  async #load(published: readonly PublishedPort[]): Promise<void> {
    const interfaces = this.#interfaces;
    if (interfaces === undefined) throw notOpen();
    const endpoint = { ...interfaces, network: this.#network, shielded: this.#shielded };
    await replaceTable({}, 'ip', TABLE, renderRuleset(endpoint, published));
  }
}

function notOpen(): VicError {
  return new VicError({
    class: 'Unavailable',
    code: 'NETWORK_NOT_READY',
    message: 'The network of the virtual container host is not set up yet.',
    remedy: 'Try again in a moment.',
  });
}

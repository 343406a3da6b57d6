import { VimFault, make } from '@vic/vim';
import type { Handlers } from '../model/call.ts';
import { notSupported } from '../model/faults.ts';
import type { Host } from '../model/host.ts';
import { ManagedObject } from '../model/managed-object.ts';
import { WELL_KNOWN } from '../model/well-known.ts';

/** Options of the host: facts that clients may read. */
export class OptionManager extends ManagedObject {
  readonly #host: Host;

  constructor(host: Host) {
    super('OptionManager', WELL_KNOWN.optionManager.value, host.changes);
    this.#host = host;
  }

  protected readonly properties = {
    setting: () => this.#options(),
    supportedOption: () => [],
  };

  readonly handlers: Handlers<OptionManager> = {
    QueryOptions: (_self, { name }) => {
      const options = this.#options().filter(
        ({ key }) => name === undefined || key === name || (name.endsWith('.') && key.startsWith(name)),
      );
      if (options.length === 0) {
        throw new VimFault({
          fault: make('InvalidName', { name: (name ?? '').slice(0, 100) }),
          message: `There is no option ${name?.slice(0, 100) ?? ''}.`,
        });
      }
      return options;
    },
    UpdateOptions: () => {
      throw notSupported('Options of this host are set in its configuration file.');
    },
  };

  #options(): { key: string; value: string }[] {
    return [{ key: 'Config.HostAgent.plugins.hostsvc.hostname', value: this.#host.hostname }];
  }
}

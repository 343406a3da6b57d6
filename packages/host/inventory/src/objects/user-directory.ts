import type { Handlers } from '../model/call.ts';
import { notSupported } from '../model/faults.ts';
import type { Host } from '../model/host.ts';
import { ManagedObject } from '../model/managed-object.ts';
import { WELL_KNOWN } from '../model/well-known.ts';

/** Finds users; this host has no groups and no domains. */
export class UserDirectory extends ManagedObject {
  readonly #host: Host;

  constructor(host: Host) {
    super('UserDirectory', WELL_KNOWN.userDirectory.value, host.changes);
    this.#host = host;
  }

  protected readonly properties = { domainList: () => [] };

  readonly handlers: Handlers<UserDirectory> = {
    RetrieveUserGroups: async (_self, args) => {
      if (args.belongsToGroup !== undefined || args.belongsToUser !== undefined)
        throw notSupported('This host has no groups.');
      if (!args.findUsers) return [];
      const wanted = args.searchStr.toLowerCase();
      return (await this.#host.users.list())
        .filter(({ name }) => (args.exactMatch ? name.toLowerCase() === wanted : name.toLowerCase().includes(wanted)))
        .map((user) => ({ principal: user.name, fullName: user.fullName ?? user.name, group: false }));
    },
  };
}

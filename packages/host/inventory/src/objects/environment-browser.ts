import type { Handlers } from '../model/call.ts';
import type { Host } from '../model/host.ts';
import { ManagedObject } from '../model/managed-object.ts';
import { WELL_KNOWN } from '../model/well-known.ts';

/** What machines of the host can be. */
export class EnvironmentBrowser extends ManagedObject {
  constructor(host: Host) {
    super('EnvironmentBrowser', WELL_KNOWN.environmentBrowser.value, host.changes);
  }

  protected readonly properties = { datastoreBrowser: () => WELL_KNOWN.datastoreBrowser };

  readonly handlers: Handlers<EnvironmentBrowser> = {
    QueryConfigOptionDescriptor: () => [
      {
        key: 'vmx-14',
        description: 'VIC hostd',
        host: [WELL_KNOWN.host],
        createSupported: true,
        defaultConfigOption: true,
        runSupported: true,
        upgradeSupported: false,
      },
    ],
  };
}

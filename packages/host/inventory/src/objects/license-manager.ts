import type { Handlers } from '../model/call.ts';
import type { Host } from '../model/host.ts';
import { ManagedObject } from '../model/managed-object.ts';
import { WELL_KNOWN } from '../model/well-known.ts';

/** The licence of the host: everything it can do is free to use. */
export class LicenseManager extends ManagedObject {
  constructor(host: Host) {
    super('LicenseManager', WELL_KNOWN.licenseManager.value, host.changes);
  }

  protected readonly properties = {
    licenses: () => [
      {
        licenseKey: 'APACHE-2.0',
        editionKey: 'vic',
        name: 'VIC hostd (Apache License 2.0)',
        total: 0,
        used: 0,
        costUnit: 'cpuPackage',
        properties: [
          {
            key: 'feature',
            value: { $type: 'KeyValue', key: 'serialuri:2', value: 'Remote virtual Serial Port Concentrator' },
          },
        ],
      },
    ],
    licensedEdition: () => 'vic',
    sourceAvailable: () => false,
    featureInfo: () => [],
  };

  readonly handlers: Handlers<LicenseManager> = {};
}

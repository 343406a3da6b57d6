import type { Handlers } from '../model/call.ts';
import type { Host } from '../model/host.ts';
import { ManagedEntity } from '../model/managed-entity.ts';
import { WELL_KNOWN } from '../model/well-known.ts';
import { Datastore } from './datastore.ts';
import { Network } from './network.ts';

/** The compute resource of the one host. */
export class ComputeResource extends ManagedEntity {
  readonly #host: Host;

  constructor(host: Host, parent: ManagedEntity) {
    super('ComputeResource', WELL_KNOWN.computeResource.value, host.changes, { name: host.hostname, parent });
    this.#host = host;
    host.objects.onEntitiesChanged(() => this.touch('datastore', 'network'));
  }

  protected readonly properties = {
    ...this.entityProperties(),
    resourcePool: () => WELL_KNOWN.rootPool,
    host: () => [WELL_KNOWN.host],
    datastore: () => this.#host.objects.all(Datastore).map((datastore) => datastore.ref),
    network: () => this.#host.objects.all(Network).map((network) => network.ref),
    environmentBrowser: () => WELL_KNOWN.environmentBrowser,
    configurationEx: () => ({ $type: 'ComputeResourceConfigInfo', vmSwapPlacement: 'vmDirectory' }),
    summary: () => {
      const { cpus, cpuMhz, memoryBytes } = this.#host.capacity;
      return {
        $type: 'ComputeResourceSummary',
        totalCpu: cpus * cpuMhz,
        totalMemory: memoryBytes,
        numCpuCores: cpus,
        numCpuThreads: cpus,
        effectiveCpu: cpus * cpuMhz,
        effectiveMemory: Math.floor(memoryBytes / 2 ** 20),
        numHosts: 1,
        numEffectiveHosts: 1,
        overallStatus: 'green',
      };
    },
  };

  readonly handlers: Handlers<ComputeResource> = {};

  override children(): readonly ManagedEntity[] {
    return [WELL_KNOWN.host, WELL_KNOWN.rootPool].map((ref) => this.#host.objects.get(ref, ManagedEntity));
  }
}

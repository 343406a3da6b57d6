import type { Handlers } from '../model/call.ts';
import type { Host } from '../model/host.ts';
import { ManagedEntity } from '../model/managed-entity.ts';
import { WELL_KNOWN } from '../model/well-known.ts';
import { Datastore } from './datastore.ts';
import { HostNetworkSystem } from './host-network-system.ts';
import { Network } from './network.ts';
import { aboutInfo } from './service-instance.ts';
import { VirtualMachine } from './virtual-machine.ts';

const API_PORT = 443;

/** The host itself. */
export class HostSystem extends ManagedEntity {
  readonly #host: Host;

  constructor(host: Host, parent: ManagedEntity) {
    super('HostSystem', WELL_KNOWN.host.value, host.changes, { name: host.hostname, parent });
    this.#host = host;
    host.objects.onEntitiesChanged(() => this.touch('datastore', 'network', 'vm'));
  }

  protected readonly properties = {
    ...this.entityProperties(),
    runtime: () => this.#runtime(),
    summary: () => this.#summary(),
    hardware: () => this.#hardware(),
    licensableResource: () => ({ resource: [] }),
    configManager: () => ({
      datastoreSystem: WELL_KNOWN.datastoreSystem,
      networkSystem: WELL_KNOWN.networkSystem,
      advancedOption: WELL_KNOWN.optionManager,
      licenseManager: WELL_KNOWN.licenseManager,
      userDirectory: WELL_KNOWN.userDirectory,
    }),
    config: () => ({
      host: WELL_KNOWN.host,
      product: aboutInfo(this.#host),
      network: this.#host.objects.get(WELL_KNOWN.networkSystem, HostNetworkSystem).read('networkInfo'),
    }),
    vm: () => this.#host.objects.all(VirtualMachine).map((vm) => vm.ref),
    datastore: () => this.#host.objects.all(Datastore).map((datastore) => datastore.ref),
    network: () => this.#host.objects.all(Network).map((network) => network.ref),
    datastoreBrowser: () => WELL_KNOWN.datastoreBrowser,
  };

  readonly handlers: Handlers<HostSystem> = {};

  override children(): readonly ManagedEntity[] {
    return [];
  }

  /** Figures of use are read again. */
  refreshUsage(): void {
    this.touch('summary');
  }

  #runtime(): unknown {
    return {
      connectionState: 'connected',
      powerState: 'poweredOn',
      standbyMode: 'none',
      inMaintenanceMode: false,
      inQuarantineMode: false,
      bootTime: this.#host.bootTime,
    };
  }

  #summary(): unknown {
    const { cpus, cpuMhz, cpuModel, memoryBytes } = this.#host.capacity;
    const machines = this.#host.objects.all(VirtualMachine);
    return {
      host: WELL_KNOWN.host,
      hardware: {
        vendor: 'VIC',
        model: 'hostd',
        uuid: this.#host.uuid,
        memorySize: memoryBytes,
        cpuModel,
        cpuMhz,
        numCpuPkgs: 1,
        numCpuCores: cpus,
        numCpuThreads: cpus,
        numNics: 0,
        numHBAs: 0,
      },
      runtime: this.#runtime(),
      config: {
        name: this.name,
        port: API_PORT,
        product: aboutInfo(this.#host),
        vmotionEnabled: false,
        faultToleranceEnabled: false,
      },
      quickStats: {
        overallCpuUsage: machines.reduce((sum, vm) => sum + vm.usage.cpuMhz, 0),
        overallMemoryUsage: Math.round(machines.reduce((sum, vm) => sum + vm.usage.privateMemoryBytes, 0) / 2 ** 20),
        uptime: Math.max(0, Math.round((this.#host.now().getTime() - this.#host.bootTime.getTime()) / 1000)),
      },
      overallStatus: 'green',
      rebootRequired: false,
    };
  }

  #hardware(): unknown {
    const { cpus, cpuMhz, cpuModel, memoryBytes } = this.#host.capacity;
    const threads = Array.from({ length: cpus }, (_, index) => index);
    return {
      systemInfo: { vendor: 'VIC', model: 'hostd', uuid: this.#host.uuid },
      cpuInfo: { numCpuPackages: 1, numCpuCores: cpus, numCpuThreads: cpus, hz: cpuMhz * 1_000_000 },
      cpuPkg: [
        {
          index: 0,
          vendor: /intel/i.test(cpuModel) ? 'intel' : 'amd',
          hz: cpuMhz * 1_000_000,
          busHz: 0,
          description: cpuModel,
          threadId: threads,
        },
      ],
      memorySize: memoryBytes,
      smcPresent: false,
    };
  }
}

import type { ManagedObjectReference } from '@vic/vim';
import type { DatastoreSummary } from './backends/index.ts';
import type { Host } from './model/host.ts';
import { ManagedEntity } from './model/managed-entity.ts';
import { WELL_KNOWN } from './model/well-known.ts';
import { AuthorizationManager } from './objects/authorization-manager.ts';
import { ComputeResource } from './objects/compute-resource.ts';
import { Datacenter } from './objects/datacenter.ts';
import { Datastore } from './objects/datastore.ts';
import { EnvironmentBrowser } from './objects/environment-browser.ts';
import { EventManager } from './objects/event-manager.ts';
import { FileManager } from './objects/file-manager.ts';
import { Folder } from './objects/folder.ts';
import { HostDatastoreBrowser } from './objects/host-datastore-browser.ts';
import { HostDatastoreSystem } from './objects/host-datastore-system.ts';
import { HostNetworkSystem } from './objects/host-network-system.ts';
import { HostSystem } from './objects/host-system.ts';
import { LicenseManager } from './objects/license-manager.ts';
import { OptionManager } from './objects/option-manager.ts';
import { PerformanceManager } from './objects/performance-manager.ts';
import { type PoolRecord, ResourcePool } from './objects/resource-pool.ts';
import { SearchIndex } from './objects/search-index.ts';
import { ServiceInstance } from './objects/service-instance.ts';
import { SessionManager } from './objects/session-manager.ts';
import { TaskManager } from './objects/task-manager.ts';
import { UserDirectory } from './objects/user-directory.ts';
import { ViewManager } from './objects/view-manager.ts';
import { VirtualDiskManager } from './objects/virtual-disk-manager.ts';
import { VirtualMachine } from './objects/virtual-machine.ts';
import type { UsageSampler } from './virtual-machine/usage-sampler.ts';
import type { VmRecord } from './virtual-machine/vm-record.ts';

/** Makes the fixed part of a lone host's inventory. */
export function buildTree(host: Host): { readonly networkSystem: HostNetworkSystem } {
  const { objects } = host;
  const folder = (
    ref: ManagedObjectReference,
    name: string,
    parent: ManagedEntity | undefined,
    ...childTypes: string[]
  ): Folder => objects.add(new Folder(host, ref.value, { name, parent, childTypes }));
  const root = folder(WELL_KNOWN.rootFolder, 'ha-folder-root', undefined, 'Datacenter');
  const datacenter = objects.add(new Datacenter(host, root));
  folder(WELL_KNOWN.vmFolder, 'vm', datacenter, 'VirtualMachine');
  const hosts = folder(WELL_KNOWN.hostFolder, 'host', datacenter, 'ComputeResource');
  folder(WELL_KNOWN.datastoreFolder, 'datastore', datacenter, 'Datastore');
  folder(WELL_KNOWN.networkFolder, 'network', datacenter, 'Network');
  const compute = objects.add(new ComputeResource(host, hosts));
  objects.add(new HostSystem(host, compute));
  const { cpus, cpuMhz, memoryBytes } = host.capacity;
  const whole = (limit: number): PoolRecord['cpuAllocation'] => ({
    reservation: limit,
    expandableReservation: false,
    limit,
    shares: { shares: 1000, level: 'custom' },
  });
  const rootPool: PoolRecord = {
    id: WELL_KNOWN.rootPool.value,
    name: 'Resources',
    parent: '',
    cpuAllocation: whole(cpus * cpuMhz),
    memoryAllocation: whole(Math.floor(memoryBytes / 2 ** 20)),
    modifiedAtMs: host.bootTime.getTime(),
  };
  objects.add(new ResourcePool(host, rootPool, compute));
  return { networkSystem: objects.add(new HostNetworkSystem(host)) };
}

/** Makes the managers and the datastores. */
export function buildManagers(host: Host, sampler: UsageSampler, datastores: readonly DatastoreSummary[]): void {
  const { objects } = host;
  const folder = objects.get(WELL_KNOWN.datastoreFolder, ManagedEntity);
  for (const summary of datastores) objects.add(new Datastore(host, summary, folder));
  objects.add(new ServiceInstance(host));
  objects.add(new SessionManager(host));
  objects.add(new AuthorizationManager(host));
  objects.add(new UserDirectory(host));
  objects.add(new ViewManager(host));
  objects.add(new SearchIndex(host));
  objects.add(new TaskManager(host));
  objects.add(new EventManager(host));
  objects.add(new FileManager(host));
  objects.add(new VirtualDiskManager(host));
  objects.add(new LicenseManager(host));
  objects.add(new OptionManager(host));
  objects.add(new PerformanceManager(host, sampler));
  objects.add(new HostDatastoreSystem(host));
  objects.add(new HostDatastoreBrowser(host));
  objects.add(new EnvironmentBrowser(host));
}

/** Puts the recorded resource pools back, parents before children. */
export async function restorePools(host: Host): Promise<void> {
  const records = (await host.store.readAll('pools')) as readonly PoolRecord[];
  const byParent = Map.groupBy(records, (record) => record.parent);
  const pending = [host.objects.get(WELL_KNOWN.rootPool, ResourcePool)];
  for (let parent = pending.pop(); parent !== undefined; parent = pending.pop()) {
    for (const record of byParent.get(parent.ref.value) ?? [])
      pending.push(host.objects.add(new ResourcePool(host, record, parent)));
  }
}

/** Puts the recorded machines back; one whose pool is gone is in the root pool. */
export async function restoreMachines(host: Host): Promise<void> {
  const folder = host.objects.get(WELL_KNOWN.vmFolder, ManagedEntity);
  for (const stored of (await host.store.readAll('machines')) as readonly VmRecord[]) {
    const known = host.objects.find({ type: 'ResourcePool', value: stored.pool }) !== undefined;
    const record = known ? stored : { ...stored, pool: WELL_KNOWN.rootPool.value };
    new VirtualMachine(host, record, folder).register();
  }
}

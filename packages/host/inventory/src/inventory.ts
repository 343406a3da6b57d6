import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { randomUuid } from '@vic/ids';
import { Changes } from './model/changes.ts';
import { EventLog } from './model/event-log.ts';
import type { Host } from './model/host.ts';
import { ObjectRegistry } from './model/object-registry.ts';
import type { HostCapacity, InventoryOptions } from './model/options.ts';
import { StateStore } from './model/state-store.ts';
import { Tasks } from './model/tasks.ts';
import { UnfinishedWork, type Work } from './model/unfinished-work.ts';
import { buildManagers, buildTree, restoreMachines, restorePools } from './build-tree.ts';
import { ResourcePool } from './objects/resource-pool.ts';
import { VirtualMachine } from './objects/virtual-machine.ts';
import { Authorization } from './server/authorization.ts';
import { Sessions } from './server/sessions.ts';
import { Users } from './server/users.ts';
import { MachineWatcher } from './virtual-machine/machine-watcher.ts';
import { applyProcessorShares } from './virtual-machine/processor-shares.ts';
import { finishInterrupted, takeBackCreations } from './virtual-machine/recover.ts';
import { UsageSampler } from './virtual-machine/usage-sampler.ts';

/** The inventory of a host: its managed objects, restored from the state directory. */
export interface Inventory extends AsyncDisposable {
  /** What managed objects and the server share. */
  readonly host: Host;
  /** Lets go of the machines, which keep running, and writes what is left to write. */
  close(): Promise<void>;
}

/** Opens a host's inventory: reads its records, makes its networks, adopts the machines that are on. */
export async function createInventory(options: InventoryOptions): Promise<Inventory> {
  const closing = new AbortController();
  await using undo = new AsyncDisposableStack();
  undo.defer(() => closing.abort());
  const { host, found } = await openHost(options, closing.signal);
  undo.use(host.events);
  undo.use(host.unfinished);
  undo.use(host.sessions);
  const sampler = undo.use(new UsageSampler(host));
  const { networkSystem } = buildTree(host);
  buildManagers(host, sampler, await options.datastores.datastores());
  await networkSystem.restore();
  await restorePools(host);
  await takeBackCreations(host, found);
  await restoreMachines(host);
  await host.authorization.restorePermissions();
  const watcher = new MachineWatcher(host);
  warnOfLimits(host);
  // Before, because machines that are taken over are put into the groups of their pools; after, for limits below their old ones.
  await shareProcessors(host);
  await watcher.start();
  await shareProcessors(host);
  sampler.start();
  await finishInterrupted(host, found, { userName: '' });
  await host.unfinished.settle();
  const owned = undo.move();
  const close = async (): Promise<void> => {
    closing.abort();
    await host.tasks.settled();
    await watcher.stopped();
    for (const vm of host.objects.all(VirtualMachine)) vm.writeGuestReport();
    await host.store.settled();
    await owned.disposeAsync();
  };
  return { host, close, [Symbol.asyncDispose]: close };
}

/** What an earlier host could enforce and this one cannot is told, and no reason not to serve. */
function warnOfLimits(host: Host): void {
  const limited = host.objects.all(ResourcePool).some(({ cpuAllocation, parent }) => {
    return parent instanceof ResourcePool && (cpuAllocation.limit ?? -1) >= 0;
  });
  if (limited && !host.machines.sharesProcessors) host.logger.warn('The CPU limits of resource pools have no effect.');
}

async function shareProcessors(host: Host): Promise<void> {
  await applyProcessorShares(host).catch((error: unknown) =>
    host.logger.error('The processors cannot be shared out as the resource pools say', { error: String(error) }),
  );
}

async function openHost(
  options: InventoryOptions,
  closing: AbortSignal,
): Promise<{ readonly host: Host; readonly found: readonly Work[] }> {
  const now = options.clock ?? ((): Date => new Date());
  const changes = new Changes();
  const objects = new ObjectRegistry();
  const store = await StateStore.open(options.stateDirectory);
  const users = new Users(options.usersFile);
  const { unfinished, found } = await UnfinishedWork.open(
    join(options.stateDirectory, 'unfinished.log'),
    options.logger,
  );
  const host: Host = {
    hostname: options.hostname,
    uuid: await hostUuid(store),
    capacity: options.capacity ?? systemCapacity(),
    programs: new Set(options.programs),
    changes,
    objects,
    tasks: new Tasks({ objects, changes, unfinished, now, closing }),
    events: await EventLog.open(options.stateDirectory, now, options.logger),
    store,
    unfinished,
    sessions: new Sessions(now),
    users,
    authorization: await Authorization.open(users, store, objects),
    datastores: options.datastores,
    machines: options.machines,
    switches: options.switches,
    logger: options.logger,
    bootTime: now(),
    closing,
    now,
  };
  return { host, found };
}

async function hostUuid(store: StateStore): Promise<string> {
  const known = (await store.read('host')) as { readonly uuid: string } | undefined;
  if (known !== undefined) return known.uuid;
  const uuid = randomUuid();
  await store.write('host', { uuid });
  return uuid;
}

function systemCapacity(): HostCapacity {
  const all = cpus();
  const first = all[0];
  // Virtual processors often do not tell their frequency.
  const cpuMhz = first === undefined || first.speed === 0 ? 2000 : first.speed;
  return { cpus: Math.max(1, all.length), cpuMhz, cpuModel: first?.model ?? 'unknown', memoryBytes: totalmem() };
}

import { randomBytes } from 'node:crypto';
import { type ResourceAllocationInfo, type ResourceConfigSpec, type ResourcePoolRef, VimFault, make } from '@vic/vim';
import type { Call, Handlers } from '../model/call.ts';
import { duplicateName, insufficientMemory, notSupported, requireName } from '../model/faults.ts';
import type { Host } from '../model/host.ts';
import { ManagedEntity } from '../model/managed-entity.ts';
import { WELL_KNOWN } from '../model/well-known.ts';
import { mergeAllocation } from '../virtual-machine/config-spec.ts';
import { applyProcessorShares, requireEnforceable } from '../virtual-machine/processor-shares.ts';
import { VirtualMachine } from './virtual-machine.ts';

/** A resource pool as it is kept. */
export interface PoolRecord {
  readonly id: string;
  readonly name: string;
  readonly parent: string;
  readonly cpuAllocation: ResourceAllocationInfo;
  readonly memoryAllocation: ResourceAllocationInfo;
  readonly modifiedAtMs: number;
}

const MIB = 2 ** 20;

/** A part of the host's memory and processors, with limits of its own. */
export class ResourcePool extends ManagedEntity {
  readonly host: Host;
  #record: PoolRecord;

  constructor(host: Host, record: PoolRecord, parent: ManagedEntity) {
    super('ResourcePool', record.id, host.changes, { name: record.name, parent });
    this.host = host;
    this.#record = record;
  }

  protected readonly properties = {
    ...this.entityProperties(),
    owner: () => WELL_KNOWN.computeResource,
    resourcePool: () =>
      this.children()
        .filter((child) => child instanceof ResourcePool)
        .map((pool) => pool.ref),
    vm: () => this.machines().map((vm) => vm.ref),
    config: () => this.#config(),
    childConfiguration: () => [],
    runtime: () => this.#runtime(),
    summary: () => ({
      $type: 'ResourcePoolSummary',
      name: this.name,
      config: this.#config(),
      runtime: this.#runtime(),
    }),
  };

  readonly handlers: Handlers<ResourcePool> = resourcePoolHandlers;

  override readFor(name: string): unknown {
    // What the machines use changes all the time; it is computed when it is asked for.
    if (name === 'runtime') return this.#runtime();
    return this.read(name);
  }

  override children(): readonly ManagedEntity[] {
    return this.host.objects.childrenOf(this);
  }

  get cpuAllocation(): ResourceAllocationInfo {
    return this.#record.cpuAllocation;
  }

  /** The machines directly in this pool. */
  machines(): readonly VirtualMachine[] {
    return this.host.objects.all(VirtualMachine).filter((vm) => vm.record.pool === this.ref.value);
  }

  /** Throws InsufficientMemoryResourcesFault unless this much memory is left here and in every pool above. */
  admit(memoryMiB: number): void {
    const limit = this.#record.memoryAllocation.limit ?? -1;
    const used = this.#usedMemoryMiB();
    const free = limit < 0 ? Infinity : limit - used;
    if (memoryMiB > free) {
      throw insufficientMemory(
        `The resource pool ${this.name} has ${Math.max(0, free)} MiB of its ${limit} MiB left; ${memoryMiB} MiB are needed.`,
        Math.max(0, free) * MIB,
        memoryMiB * MIB,
      );
    }
    if (!(this.parent instanceof ResourcePool)) return;
    const reserved = this.#reservedMemoryMiB;
    this.parent.admit(Math.max(used + memoryMiB, reserved) - Math.max(used, reserved));
  }

  async createChild(name: string, spec: ResourceConfigSpec): Promise<ResourcePoolRef> {
    this.#requireFreeName(requireName(name), this);
    requireEnforceable(this.host, spec.cpuAllocation);
    this.admit(spec.memoryAllocation?.reservation ?? 0);
    const record: PoolRecord = {
      id: `pool-${randomBytes(5).toString('hex')}`,
      name,
      parent: this.ref.value,
      cpuAllocation: mergeAllocation({}, spec.cpuAllocation),
      memoryAllocation: mergeAllocation({}, spec.memoryAllocation),
      modifiedAtMs: this.host.now().getTime(),
    };
    await this.host.store.writeRecord('pools', record.id, record);
    const pool = this.host.objects.add(new ResourcePool(this.host, record, this));
    await applyProcessorShares(this.host);
    this.touch('resourcePool');
    return pool.ref as ResourcePoolRef;
  }

  async updateConfig(name: string | undefined, spec: ResourceConfigSpec | undefined): Promise<void> {
    if (this.ref.value === WELL_KNOWN.rootPool.value) throw notSupported('The root resource pool is the host itself.');
    if (name !== undefined && name !== this.name && this.parent instanceof ResourcePool)
      this.#requireFreeName(requireName(name), this.parent);
    requireEnforceable(this.host, spec?.cpuAllocation);
    this.#admitReservation(spec?.memoryAllocation?.reservation);
    const record: PoolRecord = {
      ...this.#record,
      name: name ?? this.name,
      cpuAllocation: mergeAllocation(this.#record.cpuAllocation, spec?.cpuAllocation),
      memoryAllocation: mergeAllocation(this.#record.memoryAllocation, spec?.memoryAllocation),
      modifiedAtMs: this.host.now().getTime(),
    };
    await this.host.store.writeRecord('pools', record.id, record);
    this.#record = record;
    if (spec?.cpuAllocation !== undefined) await applyProcessorShares(this.host);
    if (record.name !== this.name) this.setName(record.name);
    this.touch('config', 'summary', 'runtime');
  }

  /** Destroys the pool; machines and pools in it move to the pool above. */
  async destroy(): Promise<void> {
    const parent = this.parent;
    if (!(parent instanceof ResourcePool)) throw notSupported('The root resource pool cannot be destroyed.');
    for (const vm of this.machines()) {
      await vm.update({ ...vm.record, pool: parent.ref.value });
      vm.touch('resourcePool');
    }
    for (const child of this.children()) if (child instanceof ResourcePool) await child.moveTo(parent);
    await this.host.store.removeRecord('pools', this.#record.id);
    this.host.objects.remove(this);
    await applyProcessorShares(this.host);
    parent.touch('vm', 'resourcePool');
    await this.host.authorization.entityRemoved(this);
  }

  /** Puts the pool below another. */
  async moveTo(parent: ResourcePool): Promise<void> {
    const record = { ...this.#record, parent: parent.ref.value };
    await this.host.store.writeRecord('pools', record.id, record);
    this.host.objects.remove(this);
    this.#record = record;
    this.parent = parent;
    this.host.objects.add(this);
    parent.touch('resourcePool');
    this.touch('parent');
  }

  /** What machines of this pool and those below use, for the figures. */
  allMachines(): readonly VirtualMachine[] {
    return [
      ...this.machines(),
      ...this.children().flatMap((child) => (child instanceof ResourcePool ? child.allMachines() : [])),
    ];
  }

  /** What machines and the pools in this one take of it; what is reserved for a pool is taken. */
  #usedMemoryMiB(): number {
    // A frozen instant clone source has ended; its clones count themselves.
    const running = this.machines().filter((vm) => vm.record.powerState !== 'poweredOff' && !vm.record.frozen);
    const own = running.reduce((sum, vm) => sum + vm.record.memoryMiB, 0);
    const pools = this.children().filter((child) => child instanceof ResourcePool);
    return pools.reduce((sum, pool) => sum + Math.max(pool.#usedMemoryMiB(), pool.#reservedMemoryMiB), own);
  }

  get #reservedMemoryMiB(): number {
    return this.#record.memoryAllocation.reservation ?? 0;
  }

  /** Throws unless the pool above has what is to be reserved for this one. */
  #admitReservation(wanted = this.#reservedMemoryMiB): void {
    const used = this.#usedMemoryMiB();
    const more = Math.max(wanted, used) - Math.max(this.#reservedMemoryMiB, used);
    if (more > 0 && this.parent instanceof ResourcePool) this.parent.admit(more);
  }

  #config(): object {
    return {
      entity: this.ref,
      changeVersion: String(this.#record.modifiedAtMs),
      lastModified: new Date(this.#record.modifiedAtMs),
      cpuAllocation: this.#record.cpuAllocation,
      memoryAllocation: this.#record.memoryAllocation,
    };
  }

  #runtime(): object {
    const machines = this.allMachines();
    const { cpus, cpuMhz, memoryBytes } = this.host.capacity;
    const usage = (used: number, max: number): object => ({
      reservationUsed: 0,
      reservationUsedForVm: 0,
      unreservedForPool: max,
      unreservedForVm: max,
      overallUsage: used,
      maxUsage: max,
    });
    const limitOf = (limit: number | undefined, whole: number): number =>
      limit === undefined || limit < 0 ? whole : Math.min(limit, whole);
    return {
      memory: usage(
        machines.reduce((sum, vm) => sum + vm.usage.residentMemoryBytes, 0),
        limitOf((this.#record.memoryAllocation.limit ?? -1) * MIB, memoryBytes),
      ),
      cpu: usage(
        machines.reduce((sum, vm) => sum + vm.usage.cpuMhz, 0),
        limitOf(this.#record.cpuAllocation.limit, cpus * cpuMhz),
      ),
      overallStatus: 'green',
    };
  }

  #requireFreeName(name: string, parent: ResourcePool): void {
    const other = parent.children().find((child) => child.name === name);
    if (other !== undefined) throw duplicateName(name, other.ref);
  }
}

const resourcePoolHandlers: Handlers<ResourcePool> = {
  CreateResourcePool: async (pool, { name, spec }) => pool.createChild(name, spec),
  UpdateConfig: async (pool, { name, config }) => {
    await pool.updateConfig(name, config);
    return undefined;
  },
  Destroy_Task: (pool, _args, call: Call) =>
    pool.host.tasks.start('Destroy_Task', pool, call, async () => {
      await pool.destroy();
      return undefined;
    }),
  Rename_Task: (pool, { newName }, call: Call) =>
    pool.host.tasks.start('Rename_Task', pool, call, async () => {
      await pool.updateConfig(newName, undefined);
      return undefined;
    }),
  DestroyChildren: async (pool) => {
    for (const child of pool.children()) if (child instanceof ResourcePool) await child.destroy();
    return undefined;
  },
  CreateVApp: () => {
    throw new VimFault({ fault: make('NotSupported', {}), message: 'A lone host has no vApps.' });
  },
};

import { mkdir, readFile, readdir, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Mutex } from '@vic/async';
import { VicError } from '@vic/errors';
import type { CpuShare, PoolShare } from '@vic/inventory';
import { V1_QUOTA, V1_UNLIMITED, delegateCpu, settingsOf } from './cpu-controller.ts';
import type { CpuController } from './cpu-controller.ts';

/** A machine's process, and where it belongs. */
export interface PlacedMachine {
  readonly id: string;
  readonly pid: number;
  /** Of the pool; one that is not known is the host itself. */
  readonly pool: string;
  readonly cpu: CpuShare;
}

interface Group {
  readonly path: string;
  readonly share: CpuShare;
  /** Groups below it are its own; a machine's group has only processes. */
  readonly isPool: boolean;
}

const NO_LIMIT: CpuShare = { limitCpus: undefined, shares: 1000 };

/**
 * The control groups of a host's pools and machines: a group per pool, in that of the pool above, and in it one per
 * machine. The kernel does the rest.
 */
export class CpuGroups {
  readonly #controller: CpuController;
  readonly #top: string;
  readonly #lock = new Mutex();
  #machines = new Map<string, PlacedMachine>();
  #pools: ReadonlyMap<string, PoolShare> = new Map();

  private constructor(controller: CpuController, top: string) {
    this.#controller = controller;
    this.#top = top;
  }

  /** Opens the groups below the one called `name`, which is made; throws where the kernel's are not to be written. */
  static async open(controller: CpuController, name: string): Promise<CpuGroups> {
    const groups = new CpuGroups(controller, join(controller.directory, name));
    await delegateCpu(controller.version, controller.directory);
    await groups.#make({ path: groups.#top, share: NO_LIMIT, isPool: true });
    return groups;
  }

  /** What is wanted of the pools and of all machines that run, from now on. */
  async apply(pools: readonly PoolShare[], machines: readonly PlacedMachine[]): Promise<void> {
    await this.#lock.run(async () => {
      const before = new Map([...this.#machines].map(([id, machine]) => [id, this.#pathOf(machine)]));
      this.#pools = new Map(pools.map((pool) => [pool.id, pool]));
      this.#machines = new Map(machines.map((machine) => [machine.id, machine]));
      const groups = this.#groups();
      for (const { path } of groups) await mkdir(path, { recursive: true });
      await this.#liftLimits(groups);
      for (const group of groups) await this.#make(group);
      for (const machine of this.#machines.values()) {
        if (before.get(machine.id) !== this.#pathOf(machine)) await this.#enter(machine);
      }
      await this.#removeOthers(new Set(groups.map(({ path }) => path)));
    });
  }

  /** Puts the process of a machine, with all its threads, into the machine's group. */
  async place(machine: PlacedMachine): Promise<void> {
    await this.#lock.run(async () => {
      this.#machines.set(machine.id, machine);
      const path = this.#pathOf(machine);
      try {
        await mkdir(path, { recursive: true });
        await this.#make({ path, share: this.#fitting(machine.cpu, machine.pool), isPool: false });
        await this.#enter(machine);
      } catch (cause) {
        this.#machines.delete(machine.id);
        throw notPlaced(machine.id, cause);
      }
    });
  }

  /** The machine has ended. Its group goes when the kernel lets it go. */
  async leave(id: string): Promise<void> {
    await this.#lock.run(async () => {
      const machine = this.#machines.get(id);
      this.#machines.delete(id);
      if (machine !== undefined) await removeGroup(this.#pathOf(machine));
    });
  }

  /** Removes all groups that have no processes any more. */
  async remove(): Promise<void> {
    await this.#lock.run(async () => {
      await this.#removeOthers(new Set());
      await removeGroup(this.#top);
    });
  }

  /** Pools, each before those in it, then machines. */
  #groups(): readonly Group[] {
    const pools = [...this.#pools.values()].toSorted((a, b) => this.#above(a.id).length - this.#above(b.id).length);
    return [
      ...pools.map((pool) => ({
        path: join(this.#top, ...this.#above(pool.id)),
        share: this.#fitting(pool, pool.parent),
        isPool: true,
      })),
      ...[...this.#machines.values()].map((machine) => ({
        path: this.#pathOf(machine),
        share: this.#fitting(machine.cpu, machine.pool),
        isPool: false,
      })),
    ];
  }

  #pathOf(machine: PlacedMachine): string {
    return join(this.#top, ...this.#above(machine.pool), `vm-${machine.id}`);
  }

  /** The names of the groups from the host down to a pool's own. */
  #above(poolId: string | undefined): readonly string[] {
    const pool = poolId === undefined ? undefined : this.#pools.get(poolId);
    return pool === undefined ? [] : [...this.#above(pool.parent), pool.id];
  }

  /** Version 1 refuses a limit above that of a group above: it would have no effect either way. */
  #fitting(share: CpuShare, parent: string | undefined): CpuShare {
    const limits = [share, ...this.#above(parent).map((id) => this.#pools.get(id))].flatMap(
      (each) => each?.limitCpus ?? [],
    );
    return share.limitCpus === undefined ? share : { ...share, limitCpus: Math.min(...limits) };
  }

  /** On version 1, a limit can only change while those below it allow it: for a moment they have none. */
  async #liftLimits(groups: readonly Group[]): Promise<void> {
    if (this.#controller.version === 2) return;
    for (const { path, share } of groups.toReversed()) {
      const wanted = settingsOf(1, share)[V1_QUOTA];
      const now = (await readFile(join(path, V1_QUOTA), 'utf8')).trim();
      if (now !== wanted && now !== V1_UNLIMITED) await writeFile(join(path, V1_QUOTA), V1_UNLIMITED);
    }
  }

  async #make({ path, share, isPool }: Group): Promise<void> {
    await mkdir(path, { recursive: true });
    for (const [file, value] of Object.entries(settingsOf(this.#controller.version, share))) {
      await writeFile(join(path, file), value);
    }
    if (isPool) await delegateCpu(this.#controller.version, path);
  }

  async #enter(machine: PlacedMachine): Promise<void> {
    try {
      await writeFile(join(this.#pathOf(machine), 'cgroup.procs'), String(machine.pid));
    } catch (error) {
      // It has ended meanwhile, which is reported elsewhere.
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  }

  async #removeOthers(kept: ReadonlySet<string>): Promise<void> {
    const entries = await readdir(this.#top, { recursive: true, withFileTypes: true });
    const paths = entries.filter((entry) => entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
    // The deepest first.
    for (const path of paths.toSorted((a, b) => b.length - a.length)) if (!kept.has(path)) await removeGroup(path);
  }
}

/** A group with processes stays; it is tried again with the next change. */
async function removeGroup(path: string): Promise<void> {
  await rmdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EBUSY' && error.code !== 'ENOENT' && error.code !== 'ENOTEMPTY') throw error;
  });
}

function notPlaced(id: string, cause: unknown): VicError {
  return new VicError({
    class: 'Unavailable',
    code: 'MACHINE_CPU_GROUP',
    message: `Machine ${id} cannot be put into the control group of its resource pool.`,
    remedy: 'Look whether the control groups of the host can still be written.',
    cause,
  });
}

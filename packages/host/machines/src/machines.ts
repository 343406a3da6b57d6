import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { KeyedMutex, mapLimit } from '@vic/async';
import type {
  DiskAttachment,
  MachineBackend,
  MachineEvent,
  MachineSpec,
  MachineUsage,
  NicAttachment,
  PoolShare,
} from '@vic/inventory';
import { endProcess } from './detached-process.ts';
import { findQemuProcesses } from './find-processes.ts';
import { GuestinfoJournal } from './guestinfo-journal.ts';
import { limitLog } from './log-limit.ts';
import type { Machine } from './machine.ts';
import type { MachineContext } from './machine-context.ts';
import { alreadyOn, notRunning, notSupported, sourceUnusable } from './machine-errors.ts';
import { readRecord } from './machine-record.ts';
import type { MachineRecord } from './machine-record.ts';
import { ProcessMachine } from './process-machine.ts';
import { QemuMachine } from './qemu-machine.ts';

/** Taking over a machine is a few files and one connection. */
const ADOPT_LIMIT = 8;
const LOG_CHECK_MS = 30_000;

/** The machines of one host; see {@link MachineBackend} for what each call does. */
export class Machines implements MachineBackend, AsyncDisposable {
  readonly #context: MachineContext;
  readonly #directory: string;
  readonly #machines = new Map<string, Machine>();
  readonly #specs = new Map<string, MachineSpec>();
  readonly #locks = new KeyedMutex();
  readonly #logTimer: NodeJS.Timeout;

  /** `directory` holds one folder per machine. */
  constructor(context: Omit<MachineContext, 'onEnded'>, directory: string) {
    this.#context = { ...context, onEnded: (id) => this.#forgetEnded(id) };
    this.#directory = directory;
    this.#logTimer = setInterval(() => void this.#limitLogs(), LOG_CHECK_MS);
    this.#logTimer.unref();
  }

  get sharesProcessors(): boolean {
    return this.#context.cpuGroups !== undefined;
  }

  async shareProcessors(
    pools: readonly PoolShare[],
    machines: readonly Pick<MachineSpec, 'id' | 'pool' | 'cpu'>[],
  ): Promise<void> {
    for (const { id, pool, cpu } of machines) this.#edit(id, (spec) => ({ ...spec, pool, cpu }));
    const placed = [...this.#machines.values()].flatMap(({ id, process }) => {
      const spec = this.#specs.get(id);
      return process === undefined || spec === undefined
        ? []
        : [{ id, pid: process.pid, pool: spec.pool, cpu: spec.cpu }];
    });
    await this.#context.cpuGroups?.apply(pools, placed);
  }

  async powerOn(spec: MachineSpec, signal: AbortSignal): Promise<void> {
    await this.#locks.run(spec.id, async () => {
      if (spec.program !== undefined) await this.#startProcess(spec, signal);
      else await this.#startQemu(spec, signal);
      await this.#placeStarted(spec);
      this.#specs.set(spec.id, spec);
    });
  }

  async instantClone(sourceId: string, spec: MachineSpec, signal: AbortSignal): Promise<void> {
    await this.#locks.run(spec.id, async () => {
      if (this.#machines.has(spec.id)) throw alreadyOn(spec.id);
      if (spec.program !== undefined) throw notSupported('A process VM cannot be an instant clone.');
      const source = this.#machines.get(sourceId);
      if (!(source instanceof QemuMachine)) throw sourceUnusable(sourceId, 'it is not on');
      this.#machines.set(spec.id, await source.fork(spec, signal));
      await this.#placeStarted(spec);
      this.#specs.set(spec.id, spec);
    });
  }

  async powerOff(id: string, _signal: AbortSignal): Promise<void> {
    await this.#locks.run(id, async () => {
      await this.#machines.get(id)?.powerOff();
      this.#forgetEnded(id);
    });
  }

  async reset(id: string, signal: AbortSignal): Promise<void> {
    const spec = this.#specs.get(id);
    if (spec === undefined || !this.#machines.has(id)) throw notRunning(id);
    await this.powerOff(id, signal);
    await this.powerOn(spec, signal);
  }

  async shutdownGuest(id: string, signal: AbortSignal): Promise<void> {
    await this.#get(id).shutdownGuest(signal);
  }

  async suspend(id: string, signal: AbortSignal): Promise<void> {
    await this.#get(id).suspend(signal);
  }

  async resume(id: string, signal: AbortSignal): Promise<void> {
    await this.#get(id).resume(signal);
  }

  async attachDisk(id: string, disk: DiskAttachment, signal: AbortSignal): Promise<void> {
    await this.#get(id).attachDisk(disk, signal);
    this.#edit(id, (spec) => ({ ...spec, disks: [...spec.disks, disk] }));
  }

  async detachDisk(id: string, key: number, signal: AbortSignal): Promise<void> {
    await this.#get(id).detachDisk(key, signal);
    this.#edit(id, (spec) => ({ ...spec, disks: spec.disks.filter((disk) => disk.key !== key) }));
  }

  async attachNic(id: string, nic: NicAttachment, signal: AbortSignal): Promise<void> {
    await this.#get(id).attachNic(nic, signal);
    this.#edit(id, (spec) => ({ ...spec, nics: [...spec.nics, nic] }));
  }

  async detachNic(id: string, key: number, signal: AbortSignal): Promise<void> {
    await this.#get(id).detachNic(key, signal);
    this.#edit(id, (spec) => ({ ...spec, nics: spec.nics.filter((nic) => nic.key !== key) }));
  }

  async updateNic(id: string, nic: NicAttachment, signal: AbortSignal): Promise<void> {
    await this.#get(id).updateNic(nic, signal);
    this.#edit(id, (spec) => ({ ...spec, nics: spec.nics.map((each) => (each.key === nic.key ? nic : each)) }));
  }

  async usage(id: string): Promise<MachineUsage> {
    return this.#get(id).usage();
  }

  async adopt(specs: readonly MachineSpec[], signal: AbortSignal): Promise<ReadonlySet<string>> {
    await this.#reserveUsers();
    await mapLimit(specs, ADOPT_LIMIT, async (spec) => {
      try {
        await this.#adoptOne(spec, signal);
        await this.#place(spec).catch((error: unknown) => {
          this.#context.logger.error('a machine is not limited as it should be', { machine: spec.id, error });
        });
      } catch (error) {
        // One machine that cannot be taken over must not keep the host from starting.
        this.#machines.delete(spec.id);
        this.#context.logger.error('a machine cannot be taken over', { machine: spec.id, error });
      }
    });
    await this.#endStrays(new Set(specs.map((spec) => spec.id)), signal);
    await this.#removeStrayPorts();
    return new Set(this.#machines.keys());
  }

  async forget(id: string): Promise<void> {
    await this.#locks.run(id, async () => {
      await this.#machines.get(id)?.powerOff();
      this.#machines.delete(id);
      this.#specs.delete(id);
      await rm(this.#context.files(id).directory, { recursive: true, force: true });
    });
  }

  events(signal: AbortSignal): AsyncIterable<MachineEvent> {
    return this.#context.events.subscribe(signal);
  }

  /** The last output on a machine's serial console. */
  async console(id: string, signal: AbortSignal): Promise<string> {
    const machine = this.#get(id);
    if (!(machine instanceof QemuMachine)) throw notSupported('A process VM has no console.');
    return machine.console(signal);
  }

  /** Lets go of all machines; they go on, and a later backend can adopt them. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#logTimer);
    for (const machine of this.#machines.values()) machine.release();
    this.#machines.clear();
    this.#context.events.close();
  }

  #get(id: string): Machine {
    const machine = this.#machines.get(id);
    if (machine === undefined) throw notRunning(id);
    return machine;
  }

  #edit(id: string, change: (spec: MachineSpec) => MachineSpec): void {
    const spec = this.#specs.get(id);
    if (spec !== undefined) this.#specs.set(id, change(spec));
  }

  /** A machine that cannot be kept within its limits is not started. */
  async #placeStarted(spec: MachineSpec): Promise<void> {
    try {
      await this.#place(spec);
    } catch (error) {
      await this.#machines.get(spec.id)?.powerOff();
      this.#machines.delete(spec.id);
      throw error;
    }
  }

  async #place({ id, pool, cpu }: MachineSpec): Promise<void> {
    const pid = this.#machines.get(id)?.process?.pid;
    if (pid !== undefined) await this.#context.cpuGroups?.place({ id, pid, pool, cpu });
  }

  #forgetEnded(id: string): void {
    this.#machines.delete(id);
    this.#context.cpuGroups?.leave(id).catch((error: unknown) => {
      this.#context.logger.warn('the control group of a machine cannot be removed', { machine: id, error });
    });
  }

  async #startQemu(spec: MachineSpec, signal: AbortSignal): Promise<void> {
    if (this.#machines.has(spec.id)) throw alreadyOn(spec.id);
    const source = spec.forkedFrom === undefined ? undefined : this.#machines.get(spec.forkedFrom);
    const canFork = source instanceof QemuMachine && (await source.cannotFork(spec)) === undefined;
    const machine = canFork ? await source.fork(spec, signal) : await QemuMachine.boot(this.#context, spec, signal);
    this.#machines.set(spec.id, machine);
  }

  async #startProcess(spec: MachineSpec, signal: AbortSignal): Promise<void> {
    const existing = this.#machines.get(spec.id);
    const machine = existing instanceof ProcessMachine ? existing : ProcessMachine.create(this.#context, spec);
    if (await machine.isAlive()) throw alreadyOn(spec.id);
    // In the map before it runs: a program may end before this call does.
    this.#machines.set(spec.id, machine);
    try {
      await machine.start(spec, signal);
    } catch (error) {
      this.#machines.delete(spec.id);
      throw error;
    }
  }

  /** No machine is started, and none adopted, with the user id of another that is still there. */
  async #reserveUsers(): Promise<void> {
    for (const record of await this.#records()) this.#context.users.reserve(record.uid);
  }

  async #adoptOne(spec: MachineSpec, signal: AbortSignal): Promise<void> {
    this.#specs.set(spec.id, spec);
    const files = this.#context.files(spec.id);
    const record = await readRecord(files.record);
    if (record?.kind === 'process' && spec.program !== undefined) {
      const machine = ProcessMachine.adopt(this.#context, record);
      this.#machines.set(spec.id, machine);
      if (await machine.isAlive()) return machine.follow();
      await machine.replay();
      return machine.start(spec, signal);
    }
    if (spec.program !== undefined) return this.#startProcess(spec, signal);
    if (record === undefined) return this.#replay(files.journal, spec.id);
    const machine = await QemuMachine.adopt(this.#context, record, signal);
    if (machine !== undefined) this.#machines.set(spec.id, machine);
  }

  /** A machine that ended just before hostd did: what it reported last may not have been kept. */
  async #replay(path: string, id: string): Promise<void> {
    const journal = new GuestinfoJournal(path, {
      onLine: (line) => {
        if (line.kind === 'value') {
          this.#context.events.publish({ type: 'guestinfo', id, key: line.key, value: line.value });
        }
      },
      onOverflow: () => undefined,
    });
    await journal.drain();
  }

  /** Machines hostd did not know to be on, because it ended while it started them. */
  async #endStrays(known: ReadonlySet<string>, signal: AbortSignal): Promise<void> {
    const ids = await this.#recorded();
    await mapLimit(ids, ADOPT_LIMIT, async (id) => {
      const record = known.has(id) ? undefined : await readRecord(this.#context.files(id).record);
      if (record === undefined) return;
      const stray =
        record.kind === 'qemu'
          ? await QemuMachine.adopt(this.#context, record, signal)
          : ProcessMachine.adopt(this.#context, record);
      this.#context.logger.warn('a machine nobody knows is ended', { machine: id });
      await stray?.powerOff();
    });
    // What is left has no record that can be read: it cannot be taken over, and holds disks and memory.
    for (const [id, process] of await findQemuProcesses()) {
      if (!ids.includes(id) || this.#machines.has(id)) continue;
      this.#context.logger.warn('a process without a record is ended', { machine: id });
      await endProcess(process);
    }
  }

  /** Ports made for machines that were never recorded. */
  async #removeStrayPorts(): Promise<void> {
    const owned = new Set<string>();
    for (const record of await this.#records()) for (const nic of record.nics) owned.add(nic.port);
    for (const port of await this.#context.network.listPorts()) {
      if (!owned.has(port)) await this.#context.network.removeTap(port);
    }
  }

  async #records(): Promise<readonly MachineRecord[]> {
    const ids = await this.#recorded();
    const records = await mapLimit(ids, ADOPT_LIMIT, async (id) => readRecord(this.#context.files(id).record));
    return records.filter((record) => record !== undefined);
  }

  async #recorded(): Promise<readonly string[]> {
    return (await readdir(this.#directory)).filter((name) => /^[0-9a-fA-F-]+$/.test(name));
  }

  async #limitLogs(): Promise<void> {
    for (const id of this.#machines.keys()) {
      await limitLog(join(this.#context.files(id).log)).catch((error: unknown) => {
        this.#context.logger.warn('the log of a machine cannot be kept small', { machine: id, error });
      });
    }
  }
}

import { Broadcast, delay } from '@vic/async';
import { VicError } from '@vic/errors';
import type {
  MachineBackend,
  MachineEvent,
  MachineExit,
  MachineSpec,
  MachineUsage,
  PoolShare,
} from '../backends/index.ts';

/** Machines that exist in memory only: they start at once and do what the test tells them. */
export class MemoryMachines implements MachineBackend {
  sharesProcessors = true;
  /** What {@link shareProcessors} was told last. */
  pools: readonly PoolShare[] = [];
  shares: readonly Pick<MachineSpec, 'id' | 'pool' | 'cpu'>[] = [];
  readonly running = new Map<string, MachineSpec>();
  readonly frozen = new Set<string>();
  /** The calls made, as `powerOn name`. */
  readonly calls: string[] = [];
  /** Makes the next call of this name fail. */
  failNext: string | undefined;
  /** Clones have started, but are not done before this settles. */
  cloningHeld: Promise<void> = Promise.resolve();
  /** Runs once, when the next machine has started and before its power-on returns. */
  duringPowerOn: (() => void) | undefined;
  readonly #events = new Broadcast<MachineEvent>();

  async shareProcessors(
    pools: readonly PoolShare[],
    machines: readonly Pick<MachineSpec, 'id' | 'pool' | 'cpu'>[],
  ): Promise<void> {
    this.pools = pools;
    this.shares = machines;
  }

  async powerOn(spec: MachineSpec): Promise<void> {
    this.#called('powerOn', spec.name);
    this.running.set(spec.id, spec);
    this.duringPowerOn?.();
    this.duringPowerOn = undefined;
    // Events reach their reader before this returns, as they do with real machines.
    await delay(5);
  }

  async instantClone(sourceId: string, spec: MachineSpec): Promise<void> {
    this.#called('instantClone', spec.name);
    if (!this.frozen.has(sourceId))
      throw new VicError({ class: 'Conflict', code: 'NOT_FROZEN', message: 'Not frozen.' });
    this.running.set(spec.id, spec);
    await this.cloningHeld;
  }

  async powerOff(id: string): Promise<void> {
    this.#called('powerOff', id);
    this.running.delete(id);
    this.frozen.delete(id);
  }

  async shutdownGuest(id: string): Promise<void> {
    this.#called('shutdownGuest', id);
    this.exit(id, 'guest-shutdown');
  }

  async reset(id: string): Promise<void> {
    this.#called('reset', id);
  }

  async suspend(id: string): Promise<void> {
    this.#called('suspend', id);
  }

  async resume(id: string): Promise<void> {
    this.#called('resume', id);
  }

  async attachDisk(id: string, disk: { readonly key: number }): Promise<void> {
    this.#called('attachDisk', String(disk.key));
  }

  async detachDisk(_id: string, key: number): Promise<void> {
    this.#called('detachDisk', String(key));
  }

  async attachNic(_id: string, nic: { readonly key: number }): Promise<void> {
    this.#called('attachNic', String(nic.key));
  }

  async detachNic(_id: string, key: number): Promise<void> {
    this.#called('detachNic', String(key));
  }

  async updateNic(_id: string, nic: { readonly key: number }): Promise<void> {
    this.#called('updateNic', String(nic.key));
  }

  async usage(id: string): Promise<MachineUsage> {
    if (!this.running.has(id)) throw new VicError({ class: 'NotFound', code: 'GONE', message: 'Gone.' });
    return { cpuTimeMs: 1000, privateMemoryBytes: 32 * 2 ** 20, residentMemoryBytes: 64 * 2 ** 20 };
  }

  async adopt(specs: readonly MachineSpec[]): Promise<ReadonlySet<string>> {
    const known = new Set(specs.map((spec) => spec.id));
    // As real backends do: what nobody knows is ended.
    for (const id of this.running.keys()) if (!known.has(id)) this.running.delete(id);
    return new Set([...known].filter((id) => this.running.has(id)));
  }

  async forget(id: string): Promise<void> {
    this.#called('forget', id);
  }

  events(signal: AbortSignal): AsyncIterable<MachineEvent> {
    return this.#events.subscribe(signal);
  }

  /** The machine ends by itself. */
  exit(id: string, exit: MachineExit): void {
    this.running.delete(id);
    this.#events.publish({ type: 'exited', id, exit, detail: 'told by the test' });
  }

  /** The guest reports something. */
  report(id: string, key: string, value: string): void {
    this.#events.publish({ type: 'guestinfo', id, key, value });
  }

  /** The guest asks to be frozen. */
  freeze(id: string): void {
    this.frozen.add(id);
    this.#events.publish({ type: 'frozen', id });
  }

  /** A write of the guest finds no room, or does at last. */
  wait(id: string, forRoom: boolean): void {
    this.#events.publish({ type: 'waiting', id, forRoom });
  }

  #called(name: string, what: string): void {
    this.calls.push(`${name} ${what}`);
    if (this.failNext !== name) return;
    this.failNext = undefined;
    throw new VicError({ class: 'Internal', code: 'TEST_FAILURE', message: `${name} was told to fail.` });
  }
}

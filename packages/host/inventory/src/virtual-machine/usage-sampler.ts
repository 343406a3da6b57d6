import type { Host } from '../model/host.ts';
import { WELL_KNOWN } from '../model/well-known.ts';
import { Datastore } from '../objects/datastore.ts';
import { HostSystem } from '../objects/host-system.ts';
import { VirtualMachine } from '../objects/virtual-machine.ts';
import type { VmUsage } from './vm-properties.ts';

/** vSphere's real-time interval. */
export const SAMPLE_SECONDS = 20;
/** One hour, as a host keeps. */
const KEPT_SAMPLES = 180;

/** What a machine used at one moment. */
export interface Sample {
  readonly at: Date;
  readonly usage: VmUsage;
}

/** Reads what machines use every twenty seconds and remembers an hour of it. */
export class UsageSampler implements Disposable {
  readonly #host: Host;
  readonly #samples = new Map<string, Sample[]>();
  #timer: NodeJS.Timeout | undefined;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Begins to sample. */
  start(): void {
    this.#timer = setInterval(() => {
      this.sample().catch((error: unknown) => this.#host.logger.warn('Cannot sample usage', { error: String(error) }));
    }, SAMPLE_SECONDS * 1000).unref();
  }

  /** The samples of a machine, oldest first. */
  of(vm: VirtualMachine): readonly Sample[] {
    return this.#samples.get(vm.ref.value) ?? [];
  }

  /** Takes a sample of every running machine and of the datastores. */
  async sample(): Promise<void> {
    const machines = this.#host.objects.all(VirtualMachine);
    const present = new Set(machines.map((vm) => vm.ref.value));
    for (const moid of this.#samples.keys()) if (!present.has(moid)) this.#samples.delete(moid);
    for (const vm of machines) if (vm.record.powerState === 'poweredOn' && !vm.record.frozen) await this.#sampleOne(vm);
    for (const datastore of this.#host.objects.all(Datastore)) await datastore.refresh();
    this.#host.objects.get(WELL_KNOWN.host, HostSystem).refreshUsage();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  async #sampleOne(vm: VirtualMachine): Promise<void> {
    let usage;
    try {
      usage = await this.#host.machines.usage(vm.record.uuid);
    } catch {
      // The machine ended meanwhile: its exit is reported as an event of its own.
      return;
    }
    const samples = this.#samples.getOrInsertComputed(vm.ref.value, () => []);
    const at = this.#host.now();
    const last = samples.at(-1);
    const elapsedMs = last === undefined ? 0 : at.getTime() - last.at.getTime();
    const busyMs = last === undefined ? 0 : Math.max(0, usage.cpuTimeMs - last.usage.cpuTimeMs);
    const cpuMhz = elapsedMs <= 0 ? 0 : Math.round((busyMs / elapsedMs) * this.#host.capacity.cpuMhz);
    samples.push({ at, usage: { ...usage, cpuMhz } });
    if (samples.length > KEPT_SAMPLES) samples.shift();
    vm.setUsage({ ...usage, cpuMhz });
    await vm.refreshStorage();
  }
}

import { Broadcast } from '@vic/async';
import { VicError } from '@vic/errors';
import type { TetherSession } from '../../interaction/index.ts';
import { MACHINE_CHANGED, MACHINE_POWER_STATE } from '../machine.ts';
import type { Machine, MachineChange, MachineInfrastructure, MachineSpec, MachineUpdate } from '../machine.ts';
import { SimulatedGuest } from './simulated-guest.ts';

interface SimulatedMachine {
  machine: Machine;
  guest: SimulatedGuest | undefined;
}

/** An infrastructure in memory: machines whose guests dial whoever listens. */
export class SimulatedHost implements MachineInfrastructure {
  readonly #machines = new Map<string, SimulatedMachine>();
  readonly #updates = new Broadcast<readonly MachineUpdate[]>();
  readonly calls: string[] = [];
  /** Who takes the sessions; `undefined` while there is no endpoint. */
  listener: ((session: TetherSession) => void) | undefined;
  /** Makes the next call of that name fail. */
  readonly failures = new Map<string, Error>();
  hasInstantClone = true;
  #nowNs = 1_700_000_000_000_000_000n;
  #next = 1;

  /** Every look at the clock is a microsecond later. */
  nowNs(): bigint {
    return (this.#nowNs += 1000n);
  }

  machines(): readonly Machine[] {
    return [...this.#machines.values()].map(({ machine }) => machine);
  }

  machineOf(containerId: string): Machine | undefined {
    return this.machines().find((machine) => machine.extraConfig['guestinfo.vic.id'] === containerId);
  }

  guestOf(containerId: string): SimulatedGuest | undefined {
    const ref = this.machineOf(containerId)?.ref;
    return ref === undefined ? undefined : this.#machines.get(ref)?.guest;
  }

  /** Lets every guest dial again, as after a restart of the endpoint. */
  dialAll(): void {
    for (const { guest } of this.#machines.values()) if (guest !== undefined) this.#dial(guest);
  }

  /** One guest loses its connection and dials again. */
  redial(containerId: string): void {
    const guest = this.guestOf(containerId);
    guest?.disconnect();
    if (guest !== undefined) this.#dial(guest);
  }

  async create(spec: MachineSpec): Promise<string> {
    this.#enter('create');
    return this.#add(spec).machine.ref;
  }

  async instantClone(template: string, spec: MachineSpec): Promise<string> {
    this.#enter('instantClone');
    if (!this.hasInstantClone) throw fail('NotSupported', 'NO_INSTANT_CLONE');
    if (this.#get(template).machine.frozen !== true) throw fail('Conflict', 'NOT_FROZEN');
    const added = this.#add(spec);
    this.#boot(added);
    return added.machine.ref;
  }

  async powerOn(ref: string): Promise<void> {
    this.#enter('powerOn');
    const entry = this.#get(ref);
    if (entry.machine.powerState === 'poweredOn') throw fail('Conflict', MACHINE_POWER_STATE);
    this.#boot(entry);
  }

  async powerOff(ref: string): Promise<void> {
    this.#enter('powerOff');
    const entry = this.#get(ref);
    if (entry.machine.powerState === 'poweredOff') throw fail('Conflict', MACHINE_POWER_STATE);
    this.#off(entry);
  }

  async destroy(ref: string): Promise<void> {
    this.#enter('destroy');
    const entry = this.#get(ref);
    if (entry.machine.powerState === 'poweredOn') throw fail('Conflict', MACHINE_POWER_STATE);
    this.#machines.delete(ref);
    this.#updates.publish([{ kind: 'gone', ref }]);
  }

  async reconfigure(ref: string, change: MachineChange): Promise<void> {
    this.#enter('reconfigure');
    const entry = this.#get(ref);
    if (change.changeVersion !== entry.machine.changeVersion) throw fail('Conflict', MACHINE_CHANGED);
    const extraConfig = { ...entry.machine.extraConfig, ...change.extraConfig };
    this.#change(entry, { ...(change.name === undefined ? {} : { name: change.name }), extraConfig });
  }

  async read(ref: string): Promise<Machine | undefined> {
    this.#enter('read');
    return this.#machines.get(ref)?.machine;
  }

  async *watch(signal: AbortSignal): AsyncGenerator<readonly MachineUpdate[], void, undefined> {
    const queue = this.#updates.subscribe(signal);
    yield this.machines().map((machine) => ({ kind: 'changed', machine }));
    yield* queue;
  }

  /** Someone at the infrastructure destroys a machine. */
  vanish(ref: string): void {
    const entry = this.#machines.get(ref);
    if (entry?.machine.powerState === 'poweredOn') this.#off(entry);
    if (this.#machines.delete(ref)) this.#updates.publish([{ kind: 'gone', ref }]);
  }

  /** The kernel of a machine panics. */
  crash(ref: string): void {
    this.#off(this.#get(ref), true);
  }

  /** A machine stands still until somebody answers. */
  ask(ref: string, question: string): void {
    this.#change(this.#get(ref), { question });
  }

  /** Adds a machine as a crashed endpoint may have left it. */
  plant(extraConfig: Readonly<Record<string, string>>): string {
    const shape = { cpus: 1, memoryMiB: 256 };
    const spec = {
      name: 'planted',
      shape,
      disk: undefined,
      nic: undefined,
      interactionUri: '',
      logPath: '',
      extraConfig,
    };
    return this.#add(spec).machine.ref;
  }

  #enter(call: string): void {
    this.calls.push(call);
    const failure = this.failures.get(call);
    this.failures.delete(call);
    if (failure !== undefined) throw failure;
  }

  #add(spec: MachineSpec): SimulatedMachine {
    const ref = `vm-${this.#next++}`;
    const extraConfig = Object.fromEntries(
      Object.entries(spec.extraConfig).filter(([key]) => !/\.secret[^.]*$/.test(key)),
    );
    const machine: Machine = {
      ref,
      name: spec.name,
      powerState: 'poweredOff',
      frozen: false,
      crashed: false,
      question: undefined,
      changeVersion: '1',
      extraConfig,
    };
    const entry = { machine, guest: undefined };
    this.#machines.set(ref, entry);
    this.#updates.publish([{ kind: 'changed', machine }]);
    return entry;
  }

  #boot(entry: SimulatedMachine): void {
    this.#change(entry, { powerState: 'poweredOn', crashed: false });
    const { extraConfig } = entry.machine;
    if (extraConfig['guestinfo.vic.template'] === 'true') {
      this.#change(entry, { frozen: true });
      return;
    }
    const guest = new SimulatedGuest(extraConfig['guestinfo.vic.id'] ?? '', {
      nowNs: () => this.nowNs(),
      report: (key, value) => this.#change(entry, { extraConfig: { ...entry.machine.extraConfig, [key]: value } }),
      off: () => {
        if (entry.guest === guest) this.#off(entry);
      },
    });
    entry.guest = guest;
    queueMicrotask(() => this.#dial(guest));
  }

  #dial(guest: SimulatedGuest): void {
    this.listener?.(guest.connect());
  }

  #off(entry: SimulatedMachine, crashed = false): void {
    entry.guest?.disconnect();
    entry.guest = undefined;
    this.#change(entry, { powerState: 'poweredOff', frozen: false, crashed });
  }

  #change(entry: SimulatedMachine, change: Partial<Machine>): void {
    const isReconfigured = change.extraConfig !== undefined || change.name !== undefined;
    const changeVersion = isReconfigured ? `${Number(entry.machine.changeVersion) + 1}` : entry.machine.changeVersion;
    entry.machine = { ...entry.machine, ...change, changeVersion };
    if (this.#machines.has(entry.machine.ref)) this.#updates.publish([{ kind: 'changed', machine: entry.machine }]);
  }

  #get(ref: string): SimulatedMachine {
    const entry = this.#machines.get(ref);
    if (entry === undefined) throw fail('NotFound', 'NO_MACHINE');
    return entry;
  }
}

function fail(errorClass: 'Conflict' | 'NotFound' | 'NotSupported', code: string): VicError {
  return new VicError({ class: errorClass, code, message: code });
}

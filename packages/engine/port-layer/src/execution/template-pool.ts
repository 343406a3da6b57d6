import { SingleFlight, withDeadline } from '@vic/async';
import { VicError, describeError, isVicError } from '@vic/errors';
import { randomUuid } from '@vic/ids';
import type { Logger } from '@vic/log';
import type { Background } from './background.ts';
import { ChangeSignal } from './change-signal.ts';
import type { Shape } from './container.ts';
import { TEMPLATE_KEY, VCH_KEY } from './container-record.ts';
import type { ExecutionConfiguration } from './dependencies.ts';
import { destroyMachine } from './destroy-machine.ts';
import type { Machine, MachineInfrastructure, MachineSpec } from './machine.ts';

/** What a {@link TemplatePool} works with. */
export interface TemplatePoolDeps {
  readonly machines: MachineInfrastructure;
  readonly background: Background;
  readonly clock: { nowNs(): bigint };
  readonly logger: Logger;
  readonly configuration: ExecutionConfiguration;
}

/** Describes a template; hidden from its guest. */
const DESCRIPTION_KEY = 'vic.template';
/** Tells the embedded host what disk the clones will have; a vCenter Server keeps it and does nothing about it. */
const RESERVED_DISK_KEY = 'hostd.reservedDiskKB';
/** Each keeps the memory of one booted guest. */
const MAX_TEMPLATES = 4;
/** A cold boot under software emulation on a busy machine. */
const FREEZE_TIMEOUT_MS = 120_000;
/** After a failure containers boot cold for a while instead of each trying again. */
const RETRY_AFTER_NS = 60_000_000_000n;

/**
 * The frozen machines that containers are cloned from, one per shape.
 *
 * A template is only an optimisation: whoever cannot have one boots cold.
 */
export class TemplatePool {
  readonly #deps: TemplatePoolDeps;
  readonly #templates = new Map<string, Machine>();
  readonly #lastUsedNs = new Map<string, bigint>();
  readonly #failedNs = new Map<string, bigint>();
  readonly #making = new SingleFlight<string>();
  readonly #changes = new ChangeSignal();
  #supported = true;

  constructor(deps: TemplatePoolDeps) {
    this.#deps = deps;
  }

  /** Whether the machine is a template of this VCH. */
  static isTemplate(machine: Machine): boolean {
    return machine.extraConfig[DESCRIPTION_KEY] !== undefined;
  }

  /** Takes note of a template as it is now; one that is frozen no longer is replaced. */
  observe(machine: Machine): void {
    const before = this.#templates.get(machine.ref);
    this.#templates.set(machine.ref, machine);
    this.#changes.notify();
    if (before?.frozen === true && !machine.frozen) this.#replace(machine);
  }

  /** Takes note that a machine is gone; a template that someone else removed is replaced. */
  forget(ref: string): void {
    const machine = this.#templates.get(ref);
    if (machine === undefined) return;
    this.#templates.delete(ref);
    this.#lastUsedNs.delete(ref);
    this.#changes.notify();
    if (machine.frozen) this.#replace(machine);
  }

  /** Removes templates that an earlier endpoint did not finish, or made from something else. */
  async sweep(signal: AbortSignal): Promise<void> {
    const stale = [...this.#templates.values()].filter((machine) => !machine.frozen || !this.#isCurrent(machine));
    for (const machine of stale) await this.#destroy(machine.ref, signal);
  }

  /** A frozen template of the shape, made now if need be; `undefined` when there can be none at the moment. */
  async take(shape: Shape, signal: AbortSignal): Promise<string | undefined> {
    const key = this.#descriptionOf(shape);
    const nowNs = this.#deps.clock.nowNs();
    const failedNs = this.#failedNs.get(key);
    if (!this.#supported || (failedNs !== undefined && nowNs - failedNs < RETRY_AFTER_NS)) return undefined;
    try {
      const ref = this.#frozen(key) ?? (await this.#make(key, shape, signal));
      this.#lastUsedNs.set(ref, nowNs);
      return ref;
    } catch (error) {
      signal.throwIfAborted();
      this.#deps.logger.warn(`No template for ${shape.cpus} vCPU, ${shape.memoryMiB} MiB: ${describeError(error)}`);
      return undefined;
    }
  }

  /** Gives up a template that could not be cloned, and makes another. */
  discard(ref: string, reason: unknown): void {
    if (isVicError(reason, { class: 'NotSupported' })) this.#supported = false;
    const machine = this.#templates.get(ref);
    if (machine?.frozen === true) this.observe({ ...machine, frozen: false });
  }

  #replace(machine: Machine): void {
    this.#deps.background.run('Replacing a template', async (signal) => {
      await this.#destroy(machine.ref, signal);
      const shape = shapeOf(machine);
      if (shape !== undefined && this.#isCurrent(machine)) await this.take(shape, signal);
    });
  }

  async #make(key: string, shape: Shape, signal: AbortSignal): Promise<string> {
    const flight = this.#making.run(key, async () => {
      try {
        return await this.#makeNow(key, shape);
      } catch (error) {
        this.#failedNs.set(key, this.#deps.clock.nowNs());
        throw error;
      }
    });
    // Others may be waiting for it: who gives up only stops waiting.
    return withDeadline('a template', FREEZE_TIMEOUT_MS, async () => flight, signal);
  }

  async #makeNow(key: string, shape: Shape): Promise<string> {
    const { machines, background, logger } = this.#deps;
    const startedNs = this.#deps.clock.nowNs();
    await this.#makeRoom(background.signal);
    const ref = await machines.create(this.#specOf(key, shape), background.signal);
    try {
      await machines.powerOn(ref, background.signal);
      await withDeadline(
        'the template to freeze',
        FREEZE_TIMEOUT_MS,
        async (signal) => this.#changes.until(() => this.#progressOf(ref), signal),
        background.signal,
      );
    } catch (error) {
      background.run('Removing a failed template', async (signal) => this.#destroy(ref, signal));
      throw error;
    }
    const tookMs = Number((this.#deps.clock.nowNs() - startedNs) / 1_000_000n);
    logger.info('Template ready.', { ...shape, tookMs });
    return ref;
  }

  /** True once frozen; throws when it went off instead. */
  #progressOf(ref: string): true | undefined {
    const machine = this.#templates.get(ref);
    if (machine?.frozen === true) return true;
    // The guest writes down why, before it gives up.
    const error = machine?.extraConfig['guestinfo.vic.status.error'];
    if (error === undefined) return undefined;
    throw new VicError({ class: 'Unavailable', code: 'TEMPLATE_FAILED', message: `The template failed: ${error}` });
  }

  async #makeRoom(signal: AbortSignal): Promise<void> {
    const byUse = [...this.#templates.keys()].toSorted((a, b) => (this.#usedNs(a) < this.#usedNs(b) ? -1 : 1));
    for (const ref of byUse.slice(0, Math.max(0, byUse.length - MAX_TEMPLATES + 1))) await this.#destroy(ref, signal);
  }

  #usedNs(ref: string): bigint {
    return this.#lastUsedNs.get(ref) ?? 0n;
  }

  #specOf(key: string, shape: Shape): MachineSpec {
    const { configuration } = this.#deps;
    const name = `vic-template-${configuration.vchId.slice(0, 8)}-${shape.cpus}x${shape.memoryMiB}-${randomUuid().slice(0, 8)}`;
    return {
      name,
      shape,
      disk: undefined,
      nic: { portGroup: configuration.bridgePortGroup, mac: undefined },
      interactionUri: configuration.interactionUri,
      logPath: `[${configuration.datastore}] ${name}/output.log`,
      extraConfig: {
        [TEMPLATE_KEY]: 'true',
        [DESCRIPTION_KEY]: key,
        [VCH_KEY]: configuration.vchId,
        [RESERVED_DISK_KEY]: String(configuration.diskBytes / 1024),
      },
    };
  }

  #frozen(key: string): string | undefined {
    for (const [ref, machine] of this.#templates) {
      if (machine.frozen && machine.extraConfig[DESCRIPTION_KEY] === key) return ref;
    }
    return undefined;
  }

  #isCurrent(machine: Machine): boolean {
    return machine.extraConfig[DESCRIPTION_KEY]?.endsWith(`@${this.#deps.configuration.templateVersion}`) === true;
  }

  #descriptionOf(shape: Shape): string {
    return `${shape.cpus}x${shape.memoryMiB}@${this.#deps.configuration.templateVersion}`;
  }

  async #destroy(ref: string, signal: AbortSignal): Promise<void> {
    this.#templates.delete(ref);
    await destroyMachine(this.#deps.machines, ref, signal);
  }
}

function shapeOf(machine: Machine): Shape | undefined {
  const match = /^(\d+)x(\d+)@/.exec(machine.extraConfig[DESCRIPTION_KEY] ?? '');
  return match === null ? undefined : { cpus: Number(match[1]), memoryMiB: Number(match[2]) };
}

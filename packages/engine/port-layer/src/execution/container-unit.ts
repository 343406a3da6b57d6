import { Mutex } from '@vic/async';
import type { ContainerId } from '@vic/ids';
import type { Logger } from '@vic/log';
import { formatRfc3339 } from '@vic/time';
import type { TetherSession } from '../interaction/index.ts';
import { AttachHub } from './attach-hub.ts';
import { ChangeSignal } from './change-signal.ts';
import type { Container, ContainerState, PortBinding, ProcessConfig, StartError } from './container.ts';
import type { ContainerRecord } from './container-record.ts';
import type { ContainerHappening } from './events.ts';
import type { Machine } from './machine.ts';
import { parseTimeNs, secondsBetween } from './time.ts';

/** How a run ended. */
export interface RunEnd {
  readonly exitCode: number;
  readonly oom: boolean;
  readonly timeNs: bigint;
  /** Why the infrastructure, not the process, ended it. */
  readonly error?: string;
}

/** What a unit reports to. */
export interface UnitDeps {
  readonly publish: (container: Container, happening: ContainerHappening) => void;
  /** Called in the step in which the process has ended. */
  readonly onEnded: (unit: ContainerUnit) => void;
  readonly logger: Logger;
}

/**
 * One container: its record, its machine and session as last seen, and its state.
 *
 * State changes happen here and nowhere else, each in one step, so that each event is published exactly once
 * whichever of its several witnesses (tether, guestinfo, power state) comes first.
 */
export class ContainerUnit {
  /** Serialises start, removal and reconfiguration. */
  readonly lock = new Mutex();
  /** Wakes who waits for anything about this container. */
  readonly changes = new ChangeSignal();
  /** Wakes readers of the log. */
  readonly logChanges = new ChangeSignal();
  readonly attachments: AttachHub;
  record: ContainerRecord;
  machine: Machine;
  session: TetherSession | undefined;
  publishedPorts: readonly PortBinding[] = [];
  consoleSize: ProcessConfig['consoleSize'];
  /** A start is under way. */
  starting = false;
  /** The session a launch was sent on and not answered yet. */
  launchingOn: TetherSession | undefined;
  /** How often a start was tried. */
  starts = 0;
  /** We powered the VM on and its tether has not been heard of since; any other boot is someone else's. */
  bootExpected = false;
  /** The boot the tether was last heard of in. */
  bootId: string | undefined;
  /** A restart keeps a container that would remove itself at its end. */
  restarting = false;
  /** Nothing is left of it. */
  isRemoved = false;
  /** How the last run, or try to start one, ended; kept while the container is removed. */
  lastExit: { readonly exitCode: number; readonly error?: string } = { exitCode: 0 };
  /** How often the process has ended. */
  exits = 0;
  #state: ContainerState;
  readonly #deps: UnitDeps;

  constructor(record: ContainerRecord, machine: Machine, state: ContainerState, deps: UnitDeps) {
    this.record = record;
    this.machine = machine;
    this.#state = state;
    this.#deps = deps;
    if (state.status === 'exited') this.lastExit = { exitCode: state.exitCode };
    this.consoleSize = record.config.process.consoleSize;
    this.attachments = new AttachHub(record.config.process, deps.logger);
  }

  get id(): ContainerId {
    return this.record.config.id;
  }

  get state(): ContainerState {
    return this.#state;
  }

  /** The container as others see it. */
  snapshot(): Container {
    return {
      config: this.record.config,
      createdAt: this.record.createdAt,
      state: this.#state,
      shape: this.record.shape,
      endpoint: this.record.endpoint,
      publishedPorts: this.publishedPorts,
      restartCount: 0,
      vm: { name: this.machine.name, path: this.record.diskPath.slice(0, this.record.diskPath.lastIndexOf('/')) },
    };
  }

  /** Publishes something that changes no state. */
  publish(happening: ContainerHappening): void {
    this.#deps.publish(this.snapshot(), happening);
  }

  /**
   * The process runs. News of a run that is known, or over already, is ignored; the answer to a launch is
   * believed whatever the clocks say.
   */
  markStarted(startedNs: bigint, pid: number, source: 'answer' | 'news'): void {
    const state = this.#state;
    if (state.status === 'removing') return;
    if (state.status === 'running') {
      if (state.pid !== pid && pid !== 0) this.#become({ ...state, pid });
      return;
    }
    const isOld = state.status === 'exited' && startedNs <= (parseTimeNs(state.finishedAt) ?? 0n);
    if (isOld && source === 'news') return;
    this.#become({ status: 'running', startedAt: formatRfc3339(startedNs), pid });
    this.publish({ type: 'container.started' });
  }

  /** The process has ended; ignored unless it ran. */
  markEnded(end: RunEnd): boolean {
    const state = this.#state;
    if (state.status !== 'running') return false;
    this.exits++;
    this.lastExit = { exitCode: end.exitCode, ...(end.error === undefined ? {} : { error: end.error }) };
    this.publishedPorts = [];
    this.#become({
      status: 'exited',
      startedAt: state.startedAt,
      finishedAt: formatRfc3339(end.timeNs),
      exitCode: end.exitCode,
      oomKilled: end.oom,
      ...(end.error === undefined ? {} : { error: end.error }),
    });
    this.attachments.finish();
    if (end.oom) this.publish({ type: 'container.oom' });
    const durationSeconds = secondsBetween(parseTimeNs(state.startedAt) ?? end.timeNs, end.timeNs);
    this.publish({ type: 'container.died', exitCode: end.exitCode, durationSeconds });
    this.#deps.onEnded(this);
    return true;
  }

  /** The process could not be started. */
  markStartFailed(startError: StartError): void {
    const state = this.#state;
    // Who waits for the end is not told why: who asked for the start is.
    this.lastExit = { exitCode: startError.exitCode };
    if (state.status === 'created') this.#become({ status: 'created', startError });
    else if (state.status === 'exited') {
      this.#become({ ...state, exitCode: startError.exitCode, error: startError.message });
    }
    this.attachments.finish();
  }

  /** The container is being removed; gives a way back for a removal that fails. */
  markRemoving(): () => void {
    const before = this.#state;
    this.#become({ status: 'removing' });
    return () => this.#become(before);
  }

  #become(state: ContainerState): void {
    this.#state = state;
    this.changes.notify();
  }
}

import { Broadcast, withDeadline } from '@vic/async';
import { VicError } from '@vic/errors';
import type { TetherSession } from '../interaction/index.ts';
import { Background } from './background.ts';
import { commitEdit } from './commit.ts';
import { containerLogs } from './container-logs.ts';
import { ContainerRegistry } from './container-registry.ts';
import { containerSecret } from './container-secret.ts';
import type { ContainerUnit } from './container-unit.ts';
import type { Container, NewContainer, ProcessConfig, WaitCondition } from './container.ts';
import { createContainer } from './create-container.ts';
import type { ExecutionDeps } from './dependencies.ts';
import { killContainer, stopContainer } from './end-container.ts';
import type { StopOptions } from './end-container.ts';
import type { ContainerHappening, PortLayerEvent } from './events.ts';
import { ExecSessions } from './exec-sessions.ts';
import type { ExecutionContext } from './execution-context.ts';
import type { AttachedStreams, ExecSession, Execution, LogLine, LogOptions } from './execution.ts';
import { takeUpdate } from './follow-machines.ts';
import { rename } from './handle.ts';
import { loadContainers } from './load-containers.ts';
import { receiveSession } from './receive-session.ts';
import { removeContainer, removeInBackground } from './remove-container.ts';
import { startContainer } from './start-container.ts';
import { TemplatePool } from './template-pool.ts';
import { waitForContainer } from './wait-container.ts';

/** How long the infrastructure may take to list the VCH's machines. */
const LOAD_TIMEOUT_MS = 60_000;

/** The containers of one VCH over the vSphere API. Made with {@link VchExecution.open}. */
export class VchExecution implements Execution, AsyncDisposable {
  readonly #events = new Broadcast<PortLayerEvent>();
  readonly #context: ExecutionContext;
  readonly #execs: ExecSessions;
  readonly #background: Background;

  private constructor(deps: ExecutionDeps) {
    this.#background = new Background(deps.logger);
    this.#execs = new ExecSessions(this.#background);
    const context: ExecutionContext = {
      ...deps,
      registry: new ContainerRegistry(),
      templates: new TemplatePool({ ...deps, background: this.#background }),
      background: this.#background,
      unitDeps: {
        logger: deps.logger,
        publish: (container, happening) => this.#publish(container, happening),
        onEnded: (unit) => this.#afterEnd(unit),
      },
      making: new Map(),
      abandoned: new Set(),
      removed: new Set(),
    };
    this.#context = context;
  }

  /** Rebuilds the state from the infrastructure and follows it from then on. */
  static async open(deps: ExecutionDeps, signal: AbortSignal): Promise<VchExecution> {
    const execution = new VchExecution(deps);
    await execution.#open(signal);
    return execution;
  }

  /** The secret a container's tether proves itself with; `undefined` for what is no container of this VCH. */
  secretOf(vmId: string): string | undefined {
    const { registry, making, configuration } = this.#context;
    const isOurs = registry.byId(vmId) !== undefined || making.has(vmId);
    return isOurs ? containerSecret(configuration.vchKey, vmId) : undefined;
  }

  /** Takes the authenticated session of a container's tether. */
  receiveSession(session: TetherSession): void {
    const unit = this.#context.registry.byId(session.vmId);
    const making = this.#context.making.get(session.vmId);
    if (unit !== undefined) {
      // First of all: the container's end ends the execs that its tether does not speak of.
      this.#execs.adopt(unit, session);
      receiveSession(this.#context, unit, session);
    } else if (making !== undefined) making.session = session;
    else session.close();
  }

  async create(request: NewContainer, signal: AbortSignal): Promise<Container> {
    return (await createContainer(this.#context, request, signal)).snapshot();
  }

  get(container: string): Container {
    return this.#unit(container).snapshot();
  }

  list(): readonly Container[] {
    return this.#context.registry.all().map((unit) => unit.snapshot());
  }

  async start(container: string, signal: AbortSignal): Promise<void> {
    await startContainer(this.#context, this.#unit(container), signal);
  }

  async stop(container: string, options: StopOptions, signal: AbortSignal): Promise<void> {
    await stopContainer(this.#context, this.#unit(container), options, signal);
  }

  async kill(container: string, signalName: string, signal: AbortSignal): Promise<void> {
    await killContainer(this.#context, this.#unit(container), signalName, signal);
  }

  async restart(container: string, options: StopOptions, signal: AbortSignal): Promise<void> {
    const unit = this.#unit(container);
    unit.restarting = true;
    try {
      if (unit.state.status === 'running') await stopContainer(this.#context, unit, options, signal);
      await startContainer(this.#context, unit, signal);
    } catch (error) {
      if (unit.state.status === 'exited' && unit.record.config.autoRemove) removeInBackground(this.#context, unit);
      throw error;
    } finally {
      unit.restarting = false;
    }
    unit.publish({ type: 'container.restarted' });
  }

  async rename(container: string, name: string, signal: AbortSignal): Promise<void> {
    const unit = this.#unit(container);
    const { registry, networks, configuration } = this.#context;
    await unit.lock.run(async () => {
      const oldName = unit.record.config.name;
      if (name === oldName) throw sameName();
      registry.reserveName(name, unit.id);
      try {
        await commitEdit(this.#context, unit, (handle) => rename(handle, name, configuration), signal);
      } catch (error) {
        registry.releaseName(name, unit.id);
        throw error;
      }
      registry.releaseName(oldName, unit.id);
      networks.rename(unit.id, name);
      unit.publish({ type: 'container.renamed', oldName });
    });
  }

  async remove(container: string, options: { readonly force: boolean }, signal: AbortSignal): Promise<void> {
    await removeContainer(this.#context, this.#unit(container), options, signal);
  }

  async wait(
    container: string,
    condition: WaitCondition,
    signal: AbortSignal,
  ): Promise<{ readonly exitCode: number; readonly error?: string }> {
    return waitForContainer(this.#unit(container), condition, signal);
  }

  async attach(container: string, options: { readonly stdin: boolean }, signal: AbortSignal): Promise<AttachedStreams> {
    signal.throwIfAborted();
    const unit = this.#unit(container);
    // A session whose process has ended has nothing to attach to: the streams begin with the next start.
    const session = unit.session?.status.state === 'exited' ? undefined : unit.session;
    const streams = unit.attachments.attach(options, session);
    signal.addEventListener('abort', () => streams.detach(), { once: true });
    return streams;
  }

  async *logs(container: string, options: LogOptions, signal: AbortSignal): AsyncGenerator<LogLine, void, undefined> {
    yield* containerLogs(this.#context, this.#unit(container), options, signal);
  }

  async resize(container: string, rows: number, columns: number): Promise<void> {
    const unit = this.#unit(container);
    unit.consoleSize = { rows, columns };
    if (unit.state.status !== 'running') return;
    await unit.session?.resize({ rows, cols: columns });
    unit.publish({ type: 'container.resized', rows, columns });
  }

  async createExec(container: string, process: ProcessConfig): Promise<ExecSession> {
    return this.#execs.create(this.#unit(container), process);
  }

  exec(id: string): ExecSession {
    return this.#execs.get(id);
  }

  async startExec(id: string, signal: AbortSignal): Promise<AttachedStreams> {
    return this.#execs.start(id, signal);
  }

  async resizeExec(id: string, rows: number, columns: number): Promise<void> {
    await this.#execs.resize(id, rows, columns);
  }

  execsOf(container: string): readonly ExecSession[] {
    return this.#execs.of(this.#unit(container).id);
  }

  events(signal: AbortSignal): AsyncIterable<PortLayerEvent> {
    return this.#events.subscribe(signal);
  }

  /** Stops following; containers go on. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#background[Symbol.asyncDispose]();
    this.#events.close();
  }

  async #open(signal: AbortSignal): Promise<void> {
    const context = this.#context;
    const updates = context.machines.watch(this.#background.signal)[Symbol.asyncIterator]();
    const first = await withDeadline('the VMs of the VCH', LOAD_TIMEOUT_MS, async () => updates.next(), signal);
    const machines = (first.done === true ? [] : first.value).flatMap((update) =>
      update.kind === 'changed' ? [update.machine] : [],
    );
    await loadContainers(context, machines, signal);
    this.#background.run('Following the VMs of the VCH', async () => {
      for (let next = await updates.next(); next.done !== true; next = await updates.next()) {
        for (const update of next.value) takeUpdate(context, update);
      }
    });
    this.#background.run('Preparing templates', async (running) => {
      await context.templates.sweep(running);
      await context.templates.take(context.configuration.defaultShape, running);
    });
  }

  /** Runs in the step in which a process has ended; the clean-up follows when the container's lock is free. */
  #afterEnd(unit: ContainerUnit): void {
    const context = this.#context;
    this.#execs.containerEnded(unit.id);
    if (unit.record.config.autoRemove && !unit.restarting) {
      removeInBackground(context, unit);
      return;
    }
    this.#background.run(`Disconnecting ${unit.id}`, async () =>
      unit.lock.run(async () => {
        if (unit.state.status !== 'exited') return;
        await context.networks.disconnect(unit.id);
        if (unit.record.endpoint !== undefined) unit.publish({ type: 'network.disconnected' });
      }),
    );
  }

  #publish(container: Container, happening: ContainerHappening): void {
    if (happening.type === 'container.removed') this.#execs.forget(happening.id);
    this.#events.publish({ timeNs: this.#context.clock.nowNs(), container, ...happening });
  }

  #unit(reference: string): ContainerUnit {
    return this.#context.registry.resolve(reference);
  }
}

function sameName(): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'CONTAINER_SAME_NAME',
    message: 'Renaming a container with the same name as its current name',
  });
}

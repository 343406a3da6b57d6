import { Broadcast } from '@vic/async';
import { VicError } from '@vic/errors';
import { type ExecId, randomHexId } from '@vic/ids';
import type {
  AttachedStreams,
  Container,
  ExecSession,
  Execution,
  LogLine,
  LogOptions,
  NewContainer,
  PortLayerEvent,
  ProcessConfig,
  WaitCondition,
} from '@vic/port-layer';
import { MemoryContainer } from './memory-container.ts';
import { MemoryProcess, ProgramStartError } from './memory-process.ts';

/** What happens to a container, without the parts every event has. */
type Happening = PortLayerEvent extends infer E
  ? E extends PortLayerEvent
    ? Omit<E, 'timeNs' | 'container'>
    : never
  : never;

interface Exec {
  session: ExecSession;
  readonly process: MemoryProcess;
}

/** A port layer whose containers live in memory and whose processes are async functions, for tests. */
export class MemoryExecution implements Execution {
  readonly #containers = new Map<string, MemoryContainer>();
  readonly #execs = new Map<string, Exec>();
  readonly #events = new Broadcast<PortLayerEvent>();
  #made = 0;
  #nextPort = 32_768;

  async create(request: NewContainer, signal: AbortSignal): Promise<Container> {
    signal.throwIfAborted();
    if (this.#all().some(({ config }) => config.name === request.name)) {
      throw new VicError({
        class: 'AlreadyExists',
        code: 'CONTAINER_NAME_TAKEN',
        message: `The name ${request.name} is taken.`,
      });
    }
    // Distinct times keep "newest first" defined for containers made within one millisecond.
    const createdAt = new Date(Date.now() + this.#made / 1000)
      .toISOString()
      .replace('Z', `${String(this.#made++ % 1000).padStart(3, '0')}Z`);
    const container = new MemoryContainer(request, createdAt, `172.16.0.${2 + this.#containers.size}`);
    this.#containers.set(request.id, container);
    this.#publish(container, { type: 'container.created' });
    return container.snapshot();
  }

  get(reference: string): Container {
    return this.#find(reference).snapshot();
  }

  list(): readonly Container[] {
    return this.#all().map((container) => container.snapshot());
  }

  async start(reference: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const container = this.#find(reference);
    if (container.state.status === 'running') {
      throw new VicError({ class: 'NotModified', code: 'CONTAINER_RUNNING', message: 'It runs already.' });
    }
    const { process } = container;
    let program;
    try {
      program = process.program();
    } catch (error) {
      if (error instanceof ProgramStartError) this.#startFailed(container, error);
      throw error;
    }
    container.publishedPorts = container.config.ports.map((port) => ({
      ...port,
      hostPort: port.hostPort === 0 ? this.#nextPort++ : port.hostPort,
    }));
    const startedMs = Date.now();
    container.state = { status: 'running', startedAt: new Date(startedMs).toISOString(), pid: 1 };
    if (container.config.network !== 'none') this.#publish(container, { type: 'network.connected' });
    this.#publish(container, { type: 'container.started' });
    void process.run(program).then((exitCode) => this.#exited(container, process, exitCode, startedMs));
  }

  async stop(reference: string, options: { signal?: string; timeoutSeconds?: number }): Promise<void> {
    const container = this.#running(reference, 'NotModified');
    const { promise, resolve } = Promise.withResolvers<void>();
    void this.#nextChange(container).then(resolve);
    container.process.kill(options.signal ?? container.config.stopSignal);
    await promise;
    this.#publish(container, { type: 'container.stopped' });
  }

  async kill(reference: string, signalName: string): Promise<void> {
    const container = this.#running(reference, 'Conflict');
    this.#publish(container, { type: 'container.killed', signal: signalName });
    if (['SIGKILL', 'SIGTERM', 'SIGINT'].includes(signalName)) {
      const ended = this.#nextChange(container);
      container.process.kill(signalName);
      await ended;
    }
  }

  async restart(
    reference: string,
    options: { signal?: string; timeoutSeconds?: number },
    signal: AbortSignal,
  ): Promise<void> {
    const container = this.#find(reference);
    if (container.state.status === 'running') await this.stop(reference, options);
    container.restartCount++;
    await this.start(reference, signal);
    this.#publish(container, { type: 'container.restarted' });
  }

  async rename(reference: string, name: string): Promise<void> {
    const container = this.#find(reference);
    const oldName = container.config.name;
    container.config = { ...container.config, name };
    this.#publish(container, { type: 'container.renamed', oldName });
  }

  async remove(reference: string, options: { force: boolean }): Promise<void> {
    const container = this.#find(reference);
    if (container.state.status === 'running') {
      if (!options.force) throw new VicError({ class: 'Conflict', code: 'CONTAINER_RUNNING', message: 'It runs.' });
      await this.kill(reference, 'SIGKILL');
    }
    this.#forget(container);
  }

  async wait(
    reference: string,
    condition: WaitCondition,
    signal: AbortSignal,
  ): Promise<{ exitCode: number; error?: string }> {
    const container = this.#find(reference);
    if (condition === 'not-running' && container.state.status !== 'running') return container.lastExit;
    for await (const change of container.changed.subscribe(signal)) {
      if (condition !== 'removed' || change === 'removed') return container.lastExit;
    }
    throw new VicError({ class: 'Cancelled', code: 'WAIT_CANCELLED', message: 'Nobody waits any more.' });
  }

  async attach(reference: string, options: { stdin: boolean }): Promise<AttachedStreams> {
    return this.#find(reference).process.attach(options.stdin);
  }

  async *logs(reference: string, options: LogOptions, signal: AbortSignal): AsyncGenerator<LogLine, void, undefined> {
    const container = this.#find(reference);
    const wanted = (line: LogLine): boolean =>
      options[line.stream] &&
      (options.sinceNs === undefined || line.timeNs >= options.sinceNs) &&
      (options.untilNs === undefined || line.timeNs <= options.untilNs);
    const end = new AbortController();
    const live =
      options.follow && container.state.status === 'running'
        ? container.logged.subscribe(AbortSignal.any([signal, end.signal]))
        : undefined;
    if (live !== undefined) void this.#nextChange(container).then(() => end.abort());
    const past = container.log.filter(wanted);
    yield* options.tail === undefined ? past : past.slice(Math.max(0, past.length - options.tail));
    for await (const line of live ?? []) if (wanted(line)) yield line;
  }

  async resize(reference: string, rows: number, columns: number): Promise<void> {
    const container = this.#find(reference);
    container.process.resize(rows, columns);
    this.#publish(container, { type: 'container.resized', rows, columns });
  }

  async createExec(reference: string, process: ProcessConfig): Promise<ExecSession> {
    const container = this.#running(reference, 'Conflict');
    const id = randomHexId<ExecId>();
    const session: ExecSession = { id, containerId: container.config.id, process, state: { status: 'created' } };
    this.#execs.set(id, { session, process: new MemoryProcess(process, () => undefined) });
    this.#publish(container, { type: 'exec.created', execId: id });
    return session;
  }

  exec(id: string): ExecSession {
    return this.#findExec(id).session;
  }

  async startExec(id: string): Promise<AttachedStreams> {
    const exec = this.#findExec(id);
    const { process, session } = exec;
    const container = this.#find(session.containerId);
    const setState = (state: ExecSession['state']): void => {
      exec.session = { ...exec.session, state };
    };
    const died = (exitCode: number): void => {
      setState({ status: 'exited', exitCode });
      process.closeOutput();
      this.#publish(container, { type: 'exec.died', execId: session.id, exitCode });
    };
    this.#publish(container, { type: 'exec.started', execId: session.id });
    try {
      const program = process.program();
      setState({ status: 'running', pid: 42 });
      const streams = process.attach(true);
      void process.run(program).then(died);
      return streams;
    } catch (error) {
      if (error instanceof ProgramStartError) died(error.exitCode);
      throw error;
    }
  }

  async resizeExec(id: string, rows: number, columns: number): Promise<void> {
    this.#findExec(id).process.resize(rows, columns);
  }

  execsOf(reference: string): readonly ExecSession[] {
    const { id } = this.#find(reference).config;
    return [...this.#execs.values()].map(({ session }) => session).filter(({ containerId }) => containerId === id);
  }

  events(signal: AbortSignal): AsyncIterable<PortLayerEvent> {
    return this.#events.subscribe(signal);
  }

  #all(): MemoryContainer[] {
    return [...this.#containers.values()];
  }

  #find(reference: string): MemoryContainer {
    const exact = this.#containers.get(reference) ?? this.#all().find(({ config }) => config.name === reference);
    if (exact !== undefined) return exact;
    const [found, ...others] = this.#all().filter(({ config }) => reference !== '' && config.id.startsWith(reference));
    if (others.length > 0)
      throw new VicError({ class: 'InvalidArgument', code: 'CONTAINER_AMBIGUOUS', message: 'Several match.' });
    if (found === undefined)
      throw new VicError({ class: 'NotFound', code: 'CONTAINER_NOT_FOUND', message: 'There is none.' });
    return found;
  }

  #findExec(id: string): Exec {
    const exec = this.#execs.get(id);
    if (exec === undefined)
      throw new VicError({ class: 'NotFound', code: 'EXEC_NOT_FOUND', message: 'There is none.' });
    return exec;
  }

  #running(reference: string, otherwise: 'NotModified' | 'Conflict'): MemoryContainer {
    const container = this.#find(reference);
    if (container.state.status === 'running') return container;
    throw new VicError({ class: otherwise, code: 'CONTAINER_NOT_RUNNING', message: 'It does not run.' });
  }

  #startFailed(container: MemoryContainer, error: ProgramStartError): void {
    container.state = { status: 'created', startError: { exitCode: error.exitCode, message: error.message } };
    container.lastExit = { exitCode: error.exitCode, error: error.message };
    container.process.closeOutput();
    container.process = container.newProcess();
    container.changed.publish('exited');
    if (container.config.autoRemove) this.#forget(container);
  }

  #exited(container: MemoryContainer, process: MemoryProcess, exitCode: number, startedMs: number): void {
    const startedAt = new Date(startedMs).toISOString();
    container.state = { status: 'exited', startedAt, finishedAt: new Date().toISOString(), exitCode, oomKilled: false };
    container.lastExit = { exitCode };
    container.publishedPorts = [];
    container.process = container.newProcess();
    process.closeOutput();
    for (const exec of this.#execs.values())
      if (exec.session.containerId === container.config.id) exec.process.kill('SIGKILL');
    if (container.config.network !== 'none') this.#publish(container, { type: 'network.disconnected' });
    this.#publish(container, { type: 'container.died', exitCode, durationSeconds: (Date.now() - startedMs) / 1000 });
    container.changed.publish('exited');
    if (container.config.autoRemove) this.#forget(container);
  }

  #forget(container: MemoryContainer): void {
    this.#containers.delete(container.config.id);
    this.#publish(container, { type: 'container.removed', id: container.config.id });
    container.changed.publish('removed');
    container.changed.close();
    container.logged.close();
  }

  async #nextChange(container: MemoryContainer): Promise<void> {
    const stop = new AbortController();
    for await (const _ of container.changed.subscribe(stop.signal)) break;
    stop.abort();
  }

  #publish(container: MemoryContainer, happening: Happening): void {
    this.#events.publish({
      ...happening,
      timeNs: BigInt(Date.now()) * 1_000_000n,
      container: container.snapshot(),
    } as PortLayerEvent);
  }
}

import { VicError, describeError, isVicError } from '@vic/errors';
import { randomHexId } from '@vic/ids';
import type { ContainerId, ExecId } from '@vic/ids';
import type { FoundExec, ExecSession as TetherExec, TetherSession } from '../interaction/index.ts';
import { StartFailedError } from '../interaction/index.ts';
import type { Background } from './background.ts';
import type { ContainerUnit } from './container-unit.ts';
import type { ProcessConfig } from './container.ts';
import { KILLED_EXIT_CODE } from './end-container.ts';
import { decodeExecRecord, encodeExecRecord } from './exec-record.ts';
import type { ExecRecord } from './exec-record.ts';
import type { AttachedStreams, ExecSession } from './execution.ts';
import { processSpecOf } from './launch-spec.ts';
import { containerNotRunning, reachTether } from './reach-tether.ts';

interface ExecEntry {
  session: ExecSession;
  readonly unit: ContainerUnit;
  /** Its start was asked for and is not answered yet. */
  starting: boolean;
  consoleSize: ProcessConfig['consoleSize'];
  /** The connection it was last heard of on. */
  heardOn: TetherSession | undefined;
  /** Undefined also while the tether is away. */
  running: FoundExec | Pick<TetherExec, 'resize' | 'exited'> | undefined;
}

/** Exec sessions that ended are kept for inspection, as many as this per container. */
const MAX_ENDED = 100;

/** The exec sessions of all containers. */
export class ExecSessions {
  readonly #entries = new Map<string, ExecEntry>();
  readonly #background: Background;

  constructor(background: Background) {
    this.#background = background;
  }

  /** Notes down a process to run later; the container has to run. */
  create(unit: ContainerUnit, process: ProcessConfig): ExecSession {
    if (unit.state.status !== 'running') throw containerNotRunning(unit);
    const session: ExecSession = {
      id: randomHexId<ExecId>(),
      containerId: unit.id,
      process,
      state: { status: 'created' },
    };
    this.#entries.set(session.id, {
      session,
      unit,
      starting: false,
      consoleSize: process.consoleSize,
      heardOn: undefined,
      running: undefined,
    });
    this.#forgetOldest(unit.id);
    unit.publish({ type: 'exec.created', execId: session.id });
    return session;
  }

  get(id: string): ExecSession {
    return this.#entry(id).session;
  }

  of(containerId: ContainerId): readonly ExecSession[] {
    return [...this.#entries.values()].filter((e) => e.unit.id === containerId).map((entry) => entry.session);
  }

  /** Forgets everything about a removed container. */
  forget(containerId: ContainerId): void {
    for (const session of this.of(containerId)) this.#entries.delete(session.id);
  }

  /** Starts the process and gives its streams. */
  async start(id: string, signal: AbortSignal): Promise<AttachedStreams> {
    const entry = this.#entry(id);
    if (entry.session.state.status !== 'created') throw alreadyStarted(id);
    const { unit } = entry;
    if (unit.state.status !== 'running') throw containerNotRunning(unit);
    // Claimed before the first wait, so that it cannot be started twice.
    become(entry, { status: 'running', pid: 0 });
    entry.starting = true;
    let running: TetherExec;
    let startedAtSize: ProcessConfig['consoleSize'];
    try {
      const session = await reachTether(unit, signal);
      entry.heardOn = session;
      startedAtSize = entry.consoleSize;
      running = await session.exec(execSpecOf(entry), signal, encodeExecRecord(entry.session));
    } catch (error) {
      const exitCode = error instanceof StartFailedError ? error.execExitCode : 126;
      become(entry, { status: 'exited', exitCode, error: describeError(error) });
      throw error;
    } finally {
      entry.starting = false;
    }
    entry.running = running;
    // Clients tell the size of their terminal as soon as they have asked for the start, not when it is done.
    const { consoleSize } = entry;
    if (consoleSize !== undefined && consoleSize !== startedAtSize) await resizeStarted(running, consoleSize);
    become(entry, { status: 'running', pid: running.pid });
    unit.publish({ type: 'exec.started', execId: entry.session.id });
    this.#background.run(`Following exec ${id}`, async () => follow(entry, running));
    const { openStdin, tty } = entry.session.process;
    return {
      stdin: openStdin ? running.stdin : undefined,
      stdout: running.stdout,
      stderr: tty ? undefined : running.stderr,
      detach: () => discardOutput(running),
    };
  }

  /**
   * Takes up what a container's new session says of processes that were started before it: those still running,
   * and the ends nobody heard of. Those it does not know are over.
   */
  adopt(unit: ContainerUnit, session: TetherSession): void {
    for (const found of session.found) {
      const record = decodeExecRecord(found.session);
      const entry = record === undefined ? undefined : this.#entryOf(unit, record, found.pid);
      if (entry === undefined) continue;
      entry.running = found;
      entry.heardOn = session;
      this.#background.run(`Following exec ${entry.session.id}`, async () => follow(entry, found));
    }
    this.#endLost(unit.id);
  }

  /** The container's process has ended, and with it all others whose ends nobody will tell. */
  containerEnded(containerId: ContainerId): void {
    this.#endLost(containerId);
  }

  /** Sets the size of the terminal, now or at start. */
  async resize(id: string, rows: number, columns: number): Promise<void> {
    const entry = this.#entry(id);
    entry.consoleSize = { rows, columns };
    await entry.running?.resize({ rows, cols: columns });
  }

  /** The entry of a process that was found, made anew after a restart; `undefined` when it is not for this container. */
  #entryOf(unit: ContainerUnit, { id, process }: ExecRecord, pid: number): ExecEntry | undefined {
    const known = this.#entries.get(id);
    if (known !== undefined) return known.unit === unit && known.session.state.status === 'running' ? known : undefined;
    const found: ProcessConfig = {
      env: [],
      cwd: '/',
      groups: [],
      consoleSize: undefined,
      stdinOnce: false,
      ...process,
    };
    const state = { status: 'running', pid } as const;
    const session: ExecSession = { id, containerId: unit.id, process: found, state };
    const entry: ExecEntry = {
      session,
      unit,
      starting: false,
      consoleSize: undefined,
      heardOn: undefined,
      running: undefined,
    };
    this.#entries.set(id, entry);
    this.#forgetOldest(unit.id);
    return entry;
  }

  #endLost(containerId: ContainerId): void {
    for (const entry of this.#entries.values()) {
      const { session, unit, running, starting } = entry;
      if (unit.id !== containerId || running !== undefined || starting || session.state.status !== 'running') continue;
      end(entry, { exitCode: KILLED_EXIT_CODE, error: 'Nothing more was heard of it.' });
    }
  }

  #entry(id: string): ExecEntry {
    const entry = this.#entries.get(id);
    if (entry !== undefined) return entry;
    throw new VicError({ class: 'NotFound', code: 'EXEC_NOT_FOUND', message: `No such exec instance: ${id}` });
  }

  #forgetOldest(containerId: ContainerId): void {
    const ended = this.of(containerId).filter((session) => session.state.status !== 'running');
    for (const session of ended.slice(0, Math.max(0, ended.length - MAX_ENDED))) this.#entries.delete(session.id);
  }
}

/** A process that has ended already needs no size; its end is reported by itself. */
async function resizeStarted(running: TetherExec, size: { rows: number; columns: number }): Promise<void> {
  await running.resize({ rows: size.rows, cols: size.columns }).catch(() => undefined);
}

/**
 * Nobody listens any more. The process goes on, and what it writes is thrown away here: giving its streams up
 * would also give up the news of its end.
 */
function discardOutput(running: TetherExec): void {
  running.stdout.resume();
  running.stderr.resume();
}

async function follow(entry: ExecEntry, running: Pick<TetherExec, 'exited'>): Promise<void> {
  try {
    const { code } = await running.exited;
    end(entry, { exitCode: code });
  } catch (error) {
    // Its tether has dialed again and told of it.
    if (entry.running !== running) return;
    entry.running = undefined;
    if (!mayGoOn(entry, error)) end(entry, { exitCode: KILLED_EXIT_CODE, error: describeError(error) });
  }
}

/** Without its connection a process may well go on: its tether tells, unless it has come back and did not. */
function mayGoOn({ unit, heardOn }: ExecEntry, error: unknown): boolean {
  const hasComeBack = unit.session !== undefined && unit.session !== heardOn;
  return isVicError(error, { code: 'TETHER_DISCONNECTED' }) && unit.state.status === 'running' && !hasComeBack;
}

function end(entry: ExecEntry, how: { readonly exitCode: number; readonly error?: string }): void {
  entry.running = undefined;
  if (entry.session.state.status === 'exited') return;
  become(entry, { status: 'exited', ...how });
  entry.unit.publish({ type: 'exec.died', execId: entry.session.id, exitCode: how.exitCode });
}

function become(entry: ExecEntry, state: ExecSession['state']): void {
  entry.session = { ...entry.session, state };
}

/** An exec runs with the container's environment under its own. */
function execSpecOf(entry: ExecEntry): ReturnType<typeof processSpecOf> {
  const { process } = entry.session;
  const own = new Set(process.env.map(nameOf));
  const inherited = entry.unit.record.config.process.env.filter((variable) => !own.has(nameOf(variable)));
  return processSpecOf({ ...process, env: [...inherited, ...process.env] }, entry.consoleSize);
}

function nameOf(variable: string): string {
  return variable.split('=', 1)[0] ?? '';
}

function alreadyStarted(id: string): VicError {
  return new VicError({
    class: 'Conflict',
    code: 'EXEC_STARTED',
    message: `exec session ${id} has already been started`,
  });
}

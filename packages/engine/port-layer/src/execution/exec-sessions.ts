import { VicError, describeError } from '@vic/errors';
import { randomHexId } from '@vic/ids';
import type { ContainerId, ExecId } from '@vic/ids';
import type { ExecSession as TetherExec } from '../interaction/index.ts';
import { StartFailedError } from '../interaction/index.ts';
import type { Background } from './background.ts';
import type { ContainerUnit } from './container-unit.ts';
import type { ProcessConfig } from './container.ts';
import type { AttachedStreams, ExecSession } from './execution.ts';
import { processSpecOf } from './launch-spec.ts';
import { containerNotRunning, reachTether } from './reach-tether.ts';

interface ExecEntry {
  session: ExecSession;
  readonly unit: ContainerUnit;
  consoleSize: ProcessConfig['consoleSize'];
  running: TetherExec | undefined;
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
    this.#entries.set(session.id, { session, unit, consoleSize: process.consoleSize, running: undefined });
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
    let running: TetherExec;
    let startedAtSize: ProcessConfig['consoleSize'];
    try {
      const session = await reachTether(unit, signal);
      startedAtSize = entry.consoleSize;
      running = await session.exec(execSpecOf(entry), signal);
    } catch (error) {
      const exitCode = error instanceof StartFailedError ? error.exitCode : 126;
      become(entry, { status: 'exited', exitCode, error: describeError(error) });
      throw error;
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

  /** Sets the size of the terminal, now or at start. */
  async resize(id: string, rows: number, columns: number): Promise<void> {
    const entry = this.#entry(id);
    entry.consoleSize = { rows, columns };
    await entry.running?.resize({ rows, cols: columns });
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

async function follow(entry: ExecEntry, running: TetherExec): Promise<void> {
  try {
    const { code } = await running.exited;
    become(entry, { status: 'exited', exitCode: code });
  } catch (error) {
    // Nobody can tell how it ended: the connection was lost, mostly because the machine went off.
    become(entry, { status: 'exited', exitCode: 137, error: describeError(error) });
  }
  entry.running = undefined;
  const { state, id } = entry.session;
  if (state.status === 'exited') entry.unit.publish({ type: 'exec.died', execId: id, exitCode: state.exitCode });
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

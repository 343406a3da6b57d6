import type { Readable, Writable } from 'node:stream';
import type { ContainerId, ExecId } from '@vic/ids';
import type { Container, NewContainer, ProcessConfig, WaitCondition } from './container.ts';
import type { PortLayerEvent } from './events.ts';

/** Live streams of a process. With a TTY everything is on `stdout` and `stderr` is undefined. */
export interface AttachedStreams {
  /** Undefined when the process has no standard input. Ending it half-closes the process's input. */
  readonly stdin: Writable | undefined;
  readonly stdout: Readable;
  readonly stderr: Readable | undefined;
  /** Stops listening; the process goes on. */
  detach(): void;
}

/** One line (or part of a long one) of a container's output. */
export interface LogLine {
  readonly stream: 'stdout' | 'stderr';
  readonly timeNs: bigint;
  /** Its bytes, the newline included when it had one. */
  readonly payload: Uint8Array;
}

/** Which part of a log to read. */
export interface LogOptions {
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly follow: boolean;
  /** The last so many lines; all when undefined. */
  readonly tail: number | undefined;
  readonly sinceNs: bigint | undefined;
  readonly untilNs: bigint | undefined;
}

/** An exec session. */
export interface ExecSession {
  readonly id: ExecId;
  readonly containerId: ContainerId;
  readonly process: ProcessConfig;
  readonly state:
    | { readonly status: 'created' }
    | { readonly status: 'running'; readonly pid: number }
    | { readonly status: 'exited'; readonly exitCode: number; readonly error?: string };
}

/**
 * Containers of one VCH: the face the personality sees.
 *
 * Names and ids: every `container` argument is a full id, a unique id prefix or a name; unknown ones are
 * `NotFound`, ambiguous prefixes `InvalidArgument`. State changes are published as events.
 */
export interface Execution {
  /** Reserves the name, address and disk and makes the VM; all undone on failure. */
  create(request: NewContainer, signal: AbortSignal): Promise<Container>;
  get(container: string): Container;
  list(): readonly Container[];
  /** Resolves when the process runs. `NotModified` when it does already; a {@link StartError} is kept in the state and thrown. */
  start(container: string, signal: AbortSignal): Promise<void>;
  /** Stop signal, grace, SIGKILL, power-off. `undefined` timeout takes the container's; -1 waits for ever. `NotModified` when not running. */
  stop(container: string, options: { signal?: string; timeoutSeconds?: number }, signal: AbortSignal): Promise<void>;
  /** Sends one signal; `Conflict` when not running. */
  kill(container: string, signalName: string, signal: AbortSignal): Promise<void>;
  restart(container: string, options: { signal?: string; timeoutSeconds?: number }, signal: AbortSignal): Promise<void>;
  rename(container: string, name: string, signal: AbortSignal): Promise<void>;
  /** `Conflict` when running and not forced. */
  remove(container: string, options: { force: boolean }, signal: AbortSignal): Promise<void>;
  wait(container: string, condition: WaitCondition, signal: AbortSignal): Promise<{ exitCode: number; error?: string }>;
  /** Usable before start: the streams begin with the process. They end when it exits. */
  attach(container: string, options: { stdin: boolean }, signal: AbortSignal): Promise<AttachedStreams>;
  logs(container: string, options: LogOptions, signal: AbortSignal): AsyncIterable<LogLine>;
  /** Remembered and applied at start when the process does not run yet. */
  resize(container: string, rows: number, columns: number): Promise<void>;

  createExec(container: string, process: ProcessConfig): Promise<ExecSession>;
  exec(id: string): ExecSession;
  /** Starts it and gives its streams; a process that cannot start is an `exited` session with code 126 or 127 and a StartError thrown. */
  startExec(id: string, signal: AbortSignal): Promise<AttachedStreams>;
  resizeExec(id: string, rows: number, columns: number): Promise<void>;
  execsOf(container: string): readonly ExecSession[];

  /** Everything that happens from now on, until the signal fires. */
  events(signal: AbortSignal): AsyncIterable<PortLayerEvent>;
}

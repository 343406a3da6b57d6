import type { Readable, Writable } from 'node:stream';
import type {
  ConsoleSize,
  ExitStatus,
  LaunchSpec,
  ProcessSpec,
  StatusMessage,
  TetherMessage,
} from '@vic/agent-protocol';

/** Which of the main process's streams an attachment wants. */
export interface AttachOptions {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

/**
 * The streams of one attachment, each with its own flow control.
 *
 * Output is what the process writes from now on. With a terminal everything arrives on `stdout`. The readable
 * streams end when the process's output ends, and fail with `TETHER_DISCONNECTED` when the connection is lost.
 */
export interface ProcessStreams {
  /** Ending it closes the process's standard input; {@link detach} leaves that open. */
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Gives the streams up; the process goes on. */
  detach(): void;
}

/** What can be done to a process beside the main one. */
export interface ExecControl {
  resize(size: ConsoleSize, signal?: AbortSignal): Promise<void>;
  signal(number: number, signal?: AbortSignal): Promise<void>;
}

/** A process started by {@link TetherSession.exec}. */
export interface ExecSession extends ProcessStreams, ExecControl {
  readonly pid: number;
  /** Settles after the output streams have ended; rejects with `TETHER_DISCONNECTED`. */
  readonly exited: Promise<ExitStatus>;
}

/** A process that an earlier connection started; its streams are gone. */
export interface FoundExec extends ExecControl {
  /** What {@link TetherSession.exec} had the tether remember. */
  readonly session: string;
  readonly pid: number;
  /** Settles when it has ended, at once if it had; rejects with `TETHER_DISCONNECTED`. */
  readonly exited: Promise<ExitStatus>;
}

/** What {@link TetherSession.launch} gives. */
export interface Started {
  readonly pid: number;
  /** Nanoseconds since 1970. */
  readonly time: bigint;
}

/** One authenticated connection of one virtual machine's tether, from handshake to disconnection. */
export interface TetherSession {
  readonly vmId: string;
  /** The last state the tether reported, brought forward by later messages. */
  readonly status: StatusMessage;
  /** Resolves when the connection has ended, for whatever reason. */
  readonly closed: Promise<void>;
  /** Every message that is not the answer to a request: started, exited, log-progress and so on. */
  events(signal?: AbortSignal): AsyncIterable<TetherMessage>;
  /** Configures the machine and starts the main process; throws {@link StartFailedError} when it cannot. */
  launch(spec: LaunchSpec, signal?: AbortSignal): Promise<Started>;
  /** Subscribes to the main process; allowed before `launch`. */
  attach(options: AttachOptions, signal?: AbortSignal): Promise<ProcessStreams>;
  /**
   * Starts another process in the container; throws {@link StartFailedError} when it cannot.
   *
   * The tether remembers `session`, a text of at most 4096 characters, and gives it back in {@link found}.
   */
  exec(process: ProcessSpec, signal?: AbortSignal, session?: string): Promise<ExecSession>;
  /** The processes that earlier connections started and whose ends they did not hear of. */
  readonly found: readonly FoundExec[];
  resize(size: ConsoleSize, signal?: AbortSignal): Promise<void>;
  /** Sends a signal, by number, to the main process. */
  signal(number: number, signal?: AbortSignal): Promise<void>;
  /** Powers the machine off without asking the process. */
  powerOff(signal?: AbortSignal): Promise<void>;
  ping(signal?: AbortSignal): Promise<void>;
  /** Ends the connection; QEMU redials within a second. */
  close(): void;
}

import type { ConsoleSize, LaunchSpec, ProcessSpec } from './launch-spec.ts';

/** Why a process could not be started. */
export type StartFailureKind =
  | 'not-found'
  | 'permission-denied'
  | 'not-executable'
  | 'user-not-found'
  | 'cwd'
  | 'mount'
  | 'network'
  | 'other';

/** How a process ended. */
export interface ExitStatus {
  /** The exit code as Docker reports it: 128 and the signal's number after a signal. */
  readonly code: number;
  /** The signal that ended it, or 0. */
  readonly signal: number;
  /** Whether the kernel killed it for lack of memory; of the main process: it or anything else in the container. */
  readonly oom: boolean;
  /** Nanoseconds since 1970, as a decimal string. */
  readonly time: string;
}

/** What the virtual machine is doing. */
export type TetherState = 'waiting' | 'running' | 'exited';

/** The tether's account of itself, the first message of every authenticated connection. */
export interface StatusMessage {
  readonly kind: 'status';
  readonly state: TetherState;
  /** Random per boot or clone: tells a reconnection from a restart. */
  readonly bootId: string;
  /** Bytes written to the output log since the boot. */
  readonly logBytes: number;
  /** Of the running or exited process. */
  readonly pid?: number;
  readonly startedAt?: string;
  readonly exit?: ExitStatus;
  /** Further processes this endpoint may not know of, at most 128; absent from tethers that remember none. */
  readonly execs?: readonly ExecStatus[];
  /** The highest channel in use; new ones go on behind it. */
  readonly lastChannel?: number;
}

/** A process an `exec` started, whose end no endpoint has confirmed with `detach`. */
export interface ExecStatus {
  readonly channel: number;
  readonly pid: number;
  /** What the `exec` told the tether to remember. */
  readonly session: string;
  /** When it has ended. */
  readonly exit?: ExitStatus;
}

/** What the tether says to the endpoint. */
export type TetherMessage =
  | StatusMessage
  | { readonly kind: 'started'; readonly pid: number; readonly time: string }
  | { readonly kind: 'start-failed'; readonly failure: StartFailureKind; readonly message: string }
  | ({ readonly kind: 'exited' } & ExitStatus)
  | { readonly kind: 'exec-started'; readonly channel: number; readonly pid: number }
  | {
      readonly kind: 'exec-failed';
      readonly channel: number;
      readonly failure: StartFailureKind;
      readonly message: string;
    }
  | ({ readonly kind: 'exec-exited'; readonly channel: number } & ExitStatus)
  | { readonly kind: 'log-progress'; readonly logBytes: number }
  | { readonly kind: 'reply'; readonly request: number; readonly error?: string };

/** What the endpoint says to the tether. Channel 0 is the container's main process. */
export type EndpointMessage =
  | { readonly kind: 'launch'; readonly spec: LaunchSpec }
  | {
      readonly kind: 'attach';
      readonly request: number;
      readonly channel: number;
      readonly stdin: boolean;
      readonly stdout: boolean;
      readonly stderr: boolean;
    }
  | { readonly kind: 'detach'; readonly channel: number }
  | {
      readonly kind: 'exec';
      readonly channel: number;
      readonly process: ProcessSpec;
      /** Told again in the status of later connections; only to tethers whose status has `execs`. */
      readonly session?: string;
    }
  | ({ readonly kind: 'resize'; readonly request: number; readonly channel: number } & ConsoleSize)
  | { readonly kind: 'signal'; readonly request: number; readonly channel: number; readonly signal: number }
  | { readonly kind: 'exit-received' }
  | { readonly kind: 'power-off'; readonly request: number }
  | { readonly kind: 'ping'; readonly request: number };

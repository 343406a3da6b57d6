import type { ExitStatus } from '@vic/agent-protocol';
import { parseTimeNs } from './time.ts';

/** How a run ended, by the guest's own account. */
export interface GuestExit {
  readonly code: number;
  readonly oom: boolean;
  readonly timeNs: bigint;
}

/** What the guest wrote into guestinfo; each key keeps its last value over power cycles. */
export interface GuestStatus {
  /** The last start of the process. */
  readonly startedNs: bigint | undefined;
  /** The last end of it; of an earlier run when it is before {@link startedNs}. */
  readonly exit: GuestExit | undefined;
  readonly error: string | undefined;
}

/** Errors are shown to users; a hostile guest shall not fill their screens. */
const MAX_ERROR_CHARACTERS = 1000;

/** Reads the status keys as hostile input: what cannot be understood is treated as absent. */
export function readGuestStatus(extraConfig: Readonly<Record<string, string>>): GuestStatus {
  const started = extraConfig['guestinfo.vic.status.started'];
  const exit = extraConfig['guestinfo.vic.status.exit'];
  return {
    startedNs: started === undefined ? undefined : parseTimeNs(started),
    exit: exit === undefined ? undefined : parseExit(exit),
    error: extraConfig['guestinfo.vic.status.error']?.slice(0, MAX_ERROR_CHARACTERS),
  };
}

/** An exit as the tether reports it over the interaction channel. */
export function guestExitOf(status: ExitStatus): GuestExit | undefined {
  return exitOf({ ...status });
}

function parseExit(text: string): GuestExit | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? exitOf({ ...value }) : undefined;
  } catch {
    return undefined;
  }
}

function exitOf(fields: Record<string, unknown>): GuestExit | undefined {
  const { code, oom, time } = fields;
  if (typeof code !== 'number' || !Number.isInteger(code) || code < 0 || code > 255) return undefined;
  const timeNs = typeof time === 'string' ? parseTimeNs(time) : undefined;
  return timeNs === undefined ? undefined : { code, oom: oom === true, timeNs };
}

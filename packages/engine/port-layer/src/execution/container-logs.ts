import { delay } from '@vic/async';
import { readLog } from '../logging/index.ts';
import type { LogSource } from '../logging/index.ts';
import type { ContainerUnit } from './container-unit.ts';
import type { ExecutionContext } from './execution-context.ts';
import type { LogLine, LogOptions } from './execution.ts';

/** Followers are woken by the tether; this is for the time it is not connected. */
const POLL_MS = 2000;

/** Reads a container's log; a follower gets what is written until the container stops. */
export function containerLogs(
  context: ExecutionContext,
  unit: ContainerUnit,
  options: LogOptions,
  signal: AbortSignal,
): AsyncIterable<LogLine> {
  const source: LogSource = {
    path: unit.record.logPath,
    ended: () => unit.state.status !== 'running' && !unit.starting,
    changed: async (reader) => nextChange(unit, reader),
    nowNs: () => context.clock.nowNs(),
  };
  return readLog(context.logFiles, source, options, signal);
}

async function nextChange(unit: ContainerUnit, signal: AbortSignal): Promise<void> {
  const done = new AbortController();
  const either = AbortSignal.any([signal, done.signal]);
  const waits = [unit.logChanges.next(either), unit.changes.next(either), delay(POLL_MS, either)];
  try {
    await Promise.race(waits);
  } finally {
    done.abort();
    await Promise.allSettled(waits);
  }
}

import { VicError } from '@vic/errors';
import { JobMonitor } from '@vic/jobs';
import type { Database } from '@vic/sql';

/** Each process writes that it is there every few seconds, and removes the row when it ends. */
const ALIVE_MS = 30_000;

/** Throws while a registry, or a command that runs jobs, is at work on that database. */
export async function requireStopped(database: Database): Promise<void> {
  const pools = await new JobMonitor(database, []).pools();
  const alive = pools.find(({ heartbeatAtMs }) => heartbeatAtMs > Date.now() - ALIVE_MS);
  if (alive === undefined) return;
  const ageS = Math.round((Date.now() - alive.heartbeatAtMs) / 1000);
  throw new VicError({
    class: 'FailedPrecondition',
    code: 'REGISTRY_RUNNING',
    message: `A registry runs on the source: process ${alive.pid} on ${alive.host}, seen ${ageS} seconds ago.`,
    remedy: `Stop it first. One that was killed is forgotten after ${ALIVE_MS / 1000} seconds.`,
  });
}

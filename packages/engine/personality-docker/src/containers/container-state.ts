import { type StateAnswer, ZERO_TIME, humanDuration } from '@vic/docker-api';
import type { ContainerState } from '@vic/port-layer';

/** The state of a container in inspect. */
export function stateAnswer(state: ContainerState): StateAnswer {
  const base = {
    Status: state.status,
    Running: state.status === 'running',
    Paused: false,
    Restarting: false,
    OOMKilled: false,
    Dead: false,
    Pid: 0,
    ExitCode: 0,
    Error: '',
    StartedAt: ZERO_TIME,
    FinishedAt: ZERO_TIME,
  } as const;
  switch (state.status) {
    case 'created':
      return { ...base, ExitCode: state.startError?.exitCode ?? 0, Error: state.startError?.message ?? '' };
    case 'running':
      return { ...base, Pid: state.pid, StartedAt: state.startedAt };
    case 'exited':
      return {
        ...base,
        OOMKilled: state.oomKilled,
        ExitCode: state.exitCode,
        Error: state.error ?? '',
        StartedAt: state.startedAt,
        FinishedAt: state.finishedAt,
      };
    case 'removing':
      return base;
  }
}

/** The status column of a container list: `Up 3 seconds`, `Exited (0) 2 minutes ago`, `Created`. */
export function statusText(state: ContainerState, nowMs: number): string {
  switch (state.status) {
    case 'created':
      return 'Created';
    case 'running':
      return `Up ${humanDuration(since(state.startedAt, nowMs))}`;
    case 'exited':
      return `Exited (${state.exitCode}) ${humanDuration(since(state.finishedAt, nowMs))} ago`;
    case 'removing':
      return 'Removal In Progress';
  }
}

function since(time: string, nowMs: number): number {
  return Math.max(0, nowMs - Date.parse(time));
}

import { VicError } from '@vic/errors';
import { VimFault, type ManagedObjectReference, type TaskInfo } from '@vic/vim';
import { filterForObjects, properties } from './property-collector.ts';
import type { VimCaller } from './vim-client.ts';
import { watch } from './watch.ts';

/** How to wait for a task. */
export interface TaskOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told the percentage done whenever it changes. */
  readonly onProgress?: (percent: number) => void;
  /** What the task does, for errors. */
  readonly what?: string;
}

/** Waits until a task has ended; gives its result or throws its fault. Ending the wait does not end the task. */
export async function waitForTask(
  client: VimCaller,
  task: ManagedObjectReference<'Task'>,
  options: TaskOptions = {},
): Promise<unknown> {
  // Most tasks have ended by the time one asks, and then a collector is not worth its three calls.
  const { info } = await properties(client, task, ['info'], { signal: options.signal });
  if (info !== undefined && hasEnded(info)) return resultOf(info, options.what);
  let progress: number | undefined;
  for await (const updates of watch(client, filterForObjects([task], ['info']), { signal: options.signal })) {
    for (const update of updates) {
      if (update.kind === 'leave') throw forgotten(task, options.what);
      const latest = update.properties['info'] as TaskInfo | undefined;
      if (latest === undefined) continue;
      if (hasEnded(latest)) return resultOf(latest, options.what);
      if (latest.progress === undefined || latest.progress === progress) continue;
      progress = latest.progress;
      options.onProgress?.(progress);
    }
  }
  options.signal?.throwIfAborted();
  throw forgotten(task, options.what);
}

function hasEnded(info: TaskInfo): boolean {
  return info.state === 'success' || info.state === 'error';
}

function resultOf(info: TaskInfo, what: string | undefined): unknown {
  if (info.state === 'success') return info.result;
  if (info.error !== undefined) throw VimFault.fromLocalized(info.error, what ?? info.name);
  throw new VicError({
    class: 'Internal',
    code: 'VIM_TASK_FAILED',
    message: `${what ?? info.name ?? 'A task'} failed and the server did not say why.`,
  });
}

function forgotten(task: ManagedObjectReference, what: string | undefined): VicError {
  return new VicError({
    class: 'Unavailable',
    code: 'VIM_TASK_FORGOTTEN',
    message: `The server no longer knows ${task.value}${what === undefined ? '' : ` (${what})`}, so its outcome is unknown.`,
  });
}

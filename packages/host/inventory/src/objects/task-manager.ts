import { type TaskHistoryCollectorRef, methodMeta, methodNames } from '@vic/vim';
import type { Handlers } from '../model/call.ts';
import type { Host } from '../model/host.ts';
import { ManagedEntity } from '../model/managed-entity.ts';
import { ManagedObject } from '../model/managed-object.ts';
import { descriptionIdOf } from '../model/tasks.ts';
import { WELL_KNOWN } from '../model/well-known.ts';
import { requireSession } from '../server/require-session.ts';
import { TaskHistoryCollector } from './task-history-collector.ts';

const RECENT_TASKS = 20;
const RECENT_TASKS_OF_ENTITY = 5;

/** The tasks of the host. */
export class TaskManager extends ManagedObject {
  readonly #host: Host;

  constructor(host: Host) {
    super('TaskManager', WELL_KNOWN.taskManager.value, host.changes);
    this.#host = host;
    host.tasks.onChange((task) => {
      this.touch('recentTask');
      const entity = task.info.entity === undefined ? undefined : host.objects.find(task.info.entity);
      const ref = { type: 'Task', value: task.ref.value } as const;
      if (!(entity instanceof ManagedEntity) || entity.recentTasks.some((known) => known.value === ref.value)) return;
      entity.recentTasks = [...entity.recentTasks.slice(1 - RECENT_TASKS_OF_ENTITY), ref];
      entity.touch('recentTask');
    });
  }

  protected readonly properties = {
    recentTask: () => this.#host.tasks.recent.slice(-RECENT_TASKS).map((task) => task.ref),
    maxCollector: () => 1000,
    description: () => ({
      methodInfo: methodNames()
        .filter((name) => methodMeta(name)?.taskResult !== undefined)
        .map((name) => ({
          key: descriptionIdOf(name, methodMeta(name)?.owner ?? ''),
          label: name.replace(/_Task$/, ''),
          summary: name,
        })),
      state: ['queued', 'running', 'success', 'error'].map((key) => ({ key, label: key, summary: key })),
      reason: [{ key: 'TaskReasonUser', label: 'user', summary: 'user' }],
    }),
  };

  readonly handlers: Handlers<TaskManager> = {
    CreateCollectorForTasks: (_self, { filter }, call) => {
      const session = requireSession(call);
      return session.add(new TaskHistoryCollector(this.#host, session, filter)).ref as TaskHistoryCollectorRef;
    },
  };
}

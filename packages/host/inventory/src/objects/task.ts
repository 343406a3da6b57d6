import type { TaskInfo } from '@vic/vim';
import type { Handlers } from '../model/call.ts';
import type { Changes } from '../model/changes.ts';
import { notSupported } from '../model/faults.ts';
import { ManagedObject } from '../model/managed-object.ts';

/** A task: work that goes on after the call that started it was answered. */
export class Task extends ManagedObject {
  #info: TaskInfo;

  constructor(value: string, changes: Changes, info: TaskInfo) {
    super('Task', value, changes);
    this.#info = info;
  }

  protected readonly properties = {
    info: () => this.#info,
    value: () => [],
    availableField: () => [],
  };

  readonly handlers: Handlers<Task> = taskHandlers;

  get info(): TaskInfo {
    return this.#info;
  }

  /** Changes what the task says about itself. */
  update(changes: Partial<TaskInfo>): void {
    this.#info = { ...this.#info, ...changes };
    this.touch('info');
  }
}

const taskHandlers: Handlers<Task> = {
  CancelTask: (task) => {
    throw notSupported(`The task ${task.info.name ?? task.ref.value} cannot be cancelled.`);
  },
};

import {
  type ManagedObjectReference,
  type MethodName,
  type TaskInfo,
  type TaskRef,
  TypedValue,
  methodMeta,
} from '@vic/vim';
import { Task } from '../objects/task.ts';
import type { Call } from './call.ts';
import type { Changes } from './changes.ts';
import { generalFault } from './faults.ts';
import { ManagedEntity } from './managed-entity.ts';
import type { ManagedObject } from './managed-object.ts';
import type { ObjectRegistry } from './object-registry.ts';
import type { UnfinishedWork } from './unfinished-work.ts';

/** Tells how far a task is, in per cent. */
export type ReportProgress = (percent: number) => void;

/** What a task does; it gives the task's result. */
export type TaskWork = (report: ReportProgress, signal: AbortSignal) => Promise<unknown>;

/** How many tasks are remembered. */
const KEPT_TASKS = 200;

/** The key under which the task manager describes tasks of a method, such as `VirtualMachine.powerOn`. */
export function descriptionIdOf(method: string, owner: string): string {
  const short = method.replace(/_Task$/, '').replace(/VM$/, '');
  return `${owner}.${short.charAt(0).toLowerCase()}${short.slice(1)}`;
}

/** What {@link Tasks} work with. */
export interface TasksDeps {
  readonly objects: ObjectRegistry;
  readonly changes: Changes;
  readonly unfinished: UnfinishedWork;
  readonly now: () => Date;
  readonly closing: AbortSignal;
}

/** Runs tasks and remembers the latest. */
export class Tasks {
  readonly #objects: ObjectRegistry;
  readonly #changes: Changes;
  readonly #now: () => Date;
  readonly #closing: AbortSignal;
  readonly #unfinished: UnfinishedWork;
  readonly #recent: Task[] = [];
  readonly #listeners = new Set<(task: Task) => void>();
  readonly #running = new Set<Promise<void>>();
  #lastNumber = 0;

  constructor(deps: TasksDeps) {
    this.#objects = deps.objects;
    this.#changes = deps.changes;
    this.#now = deps.now;
    this.#closing = deps.closing;
    this.#unfinished = deps.unfinished;
  }

  /** The tasks still remembered, oldest first. */
  get recent(): readonly Task[] {
    return this.#recent;
  }

  /** Calls `listener` whenever a task starts or changes. */
  onChange(listener: (task: Task) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Starts a task; its work is independent of the connection that asked for it. */
  start(method: MethodName, target: ManagedObject, call: Call, work: TaskWork): TaskRef {
    const number = ++this.#lastNumber;
    const value = `haTask-${target.ref.value}-${method.replace(/_Task$/, '')}-${number}`;
    const task = new Task(value, this.#changes, this.#initialInfo(method, target, call, value, number));
    this.#objects.add(task);
    this.#remember(task);
    this.#announce(task);
    const run = this.#noted(task, async () => this.#run(task, methodMeta(method)?.taskResult, work)).finally(() =>
      this.#running.delete(run),
    );
    this.#running.add(run);
    return task.ref as TaskRef;
  }

  /** Resolves once no task is running. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #initialInfo(method: MethodName, target: ManagedObject, call: Call, value: string, number: number): TaskInfo {
    return {
      key: value,
      task: { type: 'Task', value },
      // pyVmomi's WaitForTask looks the method up by this name.
      name: method,
      descriptionId: descriptionIdOf(method, methodMeta(method)?.owner ?? target.ref.type),
      ...(target instanceof ManagedEntity
        ? { entity: target.ref as ManagedObjectReference<'ManagedEntity'>, entityName: target.name }
        : {}),
      state: 'running',
      cancelled: false,
      cancelable: false,
      reason: { $type: 'TaskReasonUser', userName: call.userName } as TaskInfo['reason'],
      queueTime: this.#now(),
      startTime: this.#now(),
      eventChainId: number,
    };
  }

  /** A host that is killed tells afterwards which tasks that ended. */
  async #noted({ info }: Task, run: () => Promise<void>): Promise<void> {
    const { entity, entityName, reason } = info;
    const { userName = '' } = reason as { readonly userName?: string };
    const begun = this.#unfinished.begin({ kind: 'task', name: info.descriptionId, entity, entityName, userName });
    await run();
    const end = await begun;
    await end();
  }

  async #run(task: Task, resultType: string | undefined, work: TaskWork): Promise<void> {
    // The answer to the call that started the task goes out first.
    await Promise.resolve();
    const report: ReportProgress = (percent) => this.#update(task, { progress: Math.round(percent) });
    try {
      const result = await work(report, this.#closing);
      this.#update(task, { state: 'success', completeTime: this.#now(), ...typed(resultType, result) });
    } catch (error) {
      this.#update(task, { state: 'error', completeTime: this.#now(), error: generalFault(error).toLocalized() });
    }
  }

  #update(task: Task, changes: Partial<TaskInfo>): void {
    task.update(changes);
    this.#announce(task);
  }

  #remember(task: Task): void {
    this.#recent.push(task);
    while (this.#recent.length > KEPT_TASKS) {
      const oldest = this.#recent.findIndex((other) => other.info.completeTime !== undefined);
      if (oldest < 0) return;
      for (const forgotten of this.#recent.splice(oldest, 1)) this.#objects.remove(forgotten);
    }
  }

  #announce(task: Task): void {
    for (const listener of this.#listeners) listener(task);
  }
}

/** A result travels in a place for anything, so it carries the type that the method declares. */
function typed(type: string | undefined, result: unknown): Pick<TaskInfo, 'result'> {
  return type === undefined || type === 'void' || result === undefined ? {} : { result: new TypedValue(type, result) };
}

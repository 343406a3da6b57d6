import { randomUuid } from '@vic/ids';
import type { TaskFilterSpec, TaskInfo } from '@vic/vim';
import type { Handlers } from '../model/call.ts';
import { notSupported } from '../model/faults.ts';
import type { Host } from '../model/host.ts';
import type { Session } from '../server/sessions.ts';
import { HistoryCollector } from './history-collector.ts';

/** Reads the host's tasks through a filter. */
export class TaskHistoryCollector extends HistoryCollector<TaskInfo> {
  readonly #host: Host;
  readonly #matches: (info: TaskInfo) => boolean;

  constructor(host: Host, session: Session, filter: TaskFilterSpec) {
    super('TaskHistoryCollector', `session[${session.key}]${randomUuid()}`, host.changes, session, filter);
    this.#host = host;
    this.#matches = taskMatcher(filter);
    this.release = host.tasks.onChange((task) => {
      if (this.#matches(task.info)) this.touch('latestPage');
    });
  }

  readonly handlers: Handlers<TaskHistoryCollector> = taskHistoryCollectorHandlers;

  protected override matching(): readonly TaskInfo[] {
    return this.#host.tasks.recent.map((task) => task.info).filter(this.#matches);
  }

  protected override numberOf(info: TaskInfo): number {
    return info.eventChainId;
  }
}

/** Whether a task passes a filter by entity, user and state; other criteria are refused. */
function taskMatcher(filter: TaskFilterSpec): (info: TaskInfo) => boolean {
  const { entity, state, userName, eventChainId } = filter;
  if (
    filter.alarm !== undefined ||
    filter.scheduledTask !== undefined ||
    filter.time !== undefined ||
    entity?.recursion === 'children'
  ) {
    throw notSupported('Tasks can be filtered by entity, user, state and event chain.');
  }
  const root = entity === undefined || entity.entity.value === 'ha-folder-root';
  return (info) =>
    (root || info.entity?.value === entity.entity.value) &&
    (state === undefined || state.length === 0 || state.includes(info.state)) &&
    (eventChainId === undefined || eventChainId.length === 0 || eventChainId.includes(info.eventChainId)) &&
    (userName?.userList === undefined ||
      userName.userList.includes((info.reason as { userName?: string }).userName ?? ''));
}

const taskHistoryCollectorHandlers: Handlers<TaskHistoryCollector> = {
  ReadNextTasks: (collector, { maxCount }) => collector.readNext(maxCount),
  ReadPreviousTasks: (collector, { maxCount }) => collector.readPrevious(maxCount),
  RewindCollector: (collector) => collector.rewind(),
  ResetCollector: (collector) => collector.reset(),
  SetCollectorPageSize: (collector, { maxCount }) => collector.setPageSize(maxCount),
  DestroyCollector: (collector) => collector.destroy(),
};

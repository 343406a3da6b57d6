import { type EventEx, reference } from '@vic/vim';
import type { Call } from '../model/call.ts';
import type { NewEvent } from '../model/event-log.ts';
import { fileFault } from '../model/faults.ts';
import type { Host } from '../model/host.ts';
import type { Work } from '../model/unfinished-work.ts';
import { VirtualMachine } from '../objects/virtual-machine.ts';
import { destroyMachine } from './destroy.ts';

/** Takes machines back that were being made when the host before was killed; before the records are read. */
export async function takeBackCreations(host: Host, found: readonly Work[]): Promise<void> {
  for (const work of found) {
    if (work.kind !== 'create') continue;
    host.logger.warn('A machine that was not finished is removed', { vm: work.name });
    await host.store.removeRecord('machines', work.moid);
    await host.datastores.delete(work.folder).catch((error: unknown) => {
      if (fileFault(error, work.folder).class === 'NotFound') return;
      host.logger.error('What is left of a machine cannot be removed', { folder: work.folder, error: String(error) });
    });
  }
}

/** Finishes removals that a kill interrupted, and tells of every task that it ended. */
export async function finishInterrupted(
  host: Host,
  found: readonly Work[],
  call: Pick<Call, 'userName'>,
): Promise<void> {
  for (const work of found) {
    if (work.kind === 'task') postInterrupted(host, work);
    if (work.kind === 'destroy') await finishRemoval(host, work.moid, call);
  }
}

async function finishRemoval(host: Host, moid: string, call: Pick<Call, 'userName'>): Promise<void> {
  const vm = host.objects.all(VirtualMachine).find(({ record }) => record.moid === moid);
  if (vm === undefined) return;
  try {
    await destroyMachine(vm, call);
  } catch (error) {
    host.logger.error('The removal of a machine cannot be finished', { vm: vm.name, error: String(error) });
  }
}

function postInterrupted(host: Host, work: Extract<Work, { kind: 'task' }>): void {
  const { entity, entityName = '', name, userName } = work;
  const subject = entityName === '' ? '' : ` of ${entityName}`;
  const event: Omit<EventEx, 'key' | 'chainId' | 'createdTime'> & { readonly $type: string } = {
    $type: 'EventEx',
    userName,
    eventTypeId: 'vic.task.interrupted',
    severity: 'error',
    ...(entity?.type === 'VirtualMachine'
      ? { vm: { name: entityName, vm: reference('VirtualMachine', entity.value) } }
      : {}),
    fullFormattedMessage: `${name}${subject} did not finish: the host service ended before it.`,
  };
  host.events.post(event as NewEvent);
}

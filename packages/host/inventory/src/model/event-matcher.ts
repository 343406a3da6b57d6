import { type EventFilterSpec, isDataSubtype } from '@vic/vim';
import type { LoggedEvent } from './event-log.ts';
import { invalidArgument, notSupported } from './faults.ts';
import { ManagedEntity } from './managed-entity.ts';
import type { ObjectRegistry } from './object-registry.ts';

/** Whether an event passes a filter; criteria about things this host does not have are refused. */
export function eventMatcher(filter: EventFilterSpec, objects: ObjectRegistry): (event: LoggedEvent) => boolean {
  if (filter.alarm !== undefined || filter.scheduledTask !== undefined)
    throw notSupported('This host has no alarms and no scheduled tasks.');
  if ((filter.category?.length ?? 0) > 0 && !filter.category?.includes('info')) return () => false;
  const types = [
    ...(filter.type ?? []),
    ...(filter.eventTypeId ?? []).map((id) => id.replace(/^(esx|vim)\.event\./, '')),
  ];
  const { time, userName, eventChainId } = filter;
  const ofEntity = entityMatcher(filter, objects);
  return (event) =>
    (types.length === 0 || types.some((type) => isDataSubtype(event.$type, type))) &&
    (time?.beginTime === undefined || event.createdTime >= time.beginTime) &&
    (time?.endTime === undefined || event.createdTime <= time.endTime) &&
    (userName === undefined || userMatches(userName, event.userName)) &&
    (eventChainId === undefined || event.chainId === eventChainId) &&
    ofEntity(event);
}

function userMatches(filter: NonNullable<EventFilterSpec['userName']>, userName: string): boolean {
  return (filter.systemUser && userName === '') || (filter.userList ?? []).includes(userName);
}

function entityMatcher({ entity }: EventFilterSpec, objects: ObjectRegistry): (event: LoggedEvent) => boolean {
  if (entity === undefined) return () => true;
  const container = objects.get(entity.entity, ManagedEntity);
  const includeSelf = entity.recursion !== 'children';
  const includeBelow = entity.recursion !== 'self';
  if (!includeSelf && !includeBelow) throw invalidArgument('entity.recursion', 'Unknown recursion.');
  return (event) => {
    const refs = [
      event.vm?.vm,
      event.ds?.datastore,
      event.net?.network,
      event.host?.host,
      event.computeResource?.computeResource,
      event.datacenter?.datacenter,
    ];
    const subject = refs.find((ref) => ref !== undefined);
    if (subject === undefined) return container.parent === undefined;
    if (subject.value === container.ref.value) return includeSelf;
    if (!includeBelow) return false;
    // An event about a VM is also one of the pool, host and folders above it, even when the VM is gone.
    if (refs.some((ref) => ref?.value === container.ref.value)) return true;
    const found = objects.find(subject);
    return isBelow(found instanceof ManagedEntity ? found : undefined, container) || container.parent === undefined;
  };
}

function isBelow(entity: ManagedEntity | undefined, container: ManagedEntity): boolean {
  for (let at = entity?.parent; at !== undefined; at = at.parent) if (at === container) return true;
  return false;
}

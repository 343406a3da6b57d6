import type { EventConsumer, StoredEvent } from '@vic/events';
import type { RegistryEvent } from '@vic/registry-api';
import type { NewAuditRecord } from './audit-record.ts';

/** What the consumer writes to. */
export interface AuditSink {
  write(records: readonly NewAuditRecord[]): Promise<void>;
}

const OPERATIONS: Readonly<Partial<Record<RegistryEvent['type'], { operation: string; resourceType: string }>>> = {
  'artifact.pushed': { operation: 'create', resourceType: 'artifact' },
  'artifact.pulled': { operation: 'pull', resourceType: 'artifact' },
  'artifact.deleted': { operation: 'delete', resourceType: 'artifact' },
  'tag.deleted': { operation: 'delete', resourceType: 'tag' },
};

/** Records pushes, pulls and deletions, wherever they came from. */
export function auditConsumer(log: AuditSink): EventConsumer {
  return {
    name: 'audit',
    consume: async (events) => log.write(events.flatMap(toRecords)),
  };
}

function toRecords({ event, position, occurredAtMs }: StoredEvent): readonly NewAuditRecord[] {
  const what = OPERATIONS[event.type];
  if (what === undefined || !('digest' in event)) return [];
  const { repository, digest, tags } = event;
  const name = tags.length === 0 ? `${repository}@${digest}` : `${repository}:${tags.join(',')}`;
  const reason = event.breakGlass === undefined ? '' : ` (break-glass: ${event.breakGlass})`;
  return [
    {
      ...what,
      atMs: occurredAtMs,
      operator: event.operator,
      resource: `${name}${reason}`,
      project: { id: event.projectId, name: event.projectName },
      succeeded: true,
      ...(event.address === undefined ? {} : { address: event.address }),
      description: tags.length === 0 ? '' : `${repository}@${digest}`,
      eventPosition: position,
    },
  ];
}

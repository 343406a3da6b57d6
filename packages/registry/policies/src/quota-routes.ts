import { VicError } from '@vic/errors';
import { Type } from '@vic/http';
import { type RestRoutes, auditSubject, parseListQuery, permits, sendPage } from '@vic/rest';
import { QUOTA_SORT_KEYS, type Quota, type Quotas } from './quotas.ts';

const QuotaParameters = Type.Object({ id: Type.Integer({ minimum: 1 }) });
const QuotaFilter = Type.Object({
  reference: Type.Optional(Type.String({ maxLength: 32 })),
  reference_id: Type.Optional(Type.String({ pattern: '^[0-9]{1,15}$' })),
});
const QuotaUpdate = Type.Object({ hard: Type.Optional(Type.Record(Type.String(), Type.Number())) });

/** Harbor's `/quotas`: the storage limits of projects. */
export function quotaRoutes(quotas: Quotas): RestRoutes {
  return (app) => {
    app.get(
      '/quotas',
      { schema: { querystring: QuotaFilter }, ...permits({ scope: 'system', resource: 'quota', action: 'list' }) },
      async (request, reply) => {
        const query = parseListQuery(request, { filter: [], sort: QUOTA_SORT_KEYS });
        const { reference, reference_id: id } = request.query;
        const noneSuch = reference !== undefined && reference !== '' && reference !== 'project';
        const page = noneSuch
          ? { items: [], total: 0 }
          : await quotas.list(query, id === undefined ? undefined : Number(id));
        return sendPage(request, reply, query, { items: page.items.map(quotaBody), total: page.total });
      },
    );
    app.get(
      '/quotas/:id',
      { schema: { params: QuotaParameters }, ...permits({ scope: 'system', resource: 'quota', action: 'read' }) },
      async (request) => quotaBody(await quotas.get(request.params.id)),
    );
    app.put(
      '/quotas/:id',
      {
        schema: { params: QuotaParameters, body: QuotaUpdate },
        ...permits(
          { scope: 'system', resource: 'quota', action: 'update' },
          { operation: 'update', resourceType: 'quota' },
        ),
      },
      async (request, reply) => {
        const limitBytes = storageIn(request.body.hard ?? {});
        const quota = await quotas.get(request.params.id);
        await quotas.update(quota, limitBytes);
        auditSubject(request, `quota of ${quota.projectName}: ${limitBytes}`);
        await reply.code(200).send();
      },
    );
  };
}

function storageIn(hard: Readonly<Record<string, number>>): number {
  const [unknown] = Object.keys(hard).filter((name) => name !== 'storage');
  const storage = hard['storage'];
  if (Object.keys(hard).length === 0) throw invalid('hard required in body');
  if (unknown !== undefined) throw invalid(`resource ${unknown.slice(0, 64)} not support`);
  if (storage === undefined) throw invalid('resource storage not found');
  return storage;
}

function quotaBody(quota: Quota): Record<string, unknown> {
  return {
    id: quota.id,
    ref: {
      id: quota.projectId,
      name: quota.projectName,
      ...(quota.ownerName === undefined ? {} : { owner_name: quota.ownerName }),
    },
    hard: { storage: quota.limitBytes },
    used: { storage: quota.usedBytes },
    creation_time: new Date(quota.createdAtMs).toISOString(),
    update_time: new Date(quota.updatedAtMs).toISOString(),
  };
}

function invalid(message: string): VicError {
  return new VicError({ class: 'InvalidArgument', code: 'QUOTA_LIMIT_INVALID', message });
}

import type { BlobStoreHealth } from '@vic/blob';
import { VicError, describeError } from '@vic/errors';
import { describeDamage } from '@vic/gc';
import { type RestRoutes, isPermitted, permits } from '@vic/rest';
import { sql } from '@vic/sql';
import type { Storage } from './storage.ts';

/** `/health`, `/ping`, `/systeminfo/volumes` and `/systeminfo/getcert`. */
export function healthRoutes(parts: { readonly storage: Storage; readonly authority: string | undefined }): RestRoutes {
  const { storage, authority } = parts;
  return (app) => {
    app.get('/ping', permits({ scope: 'public' }), async (_request, reply) => reply.type('text/plain').send('Pong'));
    app.get('/health', permits({ scope: 'public' }), async (request) => {
      const { db } = storage.database;
      const components = [
        await judge('database', async () => sql`select 1`.execute(db)),
        await judge('blobs', async () => requireWritable(await storage.blobs.check())),
      ];
      // Names of images are not for everybody, and one bad blob is no reason for a balancer to take the registry away.
      if (await isPermitted(request, { resource: 'garbage-collection', action: 'read' })) {
        components.push(await judge('content', async () => requireWhole(await describeDamage(db))));
      }
      const healthy = components.every(({ status }) => status === 'healthy');
      return { status: healthy ? 'healthy' : 'unhealthy', components };
    });
    app.get(
      '/systeminfo/volumes',
      permits({ scope: 'system', resource: 'system-volumes', action: 'read' }),
      async () => {
        const { freeBytes = 0, totalBytes = 0 } = await storage.blobs.check();
        // An object store has no limit of its own, which Harbor's form says with zeros.
        return { storage: [{ total: totalBytes, free: freeBytes }] };
      },
    );
    app.get('/systeminfo/getcert', permits({ scope: 'public' }), async (_request, reply) => {
      if (authority === undefined) throw noAuthority();
      return reply
        .type('application/octet-stream')
        .header('content-disposition', 'attachment; filename=ca.crt')
        .send(authority);
    });
  };
}

interface Component {
  readonly name: string;
  readonly status: 'healthy' | 'unhealthy';
  readonly error?: string;
}

async function judge(name: string, check: () => Promise<unknown>): Promise<Component> {
  try {
    await check();
    return { name, status: 'healthy' };
  } catch (error) {
    return { name, status: 'unhealthy', error: describeError(error) };
  }
}

function requireWritable({ writable, reason }: BlobStoreHealth): void {
  if (writable) return;
  throw new VicError({
    class: 'Unavailable',
    code: 'REGISTRY_BLOBS_UNWRITABLE',
    message: `The blob store cannot be written: ${reason ?? 'it does not say why'}.`,
  });
}

function requireWhole(damage: string | undefined): void {
  if (damage === undefined) return;
  throw new VicError({
    class: 'DataLoss',
    code: 'REGISTRY_CONTENT_UNSOUND',
    message: `${damage}.`,
    remedy: 'Push it again, or delete the images; /system/scrub/damaged lists all.',
  });
}

function noAuthority(): VicError {
  return new VicError({
    class: 'NotFound',
    code: 'REGISTRY_NO_AUTHORITY',
    message: 'certificate not found: this registry serves with a certificate that was given to it.',
  });
}

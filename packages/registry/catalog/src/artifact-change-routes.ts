import { VicError } from '@vic/errors';
import { type HttpReply, Type } from '@vic/http';
import { isContentDigest } from '@vic/oci';
import { type RestRoutes, auditSubject, permits, requirePermission } from '@vic/rest';
import type { CatalogDeps } from './catalog-services.ts';
import {
  ARTIFACT,
  REPOSITORY,
  actorOf,
  artifactNotFound,
  breakGlassNote,
  placeOf,
  referenceOf,
} from './repository-request.ts';

const TAG_NAME = '[A-Za-z0-9_][A-Za-z0-9._-]{0,127}';
const SOURCE = new RegExp(`^([a-z0-9][a-z0-9._/-]{0,254})(?::(${TAG_NAME}))?(?:@([a-z0-9]+:[a-f0-9]+))?$`);
const CopySource = Type.Object({ from: Type.String({ minLength: 1, maxLength: 1024 }) });
const NewTag = Type.Object({ name: Type.String({ maxLength: 255 }) });

/** Registers what changes artifacts and their tags. */
export function registerArtifactChanges(app: Parameters<RestRoutes>[0], deps: CatalogDeps): void {
  registerDeletion(app, deps);
  registerCopy(app, deps);
  registerTags(app, deps);
}

function registerDeletion(app: Parameters<RestRoutes>[0], { store }: CatalogDeps): void {
  app.delete(
    ARTIFACT,
    permits(
      { scope: 'project', resource: 'artifact', action: 'delete' },
      { operation: 'delete', resourceType: 'artifact' },
    ),
    async (request, reply) => {
      const place = placeOf(request);
      const reference = referenceOf(request);
      auditSubject(request, `${qualified(place.repository, reference)}${breakGlassNote(request)}`, place.project);
      const artifact = await store.resolve(place.repository, reference);
      if (artifact === undefined) throw artifactNotFound(place.repository, reference);
      await store.deleteArtifact(place, actorOf(request), artifact.digest);
      await reply.code(200).send();
    },
  );
}

function registerCopy(app: Parameters<RestRoutes>[0], deps: CatalogDeps): void {
  app.post(
    `${REPOSITORY}/artifacts`,
    {
      schema: { querystring: CopySource },
      ...permits(
        { scope: 'project', resource: 'artifact', action: 'create' },
        { operation: 'create', resourceType: 'artifact' },
      ),
    },
    async (request, reply) => {
      const place = placeOf(request);
      const source = parseSource(request.query.from);
      auditSubject(request, `${place.repository} from ${request.query.from}`, place.project);
      if (await isProxyCache(deps, place.project.id)) return refuseForProxyCache(reply);
      const project = await sourceProject(deps, source.repository);
      await requirePermission(request, { resource: 'artifact', action: 'read' }, project);
      // Read from its own project, written to this one: the copy is of what the caller may pull.
      await requirePermission(request, { resource: 'repository', action: 'pull' }, project);
      auditSubject(request, `${place.repository} from ${request.query.from}`, place.project);
      if ((await deps.store.resolve(source.repository, source.reference)) === undefined) {
        throw artifactNotFound(source.repository, source.reference);
      }
      await deps.store.copyArtifact(place, actorOf(request), source);
      const path = request.originalUrl.split('?')[0]?.replace(/\/$/, '') ?? '';
      return reply.code(201).header('location', `${path}/${source.reference}`).send();
    },
  );
}

function registerTags(app: Parameters<RestRoutes>[0], deps: CatalogDeps): void {
  app.post(
    `${ARTIFACT}/tags`,
    {
      schema: { body: NewTag },
      ...permits({ scope: 'project', resource: 'tag', action: 'create' }, { operation: 'create', resourceType: 'tag' }),
    },
    async (request, reply) => {
      const place = placeOf(request);
      const { name } = request.body;
      auditSubject(request, qualified(place.repository, name), place.project);
      if (await isProxyCache(deps, place.project.id)) return refuseForProxyCache(reply);
      if (!new RegExp(`^${TAG_NAME}$`).test(name)) throw invalid(`invalid tag name: ${name}`);
      await deps.store.createTag(place, actorOf(request), { name, reference: referenceOf(request) });
      return reply.code(201).send();
    },
  );
  app.delete(
    `${ARTIFACT}/tags/:tag_name`,
    permits({ scope: 'project', resource: 'tag', action: 'delete' }, { operation: 'delete', resourceType: 'tag' }),
    async (request, reply) => {
      const place = placeOf(request);
      const reference = referenceOf(request);
      const name = (request.params as Readonly<Record<string, string>>)['tag_name'] ?? '';
      auditSubject(request, `${qualified(place.repository, name)}${breakGlassNote(request)}`, place.project);
      const artifact = await deps.store.resolve(place.repository, reference);
      if (artifact === undefined) throw artifactNotFound(place.repository, reference);
      const tagged = await deps.store.resolve(place.repository, name);
      if (tagged?.id !== artifact.id || name.includes(':')) {
        throw new VicError({
          class: 'NotFound',
          code: 'TAG_NOT_FOUND',
          message: `tag ${name.slice(0, 128)} attached to artifact ${artifact.id} not found`,
        });
      }
      await deps.store.deleteTag(place, actorOf(request), name);
      return reply.code(200).send();
    },
  );
}

/** `project/repository:tag`, or `project/repository@digest`. */
function parseSource(from: string): { readonly repository: string; readonly reference: string } {
  const [, repository, tag, digest] = SOURCE.exec(from) ?? [];
  const reference = digest ?? tag;
  const known = digest === undefined || isContentDigest(digest);
  if (repository !== undefined && reference !== undefined && known) return { repository, reference };
  throw invalid(`invalid input: ${from.slice(0, 300)}`);
}

async function sourceProject(
  { database }: CatalogDeps,
  repository: string,
): Promise<{ id: number; name: string; public: boolean }> {
  const name = repository.split('/')[0] ?? '';
  const row = await database.db
    .selectFrom('projects')
    .select(['id', 'name', 'public'])
    .where('name', '=', name)
    .executeTakeFirst();
  if (row !== undefined) return { id: row.id, name: row.name, public: row.public === 1 };
  throw new VicError({ class: 'NotFound', code: 'PROJECT_NOT_FOUND', message: `project ${name} not found` });
}

async function isProxyCache({ database }: CatalogDeps, projectId: number): Promise<boolean> {
  const row = await database.db
    .selectFrom('projects')
    .select('registry_id')
    .where('id', '=', projectId)
    .executeTakeFirst();
  return row !== undefined && row.registry_id !== null;
}

/** 405 as in Harbor: the method exists, but not for this kind of project. */
function refuseForProxyCache(reply: HttpReply): HttpReply {
  const message = "the operation isn't supported for a proxy cache project";
  return reply.code(405).send({ errors: [{ code: 'METHOD_NOT_ALLOWED', message }] });
}

function qualified(repository: string, reference: string): string {
  return `${repository}${reference.includes(':') ? '@' : ':'}${reference.slice(0, 200)}`;
}

function invalid(message: string): VicError {
  return new VicError({ class: 'InvalidArgument', code: 'ARTIFACT_REQUEST_INVALID', message });
}

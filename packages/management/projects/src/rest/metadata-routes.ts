import { VicError } from '@vic/errors';
import { Type } from '@vic/http';
import { type RestRoutes, auditSubject, permits, projectOf } from '@vic/rest';
import type { ProjectMetadata } from '../project.ts';
import type { Projects } from '../projects.ts';

const ONE_PAIR = Type.Record(Type.String({ maxLength: 100 }), Type.String({ maxLength: 4096 }));
const KEY = Type.Object({ project_name_or_id: Type.String(), meta_name: Type.String() });
const AUDITED = { operation: 'update', resourceType: 'project' } as const;

/** The routes of projects' metadata. */
export function metadataRoutes(projects: Projects): RestRoutes {
  const metadataOf = async (projectId: number): Promise<ProjectMetadata> => (await projects.get(projectId)).metadata;

  return (app) => {
    app.get(
      '/projects/:project_name_or_id/metadatas',
      permits({ scope: 'project', resource: 'metadata', action: 'read' }),
      async (request) => metadataOf(projectOf(request).id),
    );

    app.post(
      '/projects/:project_name_or_id/metadatas',
      {
        schema: { body: ONE_PAIR },
        ...permits({ scope: 'project', resource: 'metadata', action: 'create' }, AUDITED),
      },
      async (request, reply) => {
        const project = projectOf(request);
        auditSubject(request, project.name);
        const [name] = onlyPair(request.body);
        if (name in (await metadataOf(project.id))) throw exists(name);
        await projects.setMetadata(project.id, request.body);
        return reply.send();
      },
    );

    app.get(
      '/projects/:project_name_or_id/metadatas/:meta_name',
      { schema: { params: KEY }, ...permits({ scope: 'project', resource: 'metadata', action: 'read' }) },
      async (request) => {
        const name = request.params.meta_name;
        const value = (await metadataOf(projectOf(request).id))[name];
        return value === undefined ? {} : { [name]: value };
      },
    );

    app.put(
      '/projects/:project_name_or_id/metadatas/:meta_name',
      {
        schema: { params: KEY, body: ONE_PAIR },
        ...permits({ scope: 'project', resource: 'metadata', action: 'update' }, AUDITED),
      },
      async (request, reply) => {
        const project = projectOf(request);
        auditSubject(request, project.name);
        const [name, value] = onlyPair(request.body);
        if (name !== request.params.meta_name) throw badPair();
        await projects.setMetadata(project.id, { [name]: value });
        return reply.send();
      },
    );

    app.delete(
      '/projects/:project_name_or_id/metadatas/:meta_name',
      {
        schema: { params: KEY },
        ...permits({ scope: 'project', resource: 'metadata', action: 'delete' }, AUDITED),
      },
      async (request, reply) => {
        const project = projectOf(request);
        auditSubject(request, project.name);
        await projects.removeMetadata(project.id, request.params.meta_name);
        return reply.send();
      },
    );
  };
}

function onlyPair(metadata: ProjectMetadata): readonly [name: string, value: string] {
  const [pair, ...others] = Object.entries(metadata);
  if (pair === undefined || others.length > 0) throw badPair();
  return pair;
}

function badPair(): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'PROJECT_METADATA_PAIR',
    message: 'only allow one key/value pair',
  });
}

function exists(name: string): VicError {
  return new VicError({
    class: 'AlreadyExists',
    code: 'PROJECT_METADATA_EXISTS',
    message: `metadata ${name} already exists`,
  });
}

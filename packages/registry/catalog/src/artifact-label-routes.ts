import { nameOf } from '@vic/authz';
import { Type } from '@vic/http';
import { type RestRoutes, auditSubject, permits, principalOf, projectOf } from '@vic/rest';
import { ArtifactCatalog } from './artifact-catalog.ts';
import { requestedArtifact } from './artifact-routes.ts';
import type { CatalogDeps } from './catalog-services.ts';
import { Labels } from './labels.ts';
import { ARTIFACT } from './repository-request.ts';

const LabelReference = Type.Object({ id: Type.Integer({ minimum: 1 }) });
const LabelParameters = Type.Object({
  project_name: Type.String(),
  repository_name: Type.String(),
  reference: Type.String(),
  label_id: Type.Integer({ minimum: 1 }),
});

/** Harbor's labels of artifacts. */
export function artifactLabelRoutes(deps: CatalogDeps): RestRoutes {
  const labels = new Labels(deps);
  const catalog = new ArtifactCatalog(deps.database);
  return (app) => {
    app.post(
      `${ARTIFACT}/labels`,
      {
        schema: { body: LabelReference },
        ...permits(
          { scope: 'project', resource: 'artifact-label', action: 'create' },
          { operation: 'update', resourceType: 'artifact' },
        ),
      },
      async (request, reply) => {
        const artifact = await requestedArtifact(deps, catalog, request);
        const project = projectOf(request);
        auditSubject(request, `${artifact.repository}@${artifact.digest}`);
        await deps.database.transaction(async (transaction) => {
          const label = await labels.attach(
            transaction,
            { id: artifact.id, projectId: artifact.project_id },
            request.body.id,
          );
          const tags = await transaction
            .selectFrom('tags')
            .select('name')
            .where('artifact_id', '=', artifact.id)
            .orderBy('name')
            .execute();
          await deps.appendEvent(transaction, {
            type: 'artifact.labelled',
            projectId: project.id,
            projectName: project.name,
            operator: nameOf(principalOf(request)),
            artifactId: artifact.id,
            repository: artifact.repository,
            digest: artifact.digest,
            tags: tags.map(({ name }) => name),
            mediaType: artifact.manifest_media_type,
            artifactType: artifact.type,
            label: label.name,
          });
        });
        await reply.code(200).send();
      },
    );
    app.delete(
      `${ARTIFACT}/labels/:label_id`,
      {
        schema: { params: LabelParameters },
        ...permits(
          { scope: 'project', resource: 'artifact-label', action: 'delete' },
          { operation: 'update', resourceType: 'artifact' },
        ),
      },
      async (request, reply) => {
        const artifact = await requestedArtifact(deps, catalog, request);
        auditSubject(request, `${artifact.repository}@${artifact.digest}`);
        await labels.detach(artifact.id, request.params.label_id);
        await reply.code(200).send();
      },
    );
  };
}

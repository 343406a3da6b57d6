import { VicError } from '@vic/errors';
import { type HttpRequest, Type } from '@vic/http';
import { type RestRoutes, permits } from '@vic/rest';
import { ArtifactAdditions } from './artifact-addition.ts';
import { ArtifactCatalog, type ArtifactRow } from './artifact-catalog.ts';
import { acceptedReportsOf, summaryOf } from './artifact-presenter.ts';
import { SBOM_FORMATS, type SbomFormat } from './artifact-providers.ts';
import { requestedArtifact } from './artifact-routes.ts';
import type { CatalogDeps } from './catalog-services.ts';
import { ARTIFACT } from './repository-request.ts';

const SbomQuery = Type.Object({ format: Type.Optional(Type.Enum([...SBOM_FORMATS])) });

/** Harbor's `additions` of artifacts: reports of scanners, and documents found in the artifacts. */
export function additionRoutes(deps: CatalogDeps): RestRoutes {
  const catalog = new ArtifactCatalog(deps.database);
  const additions = new ArtifactAdditions(deps);
  const permission = permits({ scope: 'project', resource: 'artifact-addition', action: 'read' });
  return (app) => {
    app.get(`${ARTIFACT}/additions/vulnerabilities`, permission, async (request) => {
      const artifact = await requestedArtifact(deps, catalog, request);
      return (await deps.reports?.vulnerabilities(summaryOf(artifact), acceptedReportsOf(request))) ?? {};
    });
    app.get(`${ARTIFACT}/additions/sbom`, { ...permission, schema: { querystring: SbomQuery } }, async (request) => {
      const artifact = await requestedArtifact(deps, catalog, request as HttpRequest);
      const { format } = request.query;
      const document = await deps.reports?.sbom(summaryOf(artifact), format);
      if (document !== undefined && document !== null) return document;
      throw noSbom(artifact, format);
    });
    app.get(`${ARTIFACT}/additions/:addition`, permission, async (request, reply) => {
      const artifact = await requestedArtifact(deps, catalog, request);
      const name = (request.params as Readonly<Record<string, string>>)['addition'] ?? '';
      const { contentType, content } = await additions.read(artifact, name.toLowerCase());
      // What was pushed is shown as text by browsers, never run.
      void reply.header('x-content-type-options', 'nosniff').type(contentType);
      return content;
    });
  };
}

function noSbom({ repository, digest }: ArtifactRow, format: SbomFormat | undefined): VicError {
  return new VicError({
    class: 'NotFound',
    code: 'ADDITION_NOT_FOUND',
    message: `${repository}@${digest} has no SBOM${format === undefined ? '' : ` in the form ${format}`}`,
    ...(format === undefined ? {} : { remedy: 'Without a format, the SBOM that its scanner made is shown.' }),
  });
}

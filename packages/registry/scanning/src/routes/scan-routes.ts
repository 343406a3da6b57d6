import { nameOf } from '@vic/authz';
import { SBOM_FORMATS } from '@vic/catalog';
import { VicError } from '@vic/errors';
import { type HttpRequest, type Static, Type } from '@vic/http';
import { type RestRoutes, auditSubject, permits, principalOf, projectOf, requirePermission } from '@vic/rest';
import { reportUuids } from '../reports/report-body.ts';
import type { Scanning } from '../scanning.ts';
import { inventorySbom } from '../scans/inventory-sbom.ts';
import { type ScanSubject, findSubject, membersOf } from '../scans/scan-subject.ts';

const ARTIFACT = '/projects/:project_name/repositories/:repository_name/artifacts/:reference';
const ScanTypeBody = Type.Object({
  scan_type: Type.Optional(Type.Union([Type.Literal('vulnerability'), Type.Literal('sbom')])),
});
const SbomQuery = Type.Object({
  format: Type.Optional(Type.Enum([...SBOM_FORMATS])),
});
/** Harbor's clients may leave the body out altogether. */
const OptionalScanType = Type.Union([ScanTypeBody, Type.Null()]);

/** Harbor's `…/artifacts/{reference}/scan`: begin, stop, log. */
export function scanRoutes(scanning: Scanning): RestRoutes {
  const { scans } = scanning;
  return (app) => {
    registerSbom(app, scanning);
    app.post(
      `${ARTIFACT}/scan`,
      {
        schema: { body: Type.Optional(OptionalScanType) },
        ...permits(
          { scope: 'project', resource: 'project', action: 'read' },
          { operation: 'operate', resourceType: 'artifact' },
        ),
      },
      async (request, reply) => {
        const scanType = scanTypeOf(request.body);
        await requirePermission(
          request,
          { resource: scanType === 'sbom' ? 'sbom' : 'scan', action: 'create' },
          projectOf(request),
        );
        const subject = await requestedSubject(scanning, request);
        const { reference = '' } = request.params as Readonly<Record<string, string>>;
        const tag = reference.includes(':') ? {} : { tag: reference };
        await scans.request(subject, { scanType, operator: nameOf(principalOf(request)), ...tag });
        await reply.code(202).send();
      },
    );
    app.post(
      `${ARTIFACT}/scan/stop`,
      {
        schema: { body: Type.Optional(OptionalScanType) },
        ...permits(
          { scope: 'project', resource: 'project', action: 'read' },
          { operation: 'operate', resourceType: 'artifact' },
        ),
      },
      async (request, reply) => {
        const scanType = scanTypeOf(request.body);
        await requirePermission(
          request,
          { resource: scanType === 'sbom' ? 'sbom' : 'scan', action: 'stop' },
          projectOf(request),
        );
        await scans.stop(await requestedSubject(scanning, request), scanType, nameOf(principalOf(request)));
        await reply.code(202).send();
      },
    );
    app.get(
      `${ARTIFACT}/scan/:report_id/log`,
      permits({ scope: 'project', resource: 'scan', action: 'read' }),
      async (request, reply) => {
        const subject = await requestedSubject(scanning, request);
        const { report_id: reportId = '' } = request.params as Readonly<Record<string, string>>;
        const log = await logOf(scanning, subject, reportId);
        if (log === undefined) {
          throw new VicError({
            class: 'NotFound',
            code: 'SCAN_REPORT_NOT_FOUND',
            message: `report with uuid ${reportId.slice(0, 64)} does not exist`,
          });
        }
        void reply.type('text/plain; charset=utf-8');
        return log;
      },
    );
  };
}

function scanTypeOf(body: Static<typeof OptionalScanType> | undefined): 'vulnerability' | 'sbom' {
  return body?.scan_type ?? 'vulnerability';
}

/** The packages of an image in either form, from its inventory: our own, beside the accessory that Harbor makes. */
function registerSbom(app: Parameters<RestRoutes>[0], scanning: Scanning): void {
  app.get(
    `${ARTIFACT}/scan/sbom`,
    {
      schema: { querystring: SbomQuery },
      ...permits({ scope: 'project', resource: 'sbom', action: 'read' }),
    },
    async (request) => {
      const subject = await requestedSubject(scanning, request);
      const { deps, inventories } = scanning;
      const document = await inventorySbom({ ...deps, inventories }, subject, request.query.format ?? 'spdx');
      if (document === undefined) {
        throw new VicError({
          class: 'NotFound',
          code: 'SBOM_NOT_FOUND',
          message: `the packages of ${subject.repository}@${subject.digest} are not known`,
          remedy: 'Scan the artifact with the built-in scanner first.',
        });
      }
      return document;
    },
  );
}

async function requestedSubject({ deps }: Scanning, request: HttpRequest): Promise<ScanSubject> {
  const project = projectOf(request);
  const parameters = request.params as Readonly<Record<string, string>>;
  const { repository_name: encoded = '', reference = '' } = parameters;
  let name: string;
  try {
    name = `${project.name}/${decodeURIComponent(encoded)}`;
  } catch (cause) {
    throw new VicError({
      class: 'InvalidArgument',
      code: 'REPOSITORY_NAME_ENCODING',
      message: `${encoded.slice(0, 255)} is not an encoded name of a repository`,
      cause,
    });
  }
  auditSubject(request, `${name}${reference.includes(':') ? '@' : ':'}${reference}`, project);
  const artifact = await deps.store.resolve(name, reference);
  const subject = artifact === undefined ? undefined : await findSubject(deps.database.db, artifact.id);
  if (subject !== undefined) return subject;
  throw new VicError({
    class: 'NotFound',
    code: 'ARTIFACT_NOT_FOUND',
    message: `artifact ${name}${reference.includes(':') ? '@' : ':'}${reference.slice(0, 200)} not found`,
  });
}

/** The logs of the reports that an id stands for; `undefined` unless all are of the artifact or its members. */
async function logOf({ deps, reports }: Scanning, subject: ScanSubject, reportId: string): Promise<string | undefined> {
  const members = await membersOf(deps.database.db, [subject.id]);
  const ids = new Set([subject.id, ...(members.get(subject.id) ?? []).map(({ id }) => id)]);
  const logs: string[] = [];
  for (const uuid of reportUuids(reportId)) {
    const report = await reports.findByUuid(uuid);
    if (report === undefined || !ids.has(report.artifactId)) return undefined;
    logs.push(report.jobId === undefined ? '' : await deps.jobs.readLog(report.jobId));
  }
  return logs.join('\n');
}

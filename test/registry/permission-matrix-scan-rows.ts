import { type Row, row } from './permission-matrix-rows.ts';

const ARTIFACT = '/projects/:project_name/repositories/:repository_name/artifacts/:reference';
const SCANNER = '/projects/:project_name_or_id/scanner';
const EMPTY = { given: () => ({ body: {} }) };
const REPORT = { 'x-scan-data-type': 'application/vnd.security.vulnerability.report; version=1.1' };

/** Scanners, scans and what they found; trust in signatures. */
export const SCAN_ROWS: readonly Row[] = [
  row(`POST ${ARTIFACT}/scan`, 'maintainer'),
  row(`POST ${ARTIFACT}/scan/stop`, 'maintainer'),
  row(`GET ${ARTIFACT}/scan/:report_id/log`, 'limitedGuest', { open: true }),
  row(`GET ${ARTIFACT}/scan/sbom`, 'limitedGuest'),
  row(`GET ${SCANNER}`, 'limitedGuest', { open: true }),
  row(`PUT ${SCANNER}`, 'projectAdmin', EMPTY),
  row(`GET ${SCANNER}/candidates`, 'projectAdmin'),
  row('GET /scanners', 'administrator'),
  row('POST /scanners', 'administrator', EMPTY),
  row('POST /scanners/ping', 'administrator', EMPTY),
  row('GET /scanners/:registration_id', 'administrator'),
  row('GET /scanners/:registration_id/metadata', 'administrator'),
  row('PUT /scanners/:registration_id', 'administrator', EMPTY),
  row('PATCH /scanners/:registration_id', 'administrator', EMPTY),
  row('DELETE /scanners/:registration_id', 'administrator'),
  row('GET /scans/all/metrics', 'administrator'),
  row('GET /scans/schedule/metrics', 'administrator'),
  row('GET /system/scanAll/schedule', 'administrator'),
  row('POST /system/scanAll/schedule', 'administrator', EMPTY),
  row('PUT /system/scanAll/schedule', 'administrator', EMPTY),
  row('POST /system/scanAll/stop', 'administrator'),
  row('GET /system/advisories', 'administrator'),
  row('GET /system/advisories/imports', 'administrator'),
  row('GET /system/advisories/imports/:id', 'administrator'),
  row('POST /system/advisories', 'administrator', EMPTY),
  row('DELETE /system/advisories/:feed', 'administrator'),
  row('GET /security/summary', 'administrator'),
  row('GET /security/vul', 'administrator'),

  row('POST /export/cve', 'developer', {
    given: (_world, { id }) => ({ headers: REPORT, body: { projects: [id] } }),
  }),
  row('GET /export/cve/executions', 'stranger'),
  // Exports are their makers': the administrator made these.
  row('GET /export/cve/execution/:execution_id', 'administrator', ownExport()),
  row('GET /export/cve/download/:execution_id', 'administrator', ownExport()),

  row('GET /projects/:project_name_or_id/trust-policy', 'developer'),
  row('PUT /projects/:project_name_or_id/trust-policy', 'projectAdmin', { given: () => ({ body: { nonsense: 1 } }) }),
  row(`GET ${ARTIFACT}/trust`, 'limitedGuest', { open: true }),
];

function ownExport(): Parameters<typeof row>[2] {
  return {
    given: async (world, { id }) => {
      const { text } = await world.prepare('POST', '/api/v2.0/export/cve', { projects: [id] }, REPORT);
      return { parameters: { execution_id: (JSON.parse(text) as { id: number }).id } };
    },
  };
}

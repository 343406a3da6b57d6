import type { MatrixProject, MatrixWorld, Standing } from './permission-matrix-world.ts';
import { idIn } from './permission-matrix-world.ts';

/** What fills the parameters of a row's path, and its body. */
export interface Filling {
  readonly parameters?: Readonly<Record<string, string | number>>;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** One endpoint and the least standing that may use it. */
export interface Row {
  readonly method: string;
  /** As it is declared, below the API's prefix. */
  readonly path: string;
  readonly needs: Standing | 'nobody';
  /** Whether everybody may in a public project. */
  readonly open: boolean;
  /** Whether its calls would meet those of other rows: each project has one retention policy. */
  readonly alone: boolean;
  /** What the endpoint is called with; made anew for every call. */
  readonly given?: (world: MatrixWorld, project: MatrixProject) => Promise<Filling> | Filling;
}

type Options = Partial<Pick<Row, 'open' | 'alone' | 'given'>>;

const API = '/api/v2.0';
const OPEN: Options = { open: true };

/** Written by hand from Harbor's role matrix: what the routes declare is held against it. */
export const ROWS: readonly Row[] = [
  row('GET /projects', 'anonymous'),
  row('HEAD /projects', 'stranger', { given: () => ({ query: '?project_name=team' }) }),
  row('POST /projects', 'stranger', { given: () => ({ body: { project_name: 'Not A Name' } }) }),
  row('GET /projects/:project_name_or_id', 'limitedGuest', OPEN),
  row('PUT /projects/:project_name_or_id', 'projectAdmin', { given: () => ({ body: { metadata: {} } }) }),
  // The project has a repository, so that whoever may delete it is told 412.
  row('DELETE /projects/:project_name_or_id', 'projectAdmin'),
  row('GET /projects/:project_name_or_id/summary', 'limitedGuest', OPEN),
  row('GET /projects/:project_name_or_id/_deletable', 'projectAdmin'),
  row('GET /projects/:project_name_or_id/metadatas', 'maintainer'),
  row('POST /projects/:project_name_or_id/metadatas', 'projectAdmin', { given: () => ({ body: { auto_scan: 'no' } }) }),
  row('GET /projects/:project_name_or_id/metadatas/:meta_name', 'maintainer'),
  row('PUT /projects/:project_name_or_id/metadatas/:meta_name', 'projectAdmin', { given: () => ({ body: {} }) }),
  row('DELETE /projects/:project_name_or_id/metadatas/:meta_name', 'projectAdmin'),
  row('GET /projects/:project_name_or_id/members', 'guest'),
  row('POST /projects/:project_name_or_id/members', 'projectAdmin', { given: () => ({ body: {} }) }),
  row('GET /projects/:project_name_or_id/members/:mid', 'guest'),
  row('PUT /projects/:project_name_or_id/members/:mid', 'projectAdmin', { given: () => ({ body: { role_id: 3 } }) }),
  row('DELETE /projects/:project_name_or_id/members/:mid', 'projectAdmin'),
  row('GET /system/CVEAllowlist', 'stranger'),
  row('PUT /system/CVEAllowlist', 'administrator', { given: () => ({ body: { items: [] } }) }),

  row('GET /repositories', 'anonymous'),
  row('GET /search', 'anonymous', { given: () => ({ query: '?q=app' }) }),
  row('GET /statistics', 'stranger'),
  row('GET /projects/:project_name/repositories', 'limitedGuest', OPEN),
  row('GET /projects/:project_name/repositories/:repository_name', 'limitedGuest'),
  row('PUT /projects/:project_name/repositories/:repository_name', 'developer', { given: () => ({ body: {} }) }),
  row('DELETE /projects/:project_name/repositories/:repository_name', 'maintainer', absentRepository()),
  row('GET /projects/:project_name_or_id/artifacts', 'limitedGuest', OPEN),
  ...artifactRows(),

  row('GET /labels', 'guest', { open: true, given: (_world, { id }) => ({ query: `?scope=p&project_id=${id}` }) }),
  row('POST /labels', 'maintainer', labelBody()),
  row('GET /labels/:label_id', 'guest', { ...label(), open: true }),
  row('PUT /labels/:label_id', 'maintainer', label({ isUpdate: true })),
  row('DELETE /labels/:label_id', 'maintainer', label()),

  row('GET /projects/:project_name_or_id/immutabletagrules', 'maintainer'),
  row('POST /projects/:project_name_or_id/immutabletagrules', 'maintainer', { given: () => ({ body: {} }) }),
  row('PUT /projects/:project_name_or_id/immutabletagrules/:immutable_rule_id', 'maintainer', {
    given: () => ({ body: {} }),
  }),
  row('DELETE /projects/:project_name_or_id/immutabletagrules/:immutable_rule_id', 'maintainer'),
  row('GET /retentions/metadatas', 'stranger'),
  row('POST /retentions', 'developer', { alone: true, given: (_world, project) => ({ body: retentionBody(project) }) }),
  row('GET /retentions/:id', 'developer', retention()),
  row(
    'PUT /retentions/:id',
    'developer',
    retention((project) => retentionBody(project)),
  ),
  row('DELETE /retentions/:id', 'developer', retention()),
  row('GET /retentions/:id/executions', 'developer', retention()),
  row(
    'POST /retentions/:id/executions',
    'developer',
    retention(() => ({ dry_run: true })),
  ),
  row(
    'PATCH /retentions/:id/executions/:eid',
    'developer',
    retention(() => ({ action: 'stop' })),
  ),
  row('GET /retentions/:id/executions/:eid/tasks', 'developer', retention()),
  row('GET /retentions/:id/executions/:eid/tasks/:tid', 'developer', retention()),
  row('GET /quotas', 'administrator'),
  row('GET /quotas/:id', 'administrator'),
  row('PUT /quotas/:id', 'administrator', { given: () => ({ body: {} }) }),

  ...webhookRows(),
  ...robotRows(),
];

/** A row; see {@link Row}. */
export function row(endpoint: string, needs: Row['needs'], options: Options = {}): Row {
  const [method = '', path = ''] = endpoint.split(' ');
  const { open = false, alone = false, given } = options;
  return { method, path, needs, open, alone, ...(given && { given }) };
}

function artifactRows(): readonly Row[] {
  const artifacts = '/projects/:project_name/repositories/:repository_name/artifacts';
  const artifact = `${artifacts}/:reference`;
  return [
    row(`GET ${artifacts}`, 'limitedGuest', OPEN),
    row(`POST ${artifacts}`, 'developer', { given: () => ({ query: '?from=none/none:1' }) }),
    row(`GET ${artifact}`, 'limitedGuest', OPEN),
    row(`DELETE ${artifact}`, 'maintainer', absentArtifact()),
    row(`GET ${artifact}/accessories`, 'limitedGuest', OPEN),
    row(`GET ${artifact}/additions/:addition`, 'limitedGuest', OPEN),
    row(`GET ${artifact}/additions/vulnerabilities`, 'limitedGuest', OPEN),
    row(`GET ${artifact}/additions/sbom`, 'limitedGuest', OPEN),
    row(`GET ${artifact}/tags`, 'limitedGuest', OPEN),
    row(`POST ${artifact}/tags`, 'developer', { given: () => ({ body: { name: '1' } }) }),
    row(`DELETE ${artifact}/tags/:tag_name`, 'maintainer'),
    row(`POST ${artifact}/labels`, 'developer', { given: () => ({ body: { id: 999_999 } }) }),
    row(`DELETE ${artifact}/labels/:label_id`, 'developer'),
  ];
}

function webhookRows(): readonly Row[] {
  const webhook = '/projects/:project_name_or_id/webhook';
  const policy = `${webhook}/policies/:webhook_policy_id`;
  const body: Options = { given: () => ({ body: {} }) };
  return [
    row(`GET ${webhook}/policies`, 'maintainer'),
    row(`POST ${webhook}/policies`, 'projectAdmin', body),
    row(`GET ${policy}`, 'maintainer'),
    row(`PUT ${policy}`, 'projectAdmin', body),
    row(`DELETE ${policy}`, 'projectAdmin'),
    row(`GET ${policy}/executions`, 'maintainer'),
    row(`GET ${policy}/executions/:execution_id/tasks`, 'maintainer'),
    row(`GET ${policy}/executions/:execution_id/tasks/:task_id/log`, 'maintainer'),
    row(`GET ${webhook}/events`, 'maintainer'),
    row(`GET ${webhook}/lasttrigger`, 'maintainer'),
  ];
}

function robotRows(): readonly Row[] {
  const robots = '/projects/:project_name_or_id/robots';
  return [
    row(`GET ${robots}`, 'guest'),
    row(`POST ${robots}`, 'projectAdmin', { given: () => ({ body: {} }) }),
    row(`GET ${robots}/:robot_id`, 'guest'),
    row(`PUT ${robots}/:robot_id`, 'projectAdmin', { given: () => ({ body: {} }) }),
    row(`DELETE ${robots}/:robot_id`, 'projectAdmin'),
    row('GET /robots', 'guest', { given: (_world, { id }) => ({ query: `?q=Level=project,ProjectID=${id}` }) }),
    row('POST /robots', 'projectAdmin', { given: (_world, project) => ({ body: robotBody(project) }) }),
    row('GET /robots/:robot_id', 'guest', robot()),
    row('PUT /robots/:robot_id', 'projectAdmin', robot({ isUpdate: true })),
    row('PATCH /robots/:robot_id', 'projectAdmin', robot({ body: { secret: '' } })),
    row('DELETE /robots/:robot_id', 'projectAdmin', robot()),
  ];
}

function absentRepository(): Options {
  return { given: () => ({ parameters: { repository_name: 'absent' } }) };
}

function absentArtifact(): Options {
  return { given: () => ({ parameters: { reference: 'absent' } }) };
}

let made = 0;

function labelBody(): Options {
  return {
    given: (_world, { id }) => ({ body: { name: `label-${++made}`, scope: 'p', project_id: id, color: '#FFFFFF' } }),
  };
}

function label(options: { readonly isUpdate?: boolean } = {}): Options {
  return {
    given: async (world, { id }) => {
      const body = { name: `label-${++made}`, scope: 'p', project_id: id };
      const parameters = { label_id: idIn(await world.prepare('POST', `${API}/labels`, body)) };
      return options.isUpdate === true ? { parameters, body } : { parameters };
    },
  };
}

function retentionBody({ id }: MatrixProject): object {
  return {
    algorithm: 'or',
    scope: { level: 'project', ref: id },
    trigger: { kind: 'Schedule', settings: { cron: '' } },
    rules: [],
  };
}

/** The project's retention policy, made again where it was deleted. */
function retention(body?: (project: MatrixProject) => object): Options {
  return {
    alone: true,
    given: async (world, project) => {
      const read = async (): Promise<string | undefined> => {
        const { text } = await world.prepare('GET', `${API}/projects/${project.name}`);
        return (JSON.parse(text) as { metadata: Record<string, string> }).metadata['retention_id'];
      };
      if ((await read()) === undefined) await world.prepare('POST', `${API}/retentions`, retentionBody(project));
      const parameters = { id: (await read()) ?? '', eid: 999_999, tid: 999_999 };
      return body === undefined ? { parameters } : { parameters, body: body(project) };
    },
  };
}

function robotBody({ name }: MatrixProject): object {
  const access = [{ resource: 'repository', action: 'pull' }];
  return {
    name: `robot${++made}`,
    level: 'project',
    duration: 30,
    permissions: [{ kind: 'project', namespace: name, access }],
  };
}

function robot(options: { readonly isUpdate?: boolean; readonly body?: object } = {}): Options {
  return {
    given: async (world, project) => {
      const body = robotBody(project);
      const answer = await world.prepare('POST', `${API}/robots`, body);
      const { name } = JSON.parse(answer.text) as { name: string };
      const parameters = { robot_id: idIn(answer) };
      if (options.isUpdate === true) return { parameters, body: { ...body, name } };
      return options.body === undefined ? { parameters } : { parameters, body: options.body };
    },
  };
}

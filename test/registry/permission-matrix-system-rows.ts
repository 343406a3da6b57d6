import { type Row, row } from './permission-matrix-rows.ts';

let made = 0;

const EMPTY = { given: () => ({ body: {} }) };

/** What belongs to no project: people, the system, and what reaches beyond it. */
export const SYSTEM_ROWS: readonly Row[] = [
  row('GET /ping', 'anonymous'),
  row('GET /health', 'anonymous'),
  row('GET /openapi.json', 'anonymous'),
  row('GET /systeminfo', 'anonymous'),
  row('GET /systeminfo/getcert', 'anonymous'),
  row('GET /systeminfo/volumes', 'administrator'),
  row('GET /configurations', 'administrator'),
  row('PUT /configurations', 'administrator', EMPTY),

  row('GET /users', 'administrator'),
  row('GET /users/search', 'stranger', { given: () => ({ query: '?username=by' }) }),
  row('POST /users', 'administrator', {
    given: () => {
      const name = `made${++made}`;
      return { body: { username: name, password: 'Made1password', email: `${name}@example.com`, realname: name } };
    },
  }),
  row('GET /users/:user_id', 'administrator', bystander()),
  row('PUT /users/:user_id', 'administrator', bystander({ email: 'bystander@example.com', realname: 'By' })),
  row('DELETE /users/:user_id', 'administrator', { given: () => ({ parameters: { user_id: 999_999 } }) }),
  row('PUT /users/:user_id/password', 'administrator', bystander({ new_password: 'Another1password' })),
  row('PUT /users/:user_id/sysadmin', 'administrator', bystander({ sysadmin_flag: false })),
  // Only users of an OIDC provider have one; where there are none, everybody is told so.
  row('PUT /users/:user_id/cli_secret', 'anonymous', bystander({ secret: 'Another1secret' })),
  row('GET /users/current', 'stranger'),
  row('GET /users/current/permissions', 'stranger', { given: () => ({ query: '?scope=/system' }) }),
  row('GET /users/:user_id/tokens', 'administrator', bystander()),
  // A token is its user: nobody makes one for another.
  row('POST /users/:user_id/tokens', 'nobody', bystander({ name: 'ci' })),
  row('DELETE /users/:user_id/tokens/:token_id', 'administrator', bystander()),
  row('GET /usergroups', 'administrator'),
  row('GET /usergroups/search', 'stranger', { given: () => ({ query: '?groupname=x' }) }),
  row('POST /usergroups', 'administrator', EMPTY),
  row('GET /usergroups/:group_id', 'administrator'),
  row('PUT /usergroups/:group_id', 'administrator', EMPTY),
  row('DELETE /usergroups/:group_id', 'administrator'),
  row('GET /usergroups/:group_id/members', 'administrator'),
  row('PUT /usergroups/:group_id/members/:user_id', 'administrator'),
  row('DELETE /usergroups/:group_id/members/:user_id', 'administrator'),
  row('POST /ldap/ping', 'administrator', EMPTY),
  row('GET /ldap/users/search', 'administrator'),
  row('GET /ldap/groups/search', 'administrator', { given: () => ({ query: '?groupname=x' }) }),
  row('POST /ldap/users/import', 'administrator', EMPTY),
  row('GET /oidc/login', 'anonymous'),
  row('GET /oidc/callback', 'anonymous'),
  row('POST /oidc/onboard', 'anonymous', EMPTY),
  row('POST /system/oidc/ping', 'administrator', EMPTY),
  row('GET /permissions', 'projectAdmin'),
  row('POST /session', 'anonymous', EMPTY),
  row('GET /session', 'anonymous'),
  row('DELETE /session', 'stranger'),

  row('GET /registries', 'administrator'),
  row('POST /registries', 'administrator', EMPTY),
  row('POST /registries/ping', 'administrator', EMPTY),
  row('GET /registries/:id', 'administrator'),
  row('GET /registries/:id/info', 'administrator'),
  row('PUT /registries/:id', 'administrator', EMPTY),
  row('DELETE /registries/:id', 'administrator'),
  row('GET /replication/adapters', 'administrator'),
  row('GET /replication/adapterinfos', 'administrator'),
  row('GET /replication/policies', 'administrator'),
  row('POST /replication/policies', 'administrator', EMPTY),
  row('GET /replication/policies/:id', 'administrator'),
  row('PUT /replication/policies/:id', 'administrator', EMPTY),
  row('DELETE /replication/policies/:id', 'administrator'),
  row('GET /replication/policies/:id/approvals', 'administrator'),
  row('POST /replication/policies/:id/approvals', 'administrator', EMPTY),
  row('GET /replication/executions', 'administrator'),
  row('POST /replication/executions', 'administrator', EMPTY),
  row('GET /replication/executions/:id', 'administrator'),
  row('PUT /replication/executions/:id', 'administrator'),
  row('GET /replication/executions/:id/tasks', 'administrator'),
  row('GET /replication/executions/:id/tasks/:task_id/log', 'administrator'),

  ...systemJobRows('/system/gc'),
  ...systemJobRows('/system/scrub'),
  row('GET /system/scrub/damaged', 'administrator'),
  ...systemJobRows('/system/purgeaudit'),
  row('GET /jobservice/pools', 'administrator'),
  row('GET /jobservice/pools/:pool_id/workers', 'administrator'),
  row('PUT /jobservice/jobs/:job_id', 'administrator'),
  row('GET /jobservice/jobs/:job_id/log', 'administrator'),
  row('GET /jobservice/queues', 'administrator'),
  row('PUT /jobservice/queues/:job_type', 'administrator', EMPTY),
  row('GET /schedules', 'administrator'),
  row('GET /schedules/:job_type/paused', 'stranger'),

  // Everybody signed in sees the records of the projects whose logs they may list.
  row('GET /audit-logs', 'stranger'),
  row('GET /auditlog-exts', 'stranger'),
  row('GET /auditlog-exts/events', 'administrator'),
  row('GET /projects/:project_name/logs', 'projectAdmin'),
  row('GET /projects/:project_name/auditlog-exts', 'projectAdmin'),
];

function systemJobRows(path: string): readonly Row[] {
  return [
    row(`GET ${path}`, 'administrator'),
    row(`GET ${path}/schedule`, 'administrator'),
    row(`POST ${path}/schedule`, 'administrator', EMPTY),
    row(`PUT ${path}/schedule`, 'administrator', EMPTY),
    row(`GET ${path}/:id`, 'administrator'),
    row(`PUT ${path}/:id`, 'administrator'),
    row(`GET ${path}/:id/log`, 'administrator'),
  ];
}

function bystander(body?: object): Parameters<typeof row>[2] {
  return {
    given: ({ bystanderId }) => ({ parameters: { user_id: bystanderId }, ...(body === undefined ? {} : { body }) }),
  };
}

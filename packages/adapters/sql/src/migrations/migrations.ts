import { identity } from './0001-identity.ts';
import { projects } from './0002-projects.ts';
import { events } from './0003-events.ts';
import { jobs } from './0004-jobs.ts';
import { audit } from './0005-audit.ts';
import { settings } from './0006-settings.ts';
import { repositories } from './0007-repositories.ts';
import { labels } from './0008-labels.ts';
import { policies } from './0009-policies.ts';
import { gc } from './0010-gc.ts';
import { scanning } from './0011-scanning.ts';
import { trust } from './0012-trust.ts';
import { replication } from './0013-replication.ts';
import { webhooks } from './0014-webhooks.ts';
import { tokens } from './0015-tokens.ts';
import { listedRepositories } from './0016-listed-repositories.ts';
import { repositoryProjects } from './0017-repository-projects.ts';
import { listOrders } from './0018-list-orders.ts';
import type { Migration } from './migration.ts';

/** Every migration, in the order they are applied; the list only ever grows at its end. */
export const MIGRATIONS: readonly Migration[] = [
  identity,
  projects,
  events,
  jobs,
  audit,
  settings,
  repositories,
  labels,
  policies,
  gc,
  scanning,
  trust,
  replication,
  webhooks,
  tokens,
  listedRepositories,
  repositoryProjects,
  listOrders,
];

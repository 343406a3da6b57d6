import type { Jobs } from '@vic/jobs';
import type { RestRoutes } from '@vic/rest';
import { addExecutionRoutes } from './rest/execution-routes.ts';
import { addPolicyRoutes } from './rest/policy-routes.ts';
import type { WebhookPolicies } from './webhook-policies.ts';

/** What the REST API of webhooks needs. */
export interface WebhookRoutesDeps {
  readonly policies: WebhookPolicies;
  readonly jobs: Pick<
    Jobs,
    'findExecution' | 'listExecutions' | 'listTasks' | 'findJob' | 'readLog' | 'removeExecutions'
  >;
}

/** Webhook policies, what they sent, and what they can be set off by. */
export function webhookRoutes(deps: WebhookRoutesDeps): RestRoutes {
  return (app) => {
    addPolicyRoutes(app, deps);
    addExecutionRoutes(app, deps);
  };
}

import {
  AddressGuard,
  WEBHOOK_VENDOR,
  WebhookConsumer,
  WebhookDelivery,
  WebhookPolicies,
  webhookRoutes,
} from '@vic/webhooks';
import type { RegistryConfiguration } from '../configuration.ts';
import type { Storage } from '../storage.ts';
import type { Contribution } from './contribution.ts';
import type { Management } from './management.ts';

/** Composes webhooks: policies, deliveries, and who turns events into them. */
export function composeWebhooks(
  configuration: RegistryConfiguration,
  { database, secrets }: Storage,
  { jobs, projects, settings }: Management,
): Contribution {
  const guard = new AddressGuard(configuration.webhookAddresses);
  const policies = new WebhookPolicies({ database, secrets, guard });
  const delivery = new WebhookDelivery({ policies, guard });
  const consumer = new WebhookConsumer({
    database,
    policies,
    jobs,
    projects,
    registryHost: new URL(configuration.externalUrl).host,
    isEnabled: async () => settings.get('notification_enable'),
  });
  return {
    routes: [webhookRoutes({ policies, jobs })],
    jobKinds: [delivery],
    vendors: [WEBHOOK_VENDOR],
    consumers: [consumer],
    [Symbol.asyncDispose]: async () => delivery[Symbol.asyncDispose](),
  };
}

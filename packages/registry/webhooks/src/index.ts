export { resealWebhookSecrets } from './reseal-webhooks.ts';
export { WebhookPolicies } from './webhook-policies.ts';
export type { Sealer, WebhookPoliciesDeps } from './webhook-policies.ts';
export type {
  NewWebhookPolicy,
  NewWebhookTarget,
  PayloadFormat,
  WebhookPolicy,
  WebhookTarget,
} from './webhook-policy.ts';
export type { WebhookEventType } from './event-type.ts';
export { WebhookConsumer } from './webhook-consumer.ts';
export type { ProjectReader, WebhookConsumerDeps } from './webhook-consumer.ts';
export { WEBHOOK_VENDOR, WebhookDelivery } from './webhook-delivery.ts';
export type { WebhookDeliveryDeps } from './webhook-delivery.ts';
export { AddressGuard } from './address-guard.ts';
export { webhookRoutes } from './webhook-routes.ts';
export type { WebhookRoutesDeps } from './webhook-routes.ts';

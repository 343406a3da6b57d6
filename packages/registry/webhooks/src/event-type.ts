import type { RegistryEvent } from '@vic/registry-api';

/** The events a policy can ask for, by Harbor's names. */
export const WEBHOOK_EVENT_TYPES = [
  'DELETE_ARTIFACT',
  'PULL_ARTIFACT',
  'PUSH_ARTIFACT',
  'QUOTA_EXCEED',
  'QUOTA_WARNING',
  'REPLICATION',
  'SCANNING_FAILED',
  'SCANNING_COMPLETED',
  'SCANNING_STOPPED',
  'TAG_RETENTION',
] as const;

/** One of {@link WEBHOOK_EVENT_TYPES}. */
export type WebhookEventType = (typeof WEBHOOK_EVENT_TYPES)[number];

const TYPES: Readonly<Partial<Record<RegistryEvent['type'], WebhookEventType>>> = {
  'artifact.pushed': 'PUSH_ARTIFACT',
  'artifact.pulled': 'PULL_ARTIFACT',
  'artifact.deleted': 'DELETE_ARTIFACT',
  'scan.completed': 'SCANNING_COMPLETED',
  'scan.failed': 'SCANNING_FAILED',
  'scan.stopped': 'SCANNING_STOPPED',
  'quota.exceeded': 'QUOTA_EXCEED',
  'quota.warned': 'QUOTA_WARNING',
  'replication.finished': 'REPLICATION',
  'retention.finished': 'TAG_RETENTION',
};

const CLOUD_EVENT_TYPES: Readonly<Record<WebhookEventType, string>> = {
  DELETE_ARTIFACT: 'harbor.artifact.deleted',
  PULL_ARTIFACT: 'harbor.artifact.pulled',
  PUSH_ARTIFACT: 'harbor.artifact.pushed',
  QUOTA_EXCEED: 'harbor.quota.exceeded',
  QUOTA_WARNING: 'harbor.quota.warned',
  REPLICATION: 'harbor.replication.status.changed',
  SCANNING_FAILED: 'harbor.scan.failed',
  SCANNING_COMPLETED: 'harbor.scan.completed',
  SCANNING_STOPPED: 'harbor.scan.stopped',
  TAG_RETENTION: 'harbor.tag_retention.finished',
};

/** What webhooks call the event; `undefined` for events they do not tell of. */
export function webhookEventType({ type }: RegistryEvent): WebhookEventType | undefined {
  return TYPES[type];
}

/** What CloudEvents call it. */
export function cloudEventType(type: WebhookEventType): string {
  return CLOUD_EVENT_TYPES[type];
}

/** Whether policies can ask for it. */
export function isWebhookEventType(text: string): text is WebhookEventType {
  return WEBHOOK_EVENT_TYPES.some((type) => type === text);
}

import type { WebhookEventType } from './event-type.ts';

/** How a target wants to be told. */
export type PayloadFormat = 'Default' | 'CloudEvents';

/** Where a webhook goes. */
export interface WebhookTarget {
  /** Stays when the policy is changed, so that deliveries under way find their target. */
  readonly id: string;
  readonly type: 'http' | 'slack';
  readonly address: string;
  /** Of `http` targets. */
  readonly payloadFormat: PayloadFormat | undefined;
  readonly skipCertificateCheck: boolean;
  /** The value of `Authorization`, sealed. */
  readonly sealedAuthHeader: string | undefined;
}

/** What is sent where when something happens in a project. */
export interface WebhookPolicy {
  readonly id: number;
  readonly projectId: number;
  readonly name: string;
  readonly description: string;
  readonly enabled: boolean;
  readonly targets: readonly WebhookTarget[];
  readonly eventTypes: readonly WebhookEventType[];
  readonly creator: string;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/** A target as it is asked for. */
export interface NewWebhookTarget {
  readonly type: string;
  readonly address: string;
  readonly payloadFormat: string | undefined;
  readonly skipCertificateCheck: boolean;
  /** `undefined` keeps the one there is; empty takes it away. */
  readonly authHeader: string | undefined;
}

/** A policy as it is asked for. */
export interface NewWebhookPolicy {
  readonly name: string;
  readonly description: string;
  readonly enabled: boolean;
  readonly targets: readonly NewWebhookTarget[];
  readonly eventTypes: readonly string[];
  /** What deliveries are signed with; one is made when it is absent and there is none. */
  readonly signingSecret: string | undefined;
}

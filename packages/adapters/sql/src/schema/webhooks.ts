import type { Generated } from 'kysely';

/** What is sent where when something happens in a project. */
export interface WebhookPoliciesTable {
  readonly id: Generated<number>;
  readonly project_id: number;
  name: string;
  description: string;
  enabled: number;
  /** JSON array of targets; their secrets are sealed. */
  targets: string;
  /** JSON array: `PUSH_ARTIFACT`, … */
  event_types: string;
  /** Sealed; deliveries are signed with it. */
  signing_secret: string;
  readonly creator: string;
  readonly created_at_ms: number;
  updated_at_ms: number;
}

/** When a policy was last set off by each type of event. */
export interface WebhookTriggersTable {
  readonly policy_id: number;
  readonly event_type: string;
  triggered_at_ms: number;
  /** The event's position in the outbox: one that comes again does not set the policy off again. */
  position: number;
}

/** The tables of `webhooks`. */
export interface WebhooksTables {
  webhook_policies: WebhookPoliciesTable;
  webhook_triggers: WebhookTriggersTable;
}

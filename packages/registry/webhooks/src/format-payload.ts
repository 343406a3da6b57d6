import { cloudEventType } from './event-type.ts';
import type { WebhookPayload } from './payload.ts';
import type { WebhookPolicy, WebhookTarget } from './webhook-policy.ts';

/** A body ready to be sent. */
export interface FormattedPayload {
  readonly body: string;
  readonly contentType: string;
}

/** What a delivery is, besides its payload. */
export interface DeliveryIdentity {
  readonly id: string;
  readonly policy: WebhookPolicy;
  readonly target: WebhookTarget;
}

/** The payload in the form the target asks for. */
export function formatPayload(payload: WebhookPayload, delivery: DeliveryIdentity): FormattedPayload {
  const { type, payloadFormat } = delivery.target;
  if (type === 'slack') return { body: JSON.stringify(slackMessage(payload)), contentType: 'application/json' };
  if (payloadFormat === 'CloudEvents') {
    return { body: JSON.stringify(cloudEvent(payload, delivery)), contentType: 'application/cloudevents+json' };
  }
  return { body: JSON.stringify(payload), contentType: 'application/json' };
}

function cloudEvent(payload: WebhookPayload, { id, policy }: DeliveryIdentity): object {
  return {
    specversion: '1.0',
    id,
    source: `/projects/${policy.projectId}/webhook/policies/${policy.id}`,
    type: cloudEventType(payload.type),
    datacontenttype: 'application/json',
    time: new Date(payload.occur_at * 1000).toISOString().replace('.000Z', 'Z'),
    data: payload.event_data,
    operator: payload.operator,
  };
}

function slackMessage(payload: WebhookPayload): object {
  const when = new Date(payload.occur_at * 1000).toISOString();
  const section = (text: string): object => ({ type: 'section', text: { type: 'mrkdwn', text } });
  return {
    blocks: [
      section('*Harbor webhook events*'),
      section(`*event_type:* ${payload.type}`),
      section(`*occur_at:* <!date^${payload.occur_at}^{date} at {time}|${when}>`),
      section(`*operator:* ${escaped(payload.operator)}`),
      section('*event_data:*'),
      section(`\`\`\`${escaped(JSON.stringify(payload.event_data, undefined, 2)).slice(0, MAX_SLACK_TEXT)}\`\`\``),
    ],
  };
}

/** Slack takes texts of 3,000 characters. */
const MAX_SLACK_TEXT = 2900;

/** Slack's three control characters: names must not become links or mentions. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

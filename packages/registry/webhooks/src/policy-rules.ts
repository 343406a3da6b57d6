import { VicError } from '@vic/errors';
import { type WebhookEventType, isWebhookEventType } from './event-type.ts';
import type { NewWebhookPolicy, NewWebhookTarget, PayloadFormat } from './webhook-policy.ts';

const MAX_NAME_LENGTH = 256;
const MAX_TARGETS = 10;
const MAX_ADDRESS_LENGTH = 2048;
const SECRET_LENGTH = { min: 16, max: 256 } as const;

/** Refuses a policy that cannot be carried out. */
export function checkPolicy(policy: NewWebhookPolicy): void {
  if (policy.name.trim() === '' || policy.name.length > MAX_NAME_LENGTH) {
    throw invalid(`the name of a webhook policy has from 1 to ${MAX_NAME_LENGTH} characters`);
  }
  if (policy.targets.length === 0) throw invalid(`empty notification target with policy ${policy.name}`);
  if (policy.targets.length > MAX_TARGETS) throw invalid(`a webhook policy has at most ${MAX_TARGETS} targets`);
  for (const target of policy.targets) checkTarget(target, policy.name);
  const { signingSecret } = policy;
  if (signingSecret === undefined) return;
  if (signingSecret.length < SECRET_LENGTH.min || signingSecret.length > SECRET_LENGTH.max) {
    throw invalid(`a signing secret has from ${SECRET_LENGTH.min} to ${SECRET_LENGTH.max} characters`);
  }
}

/** The event types asked for, each once. */
export function checkedEventTypes(types: readonly string[]): readonly WebhookEventType[] {
  if (types.length === 0) throw invalid('empty event type');
  return [...new Set(types)].map((type) => {
    if (!isWebhookEventType(type)) throw invalid(`unsupported event type ${type.slice(0, 100)}`);
    return type;
  });
}

/** The format a target is told in. */
export function payloadFormatOf({ type, payloadFormat }: NewWebhookTarget): PayloadFormat | undefined {
  if (type === 'slack') {
    if (payloadFormat === undefined || payloadFormat === '') return undefined;
    throw invalid('set payload format is not allowed for slack');
  }
  switch (payloadFormat) {
    case undefined:
    case '':
    case 'Default':
      return 'Default';
    case 'CloudEvents':
      return 'CloudEvents';
    default:
      throw invalid(`unsupported payload format type: ${payloadFormat.slice(0, 100)}`);
  }
}

function checkTarget(target: NewWebhookTarget, policyName: string): void {
  if (target.type !== 'http' && target.type !== 'slack') {
    throw invalid(`unsupported target type ${target.type.slice(0, 100)} with policy ${policyName}`);
  }
  const url = target.address.length <= MAX_ADDRESS_LENGTH ? URL.parse(target.address) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw invalid(`"${target.address.slice(0, 100)}" is not an http or https address`);
  }
  if (url.username !== '' || url.password !== '' || url.hash !== '') {
    throw invalid('the address of a webhook has neither user name and password nor fragment; use auth_header');
  }
  if (target.authHeader !== undefined && !/^[\x20-\x7e]{0,4096}$/.test(target.authHeader)) {
    throw invalid('auth_header must be a value that a header can have');
  }
  payloadFormatOf(target);
}

function invalid(message: string): VicError {
  return new VicError({ class: 'InvalidArgument', code: 'WEBHOOK_POLICY_INVALID', message });
}

import { type Static, Type } from '@vic/http';
import type { NewWebhookPolicy, WebhookPolicy, WebhookTarget } from '../webhook-policy.ts';

const TARGET = Type.Object({
  type: Type.String(),
  address: Type.String(),
  auth_header: Type.Optional(Type.String()),
  skip_cert_verify: Type.Optional(Type.Boolean()),
  payload_format: Type.Optional(Type.String()),
});

/** The body of POST and PUT of a policy. */
export const POLICY_REQUEST = Type.Object({
  name: Type.String(),
  description: Type.Optional(Type.String({ maxLength: 2048 })),
  enabled: Type.Optional(Type.Boolean()),
  targets: Type.Optional(Type.Array(TARGET, { maxItems: 100 })),
  event_types: Type.Optional(Type.Array(Type.String(), { maxItems: 100 })),
  signing_secret: Type.Optional(Type.String()),
});

/** The policy a request asks for. */
export function policyOf(request: Static<typeof POLICY_REQUEST>): NewWebhookPolicy {
  return {
    name: request.name,
    description: request.description ?? '',
    enabled: request.enabled ?? false,
    eventTypes: request.event_types ?? [],
    signingSecret: request.signing_secret,
    targets: (request.targets ?? []).map((target) => ({
      type: target.type,
      address: target.address,
      payloadFormat: target.payload_format,
      skipCertificateCheck: target.skip_cert_verify ?? false,
      authHeader: target.auth_header,
    })),
  };
}

/** A policy as the API shows it, without its secrets. */
export function policyBody(policy: WebhookPolicy): object {
  return {
    id: policy.id,
    name: policy.name,
    description: policy.description,
    project_id: policy.projectId,
    targets: policy.targets.map(targetBody),
    event_types: policy.eventTypes,
    creator: policy.creator,
    creation_time: new Date(policy.createdAtMs).toISOString(),
    update_time: new Date(policy.updatedAtMs).toISOString(),
    enabled: policy.enabled,
  };
}

function targetBody(target: WebhookTarget): object {
  return {
    type: target.type,
    address: target.address,
    skip_cert_verify: target.skipCertificateCheck,
    auth_header_set: target.sealedAuthHeader !== undefined,
    ...(target.payloadFormat === undefined ? {} : { payload_format: target.payloadFormat }),
  };
}

import { VicError } from '@vic/errors';
import { Type } from '@vic/http';
import type { Static } from '@vic/http';
import { endpointDocument } from '../endpoints/endpoint-document.ts';
import type { RegistryEndpoint } from '../endpoints/registry-endpoint.ts';
import type { PolicyLag } from '../runs/pending-work.ts';
import type {
  PolicySettings,
  PromotionRequirements,
  ReplicationFilter,
  ReplicationPolicy,
  ReplicationTrigger,
} from './replication-policy.ts';

const text = Type.String({ maxLength: 4096 });
const flag = Type.Optional(Type.Union([Type.Boolean(), Type.Null()]));
const RegistryReference = Type.Optional(
  Type.Union([Type.Object({ id: Type.Optional(Type.Union([Type.Integer(), Type.Null()])) }), Type.Null()]),
);

/** The body that makes or replaces a policy: Harbor's, and `promotion` of our own. */
export const PolicyBody = Type.Object({
  name: Type.Optional(text),
  description: Type.Optional(Type.Union([text, Type.Null()])),
  src_registry: RegistryReference,
  dest_registry: RegistryReference,
  dest_namespace: Type.Optional(Type.Union([text, Type.Null()])),
  dest_namespace_replace_count: Type.Optional(Type.Union([Type.Integer({ minimum: -1, maximum: 127 }), Type.Null()])),
  trigger: Type.Optional(
    Type.Union([
      Type.Object({
        type: Type.Optional(text),
        trigger_settings: Type.Optional(Type.Union([Type.Object({ cron: Type.Optional(text) }), Type.Null()])),
      }),
      Type.Null(),
    ]),
  ),
  filters: Type.Optional(
    Type.Union([
      Type.Array(
        Type.Object({ type: text, value: Type.Unknown(), decoration: Type.Optional(Type.Union([text, Type.Null()])) }),
        { maxItems: 50 },
      ),
      Type.Null(),
    ]),
  ),
  promotion: Type.Optional(
    Type.Union([
      Type.Object(
        {
          scan_below: Type.Optional(Type.String({ maxLength: 32 })),
          signed: Type.Optional(Type.Boolean()),
          label: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
          approved: Type.Optional(Type.Boolean()),
        },
        { additionalProperties: false },
      ),
      Type.Null(),
    ]),
  ),
  replicate_deletion: flag,
  deletion: flag,
  override: flag,
  enabled: flag,
  speed: Type.Optional(Type.Union([Type.Integer({ minimum: -1, maximum: 2_147_483_647 }), Type.Null()])),
  copy_by_chunk: flag,
  single_active_replication: flag,
});

const SEVERITIES = ['Negligible', 'Low', 'Medium', 'High', 'Critical'];

/** The settings in a body. */
export function policySettings(body: Static<typeof PolicyBody>): PolicySettings {
  return {
    name: body.name ?? '',
    description: body.description ?? '',
    ...endsOf(body),
    destinationNamespace: body.dest_namespace ?? '',
    replaceCount: body.dest_namespace_replace_count ?? -1,
    trigger: triggerOf(body.trigger?.type, body.trigger?.trigger_settings?.cron),
    filters: (body.filters ?? []).map(({ type, value, decoration }) => filterOf(type, value, decoration ?? '')),
    promotion: promotionOf(body.promotion ?? {}),
    replicateDeletion: body.replicate_deletion ?? body.deletion ?? false,
    override: body.override ?? false,
    enabled: body.enabled ?? false,
    speedKiBPerSecond: Math.max(body.speed ?? 0, 0),
    copyByChunk: body.copy_by_chunk ?? false,
    singleActive: body.single_active_replication ?? false,
  };
}

/** A policy as the REST API shows it, with how far its destination is behind. */
export function policyDocument(
  policy: ReplicationPolicy,
  endpoint: RegistryEndpoint | undefined,
  lag: PolicyLag | undefined,
): Readonly<Record<string, unknown>> {
  const registry = endpoint === undefined ? undefined : endpointDocument(endpoint);
  return {
    id: policy.id,
    name: policy.name,
    description: policy.description,
    ...(policy.sourceId === undefined ? { dest_registry: registry } : { src_registry: registry }),
    dest_namespace: policy.destinationNamespace,
    dest_namespace_replace_count: policy.replaceCount,
    trigger: {
      type: policy.trigger.type,
      ...(policy.trigger.type === 'scheduled' ? { trigger_settings: { cron: policy.trigger.cron } } : {}),
    },
    filters: policy.filters,
    promotion: {
      ...(policy.promotion.scanBelow === undefined ? {} : { scan_below: policy.promotion.scanBelow }),
      ...(policy.promotion.signed === undefined ? {} : { signed: policy.promotion.signed }),
      ...(policy.promotion.label === undefined ? {} : { label: policy.promotion.label }),
      ...(policy.promotion.approved === undefined ? {} : { approved: policy.promotion.approved }),
    },
    replicate_deletion: policy.replicateDeletion,
    deletion: policy.replicateDeletion,
    override: policy.override,
    enabled: policy.enabled,
    speed: policy.speedKiBPerSecond,
    copy_by_chunk: policy.copyByChunk,
    single_active_replication: policy.singleActive,
    creation_time: new Date(policy.createdAtMs).toISOString(),
    update_time: new Date(policy.updatedAtMs).toISOString(),
    lag: {
      pending: lag?.pending ?? 0,
      held: lag?.held ?? 0,
      refused: lag?.refused ?? 0,
      seconds: Math.ceil((lag?.ageMs ?? 0) / 1000),
      last_error: lag?.lastError ?? '',
      ...(policy.reconciledAtMs === undefined
        ? {}
        : { reconciled_time: new Date(policy.reconciledAtMs).toISOString() }),
    },
  };
}

/** Harbor's clients name this registry by 0, or leave it out. */
function endsOf({ src_registry: source, dest_registry: destination }: Static<typeof PolicyBody>): {
  readonly sourceId: number | undefined;
  readonly destinationId: number | undefined;
} {
  return { sourceId: source?.id || undefined, destinationId: destination?.id || undefined };
}

function triggerOf(type = 'manual', cron = ''): ReplicationTrigger {
  if (type === 'scheduled') return { type, cron };
  if (type === 'manual' || type === 'event_based') return { type };
  throw invalid('invalid trigger type');
}

function filterOf(type: string, value: unknown, decoration: string): ReplicationFilter {
  if (decoration !== '' && decoration !== 'matches' && decoration !== 'excludes') {
    throw invalid(`invalid filter decoration, :${decoration.slice(0, 50)}`);
  }
  const how = decoration === 'excludes' ? 'excludes' : 'matches';
  if (type === 'label') {
    if (!isTexts(value)) throw invalid("the type of label filter value isn't string slice");
    return { type, value, decoration: how };
  }
  if (type !== 'resource' && type !== 'name' && type !== 'tag') throw invalid('invalid filter type');
  if (typeof value !== 'string') throw invalid("the type of filter value isn't string");
  if (type === 'tag') return { type, value, decoration: how };
  if (decoration !== '') throw invalid('only tag and label filter support decoration');
  if (type === 'name') return { type, value };
  if (value !== 'image' && value !== 'artifact') throw invalid(`invalid resource filter: ${value.slice(0, 50)}`);
  return { type, value };
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.length <= 100 && value.every((entry) => typeof entry === 'string');
}

function promotionOf(body: {
  readonly scan_below?: string;
  readonly signed?: boolean;
  readonly label?: string;
  readonly approved?: boolean;
}): PromotionRequirements {
  const scanBelow = SEVERITIES.find((severity) => severity.toLowerCase() === body.scan_below?.toLowerCase());
  if (body.scan_below !== undefined && scanBelow === undefined) {
    throw invalid(`invalid severity of promotion; there are ${SEVERITIES.join(', ')}`);
  }
  return {
    ...(scanBelow === undefined ? {} : { scanBelow }),
    ...(body.signed === true ? { signed: true } : {}),
    ...(body.label === undefined ? {} : { label: body.label }),
    ...(body.approved === true ? { approved: true } : {}),
  };
}

function invalid(message: string): VicError {
  return new VicError({ class: 'InvalidArgument', code: 'REPLICATION_POLICY_INVALID', message });
}

import type {
  ArtifactSubject,
  EventOrigin,
  QuotaState,
  RegistryEvent,
  ScanOutcome,
  TaskOutcome,
} from '@vic/registry-api';
import { type WebhookEventType, webhookEventType } from './event-type.ts';

/** What a webhook tells, in Harbor's words. */
export interface WebhookPayload {
  readonly type: WebhookEventType;
  /** Seconds since 1970. */
  readonly occur_at: number;
  readonly operator: string;
  readonly event_data: Readonly<Record<string, unknown>>;
}

/** What a payload says besides the event. */
export interface PayloadSetting {
  readonly occurredAtMs: number;
  readonly projectIsPublic: boolean;
  /** How clients name the registry: `registry.example:8443`. */
  readonly registryHost: string;
}

const REPORT = 'application/vnd.security.vulnerability.report; version=1.1';

/** What webhooks tell of an event; `undefined` for events they do not tell of. */
export function payloadOf(event: RegistryEvent, setting: PayloadSetting): WebhookPayload | undefined {
  const type = webhookEventType(event);
  const data = eventData(event, setting);
  if (type === undefined || data === undefined) return undefined;
  return {
    type,
    occur_at: Math.floor(setting.occurredAtMs / 1000),
    operator: event.operator,
    event_data: data,
  };
}

function eventData(event: RegistryEvent, setting: PayloadSetting): Record<string, unknown> | undefined {
  switch (event.type) {
    case 'artifact.pushed':
    case 'artifact.pulled':
    case 'artifact.deleted':
      return { resources: [resourceOf(event, setting)], repository: repositoryOf(event, event.repository, setting) };
    case 'scan.completed':
    case 'scan.failed':
    case 'scan.stopped':
      return {
        resources: [{ ...resourceOf(event, setting), ...overviewOf(event) }],
        repository: repositoryOf(event, event.repository, setting),
        scan: { scan_type: event.scanType },
      };
    case 'quota.exceeded':
    case 'quota.warned':
      return {
        repository: repositoryOf(event, event.repository, setting),
        custom_attributes: { Details: quotaText(event) },
      };
    case 'replication.finished':
      return { replication: { ...outcomeOf(event, setting), job_status: statusOf(event) } };
    case 'retention.finished':
      return {
        retention: {
          harbor_hostname: hostnameOf(setting),
          project_name: event.projectName,
          retention_policy_id: event.policyId,
          result: statusOf(event),
          description: event.summary,
        },
      };
    case 'tag.created':
    case 'tag.deleted':
    case 'artifact.labelled':
    case 'repository.deleted':
    case 'project.created':
    case 'project.deleted':
      return undefined;
  }
}

function resourceOf({ repository, digest, tags }: ArtifactSubject, { registryHost }: PayloadSetting): object {
  const [tag] = tags;
  const reference = tag === undefined ? `@${digest}` : `:${tag}`;
  return { digest, tag: tag ?? digest, resource_url: `${registryHost}/${repository}${reference}` };
}

function repositoryOf({ projectName }: EventOrigin, repository: string, { projectIsPublic }: PayloadSetting): object {
  return {
    name: repository.split('/').slice(1).join('/'),
    namespace: projectName,
    repo_full_name: repository,
    repo_type: projectIsPublic ? 'public' : 'private',
  };
}

function overviewOf({ scanType, scanner, status, severity, summary }: ScanOutcome): object {
  const overview = {
    scan_status: status,
    ...(severity === undefined ? {} : { severity }),
    ...(summary === undefined ? {} : { summary: { summary } }),
    scanner: { name: scanner },
  };
  return scanType === 'sbom' ? { sbom_overview: overview } : { scan_overview: { [REPORT]: overview } };
}

function quotaText({ usedBytes, limitBytes }: QuotaState): string {
  const percent = limitBytes > 0 ? Math.floor((100 * usedBytes) / limitBytes) : 100;
  return `storage quota: ${usedBytes} of ${limitBytes} bytes used (${percent}%)`;
}

function outcomeOf({ policyId, executionId, summary }: TaskOutcome, setting: PayloadSetting): object {
  return {
    harbor_hostname: hostnameOf(setting),
    policy_id: policyId,
    execution_id: executionId,
    description: summary,
  };
}

function statusOf({ failed }: TaskOutcome): string {
  return failed === 0 ? 'Success' : 'Error';
}

function hostnameOf({ registryHost }: PayloadSetting): string {
  return registryHost.replace(/:\d+$/, '');
}

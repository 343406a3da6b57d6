import { VicError } from '@vic/errors';
import type { JobKind, JobTrigger, JobVendor, Jobs, JsonObject, SystemJob } from '@vic/jobs';
import type { Database, Executor } from '@vic/sql';
import type { AuditSettings } from './audit-log.ts';
import { EVENT_TYPES, PURGED_BY_OTHER } from './event-types.ts';
import { type PurgeSelection, countPurgeable, purgeRecords } from './purge-records.ts';

/** What a purge is asked to do: Harbor's parameters. */
interface PurgeParameters {
  readonly audit_retention_hour: number;
  /** By commas; `other` stands for all but the artifacts'. */
  readonly include_event_types: string;
  readonly dry_run: boolean;
}

const PURGE_AUDIT = 'PURGE_AUDIT_LOG';
const MAX_RETENTION_HOURS = 240_000;
const MS_PER_HOUR = 60 * 60 * 1000;

/** The purge of the audit log: by hand and by schedule, also as a dry run. */
export class AuditPurge implements JobKind, JobVendor {
  readonly kind = PURGE_AUDIT;
  readonly vendorType = PURGE_AUDIT;
  readonly concurrency = 1;
  readonly #deps: { readonly database: Database; readonly jobs: Jobs; settings(): Promise<AuditSettings> };

  constructor(deps: { readonly database: Database; readonly jobs: Jobs; settings(): Promise<AuditSettings> }) {
    this.#deps = deps;
  }

  /** Its part in the REST API. */
  get systemJob(): SystemJob {
    return {
      path: '/system/purgeaudit',
      name: 'log rotation purge',
      vendorType: PURGE_AUDIT,
      resource: 'purge-audit',
      parse: (parameters) => ({ ...parsePurge(parameters) }),
      start: async (parameters) => this.#start(parameters, 'MANUAL'),
    };
  }

  /** Starts what is scheduled. */
  async onSchedule({ attributes }: { readonly attributes: JsonObject }, transaction: Executor): Promise<void> {
    await this.#start(attributes, 'SCHEDULE', transaction);
  }

  /** Removes the records, or counts them. */
  async run({ job, log, setAttributes, signal }: Parameters<JobKind['run']>[0]): Promise<void> {
    const parameters = parsePurge(job.payload);
    const { database } = this.#deps;
    const selection = await this.#selection(parameters, job.createdAtMs);
    log.info(`Purging records older than ${parameters.audit_retention_hour} h of ${parameters.include_event_types}.`);
    const count = parameters.dry_run
      ? await countPurgeable(database, selection)
      : await purgeRecords(database, selection, signal);
    log.info(`${parameters.dry_run ? '[DRYRUN]' : ''}Purged ${count} rows of audit logs`);
    await setAttributes({ purged: count });
  }

  /** What the syslog server has yet to get stays. */
  async #selection(parameters: PurgeParameters, nowMs: number): Promise<PurgeSelection> {
    const eventTypes = parameters.include_event_types
      .split(',')
      .map((type) => type.trim().toLowerCase())
      .flatMap((type) => (type === 'other' ? PURGED_BY_OTHER : [type]));
    const settings = await this.#deps.settings();
    const { forwarded_position: forwarded } = await this.#deps.database.db
      .selectFrom('audit_chain')
      .select('forwarded_position')
      .executeTakeFirstOrThrow();
    return {
      beforeMs: nowMs - parameters.audit_retention_hour * MS_PER_HOUR,
      eventTypes,
      ...(settings.audit_log_forward_endpoint === '' ? {} : { upToPosition: forwarded }),
    };
  }

  async #start(parameters: JsonObject, trigger: JobTrigger, transaction?: Executor): Promise<number> {
    const execution = {
      vendorType: PURGE_AUDIT,
      vendorId: 0,
      trigger,
      attributes: parameters,
      tasks: [{ kind: PURGE_AUDIT, payload: parameters, activeKey: PURGE_AUDIT }],
    };
    return this.#deps.jobs.startExecution(execution, transaction);
  }
}

function parsePurge(parameters: JsonObject): PurgeParameters {
  const { audit_retention_hour: hours, include_event_types: types, dry_run: dryRun = false } = parameters;
  if (hours === undefined) throw invalid('audit_retention_hour should provide');
  if (!Number.isInteger(hours) || Number(hours) < 1) throw invalid('audit_retention_hour should be integer format');
  if (Number(hours) > MAX_RETENTION_HOURS) {
    throw invalid(`audit_retention_hour should be less than ${MAX_RETENTION_HOURS}`);
  }
  if (typeof types !== 'string') throw invalid('include_event_types should provide');
  const unknown = types.split(',').find((type) => !isEventType(type.trim().toLowerCase()));
  if (unknown !== undefined) throw invalid(`include_event_types names "${unknown.slice(0, 50)}", which is not known`);
  if (typeof dryRun !== 'boolean') throw invalid('dry_run should be true or false');
  return { audit_retention_hour: Number(hours), include_event_types: types, dry_run: dryRun };
}

/** Types have the form of a name; which operations there are is for the packages that declare routes. */
function isEventType(type: string): boolean {
  return type === '' || type === 'other' || EVENT_TYPES.includes(type) || /^[a-z]+_[a-z_-]+$/.test(type);
}

function invalid(message: string): VicError {
  return new VicError({ class: 'InvalidArgument', code: 'AUDIT_PURGE_INVALID', message });
}

import type { Database, Executor, ListMapping, ListPage, ListRequest } from '@vic/sql';
import { fetchPage } from '@vic/sql';
import { nextRun, validateCron } from './cron.ts';
import { toSchedule } from './job-rows.ts';
import type { NewSchedule, Schedule } from './schedule.ts';

/** The name of the switch that holds every schedule: a queue in Harbor's dashboard. */
export const SCHEDULER = 'SCHEDULER';

const FIELDS: ListMapping = {
  columns: {
    id: { column: 'id', type: 'number' },
    vendor_type: { column: 'vendor_type', type: 'text' },
    vendor_id: { column: 'vendor_id', type: 'number' },
    update_time: { column: 'updated_at', type: 'time' },
  },
  defaultSort: ['id'],
};

/** When what is begun, in UTC; {@link JobRunner} fires them. */
export class Schedules {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Sets the schedule of an owner, in place of the one it had; gives its id. */
  async set(schedule: NewSchedule, db: Executor = this.#database.db): Promise<number> {
    validateCron(schedule.cron);
    const now = Date.now();
    const values = {
      cron_type: schedule.cronType,
      cron: schedule.cron,
      attributes: JSON.stringify(schedule.attributes ?? {}),
      next_run_at: nextRun(schedule.cron, now) ?? Number.MAX_SAFE_INTEGER,
      updated_at: now,
    };
    const { id } = await db
      .insertInto('job_schedule')
      .values({ vendor_type: schedule.vendorType, vendor_id: schedule.vendorId, created_at: now, ...values })
      .onConflict((conflict) => conflict.columns(['vendor_type', 'vendor_id']).doUpdateSet(values))
      .returning('id')
      .executeTakeFirstOrThrow();
    return id;
  }

  /** The schedule of an owner, if it has one. */
  async find(vendorType: string, vendorId: number): Promise<Schedule | undefined> {
    const row = await this.#database.db
      .selectFrom('job_schedule')
      .selectAll()
      .where('vendor_type', '=', vendorType)
      .where('vendor_id', '=', vendorId)
      .executeTakeFirst();
    return row === undefined ? undefined : toSchedule(row);
  }

  /** Removes the schedule of an owner, if it has one. */
  async remove(vendorType: string, vendorId: number, db: Executor = this.#database.db): Promise<void> {
    await db
      .deleteFrom('job_schedule')
      .where('vendor_type', '=', vendorType)
      .where('vendor_id', '=', vendorId)
      .execute();
  }

  /** All schedules. */
  async list(request: ListRequest): Promise<ListPage<Schedule>> {
    const query = this.#database.db.selectFrom('job_schedule').selectAll();
    const page = await fetchPage(this.#database.db, query, request, FIELDS);
    return { items: page.items.map(toSchedule), total: page.total };
  }

  /** Whether schedules are held. */
  async isPaused(): Promise<boolean> {
    const row = await this.#database.db
      .selectFrom('job_pause')
      .select('kind')
      .where('kind', '=', SCHEDULER)
      .executeTakeFirst();
    return row !== undefined;
  }
}

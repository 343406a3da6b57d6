import { VicError } from '@vic/errors';
import { type HttpRequest, type Static, Type } from '@vic/http';
import { type Schedule, isFinal } from '@vic/jobs';
import { type RestRoutes, permits } from '@vic/rest';
import type { Scanning } from '../scanning.ts';
import { SCAN_ALL, type ScanAllProgress } from '../scans/scan-all.ts';

const ScheduleBody = Type.Object({
  schedule: Type.Object({
    type: Type.Union(
      ['Hourly', 'Daily', 'Weekly', 'Custom', 'Manual', 'None', 'Schedule'].map((type) => Type.Literal(type)),
    ),
    cron: Type.Optional(Type.String({ maxLength: 256 })),
  }),
});
type Wanted = Static<typeof ScheduleBody>['schedule'];
type App = Parameters<RestRoutes>[0];

const NOTHING = { Pending: 0, Running: 0, Success: 0, Error: 0, Stopped: 0 } as const;

/** Harbor's `/system/scanAll` and `/scans/all/metrics`. */
export function scanAllRoutes(scanning: Scanning): RestRoutes {
  return (app) => {
    registerSchedule(app, scanning);
    const read = permits({ scope: 'system', resource: 'scan-all', action: 'read' });
    app.get('/scans/all/metrics', read, async () => statsBody(await scanning.scanAll.latest()));
    app.get('/scans/schedule/metrics', read, async () => statsBody(await scanning.scanAll.latest('SCHEDULE')));
    app.post(
      '/system/scanAll/stop',
      permits(
        { scope: 'system', resource: 'scan-all', action: 'stop' },
        { operation: 'operate', resourceType: 'scan-all' },
      ),
      async (_request, reply) => {
        await scanning.scanAll.stop();
        await reply.code(202).send();
      },
    );
  };
}

function registerSchedule(app: App, { scanAll, registrations, deps }: Scanning): void {
  const path = '/system/scanAll/schedule';
  app.get(path, permits({ scope: 'system', resource: 'scan-all', action: 'read' }), async () =>
    scheduleBody(await scanAll.schedule()),
  );
  app.post(
    path,
    {
      schema: { body: ScheduleBody },
      ...permits(
        { scope: 'system', resource: 'scan-all', action: 'create' },
        { operation: 'operate', resourceType: 'scan-all' },
      ),
    },
    async (request, reply) => {
      const { schedule } = request.body;
      await requireScanner();
      if (schedule.type === 'Manual') {
        await scanAll.start('MANUAL');
      } else if (schedule.type !== 'None') {
        if ((await scanAll.schedule()) !== undefined) throw scheduled();
        await setSchedule(schedule);
      }
      await reply.code(201).header('location', pathOf(request)).send();
    },
  );
  app.put(
    path,
    {
      schema: { body: ScheduleBody },
      ...permits(
        { scope: 'system', resource: 'scan-all', action: 'update' },
        { operation: 'update', resourceType: 'scan-all' },
      ),
    },
    async (request, reply) => {
      const { schedule } = request.body;
      await requireScanner();
      if (schedule.type === 'Manual') throw wrongType(schedule.type);
      if (schedule.type === 'None') await deps.schedules.remove(SCAN_ALL, 0);
      else await setSchedule(schedule);
      await reply.code(200).send();
    },
  );

  async function requireScanner(): Promise<void> {
    if ((await registrations.default()) !== undefined) return;
    throw new VicError({
      class: 'FailedPrecondition',
      code: 'SCANNER_NONE',
      message: "no scanner is configured, it's not possible to scan",
    });
  }

  async function setSchedule({ type, cron = '' }: Wanted): Promise<void> {
    const cronType =
      type === 'Hourly' || type === 'Daily' || type === 'Weekly' || type === 'Custom' ? type : 'Schedule';
    await deps.schedules.set({ vendorType: SCAN_ALL, vendorId: 0, cronType, cron });
  }
}

function scheduleBody(schedule: Schedule | undefined): Readonly<Record<string, unknown>> {
  if (schedule === undefined) return {};
  return {
    id: schedule.id,
    creation_time: new Date(schedule.createdAtMs).toISOString(),
    update_time: new Date(schedule.updatedAtMs).toISOString(),
    schedule: {
      type: schedule.cronType,
      cron: schedule.cron,
      next_scheduled_time: new Date(schedule.nextRunAtMs).toISOString(),
    },
  };
}

function statsBody(progress: ScanAllProgress | undefined): Readonly<Record<string, unknown>> {
  if (progress === undefined) return { total: 0, completed: 0, metrics: NOTHING, ongoing: false };
  const { counts, execution } = progress;
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  return {
    total,
    completed: counts.Success + counts.Error + counts.Stopped,
    metrics: counts,
    ongoing: !isFinal(execution.status),
    trigger: execution.trigger.charAt(0) + execution.trigger.slice(1).toLowerCase(),
  };
}

function pathOf(request: HttpRequest): string {
  return request.originalUrl.split('?')[0] ?? '';
}

function scheduled(): VicError {
  return new VicError({
    class: 'FailedPrecondition',
    code: 'SCAN_ALL_SCHEDULED',
    message: 'fail to set schedule for scan all as always had one, please delete it firstly then to re-schedule',
  });
}

function wrongType(type: string): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'SCAN_ALL_SCHEDULE',
    message: `fail to update scan all schedule as wrong schedule type: ${type}`,
  });
}

import type { EventConsumers } from '@vic/events';
import type { JobMonitor } from '@vic/jobs';
import type { Replication } from '@vic/replication';
import type { Metrics } from '@vic/telemetry';

/** What {@link measureWork} looks at. */
export interface MeasuredWork {
  readonly consumers: Pick<EventConsumers, 'lag'>;
  readonly monitor: Pick<JobMonitor, 'queues'>;
  readonly replication: Pick<Replication, 'lag'>;
}

/** Gauges of what runs by itself: how far behind events, jobs and replication are. */
export function measureWork(metrics: Metrics, { consumers, monitor, replication }: MeasuredWork): void {
  metrics.gauge(
    { name: 'vic_registry_event_lag_events', help: 'Events a consumer has not handled.', labels: ['consumer'] },
    async (gauge) => {
      gauge.reset();
      for (const { consumer, events } of await consumers.lag()) gauge.set({ consumer }, events);
    },
  );
  metrics.gauge(
    { name: 'vic_registry_event_lag_seconds', help: 'Age of the oldest of them.', labels: ['consumer'] },
    async (gauge) => {
      gauge.reset();
      for (const { consumer, ageMs } of await consumers.lag()) gauge.set({ consumer }, ageMs / 1000);
    },
  );
  metrics.gauge(
    { name: 'vic_registry_jobs_waiting', help: 'Jobs that are due or will be.', labels: ['kind'] },
    async (gauge) => {
      gauge.reset();
      for (const { kind, count } of await monitor.queues()) gauge.set({ kind }, count);
    },
  );
  metrics.gauge(
    { name: 'vic_registry_replication_pending', help: 'Artifacts a policy has yet to bring.', labels: ['policy'] },
    async (gauge) => {
      gauge.reset();
      for (const { policy, pending } of await replication.lag()) gauge.set({ policy }, pending);
    },
  );
  metrics.gauge(
    { name: 'vic_registry_replication_lag_seconds', help: 'How long the oldest of them waits.', labels: ['policy'] },
    async (gauge) => {
      gauge.reset();
      for (const { policy, ageMs } of await replication.lag()) gauge.set({ policy }, ageMs / 1000);
    },
  );
}

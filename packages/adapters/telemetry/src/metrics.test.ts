import { createHttpServer } from '@vic/http';
import { silentLogger } from '@vic/log';
import { expect, it } from 'vitest';
import { createMetrics, measureRequests, metricsRoutes } from './index.ts';

it('exposes counters, gauges and histograms in the text format', async () => {
  const metrics = createMetrics();
  const pulls = metrics.counter({ name: 'vic_pulls_total', help: 'Pulls.', labels: ['project'] });
  pulls.add({ project: 'library' });
  pulls.add({ project: 'library' }, 2);
  let lag = 3;
  metrics.gauge({ name: 'vic_lag_events', help: 'Lag.', labels: ['consumer'] }, async (gauge) => {
    gauge.reset();
    gauge.set({ consumer: `c${lag}` }, lag);
  });
  metrics.histogram({ name: 'vic_wait_seconds', help: 'Waits.', buckets: [0.1, 1] }).observe({}, 0.5);
  const { contentType, text } = await metrics.expose();
  expect(contentType).toContain('text/plain; version=0.0.4');
  expect(text).toContain('vic_pulls_total{project="library"} 3');
  expect(text).toContain('vic_lag_events{consumer="c3"} 3');
  expect(text).toContain('vic_wait_seconds_bucket{le="1"} 1');
  expect(text).toContain('process_resident_memory_bytes');
  lag = 1;
  const second = (await metrics.expose()).text;
  expect(second).toContain('vic_lag_events{consumer="c1"} 1');
  expect(second).not.toContain('consumer="c3"');
});

it('serves them, and measures requests by route', async () => {
  const metrics = createMetrics();
  await using server = createHttpServer({ logger: silentLogger() });
  measureRequests(server.app, metrics);
  metricsRoutes(metrics)(server.app);
  server.app.get('/things/:id', async () => ({}));
  await server.app.inject('/things/1');
  await server.app.inject('/things/2');
  await server.app.inject('/made-up');
  const { body, headers } = await server.app.inject('/metrics');
  expect(headers['content-type']).toContain('text/plain');
  expect(body).toContain('vic_http_request_duration_seconds_count{method="GET",route="/things/:id",status="200"} 2');
  expect(body).not.toContain('made-up');
});

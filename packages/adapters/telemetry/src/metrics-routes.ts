import type { HttpApplication } from '@vic/http';
import type { Metrics, MetricsRegistry } from './metrics.ts';

/** From a lookup to a blob of many gigabytes. */
const DURATION_BUCKETS_S = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** Serves the metrics at `/metrics`. */
export function metricsRoutes(metrics: MetricsRegistry): (app: HttpApplication) => void {
  return (app) => {
    app.get('/metrics', { config: { permission: { scope: 'public' } } }, async (_request, reply) => {
      const { contentType, text } = await metrics.expose();
      return reply.header('content-type', contentType).send(text);
    });
  };
}

/** Measures every request of an application by its route, so that nothing a client makes up becomes a label. */
export function measureRequests(app: HttpApplication, metrics: Metrics): void {
  const durations = metrics.histogram({
    name: 'vic_http_request_duration_seconds',
    help: 'How long requests took, by route.',
    labels: ['method', 'route', 'status'],
    buckets: DURATION_BUCKETS_S,
  });
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'unknown';
    const { method } = request;
    durations.observe({ method, route, status: String(reply.statusCode) }, reply.elapsedTime / 1000);
    done();
  });
}

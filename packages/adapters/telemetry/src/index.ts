export { createMetrics } from './metrics.ts';
export type { Counter, Gauge, Histogram, Labels, MetricOptions, Metrics, MetricsRegistry } from './metrics.ts';
export { measureRequests, metricsRoutes } from './metrics-routes.ts';

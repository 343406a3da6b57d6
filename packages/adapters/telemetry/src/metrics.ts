import {
  Counter as PromCounter,
  Gauge as PromGauge,
  Histogram as PromHistogram,
  Registry,
  collectDefaultMetrics,
} from 'prom-client';

/** What every metric is made of. */
export interface MetricOptions<L extends string> {
  /** `vic_registry_…`, ending in its unit. */
  readonly name: string;
  readonly help: string;
  /** The names of its labels; their values are few and known, never what a client sends. */
  readonly labels?: readonly L[];
}

/** The values of a metric's labels. */
export type Labels<L extends string> = Readonly<Record<L, string>>;

/** A number that only grows. */
export interface Counter<L extends string> {
  /** Adds one, or `by`. */
  add(labels: Labels<L>, by?: number): void;
}

/** A number that goes up and down. */
export interface Gauge<L extends string> {
  set(labels: Labels<L>, value: number): void;
  /** Forgets the values of all labels, for gauges that are set anew at each reading. */
  reset(): void;
}

/** How often which values occurred. */
export interface Histogram<L extends string> {
  observe(labels: Labels<L>, value: number): void;
}

/** Makes metrics: what packages that measure something depend on. */
export interface Metrics {
  counter<L extends string = never>(options: MetricOptions<L>): Counter<L>;
  /** `read` is called before each reading of the metrics, to set what would be costly to keep up to date. */
  gauge<L extends string = never>(options: MetricOptions<L>, read?: (gauge: Gauge<L>) => Promise<void>): Gauge<L>;
  /** `buckets` are upper bounds in the unit of the name, ascending. */
  histogram<L extends string = never>(
    options: MetricOptions<L> & { readonly buckets: readonly number[] },
  ): Histogram<L>;
}

/** The metrics of a program. */
export interface MetricsRegistry extends Metrics {
  /** All of them in Prometheus' text format. */
  expose(): Promise<{ readonly contentType: string; readonly text: string }>;
}

/** An empty registry, apart from the metrics of the process: memory, CPU, event loop, garbage collection. */
export function createMetrics(): MetricsRegistry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return {
    counter: (options) => {
      const counter = new PromCounter(toProm(options, registry));
      return { add: (labels, by = 1) => counter.inc(labels, by) };
    },
    gauge: (options, read) => {
      const collect = read === undefined ? {} : { collect: async () => read(gauge) };
      const prom = new PromGauge({ ...toProm(options, registry), ...collect });
      const gauge = {
        set: (labels: Record<string, string>, value: number) => prom.set(labels, value),
        reset: () => prom.reset(),
      };
      return gauge;
    },
    histogram: (options) => {
      const histogram = new PromHistogram({ ...toProm(options, registry), buckets: [...options.buckets] });
      return { observe: (labels, value) => histogram.observe(labels, value) };
    },
    expose: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  };
}

function toProm(options: MetricOptions<string>, registry: Registry) {
  return {
    name: options.name,
    help: options.help,
    labelNames: [...(options.labels ?? [])],
    registers: [registry],
  };
}

import type { EventConsumer } from '@vic/events';
import type { JobKind, JobVendor } from '@vic/jobs';
import type { RestRoutes } from '@vic/rest';

/** What one part of the registry adds to what all parts share. */
export interface Contribution extends Partial<AsyncDisposable> {
  readonly routes?: readonly RestRoutes[];
  readonly jobKinds?: readonly JobKind[];
  readonly vendors?: readonly JobVendor[];
  readonly consumers?: readonly EventConsumer[];
  /** Begins what the part does by itself, once everything is composed. */
  start?(): Promise<void> | void;
}

/** Everything that all parts contribute. */
export interface Contributions extends AsyncDisposable {
  readonly routes: readonly RestRoutes[];
  readonly jobKinds: readonly JobKind[];
  readonly vendors: readonly JobVendor[];
  readonly consumers: readonly EventConsumer[];
  start(): Promise<void>;
}

/** Puts contributions together; they end in the opposite order. */
export function collect(parts: readonly Contribution[]): Contributions {
  return {
    routes: parts.flatMap(({ routes = [] }) => routes),
    jobKinds: parts.flatMap(({ jobKinds = [] }) => jobKinds),
    vendors: parts.flatMap(({ vendors = [] }) => vendors),
    consumers: parts.flatMap(({ consumers = [] }) => consumers),
    start: async () => {
      for (const part of parts) await part.start?.();
    },
    [Symbol.asyncDispose]: async () => {
      for (const part of parts.toReversed()) await part[Symbol.asyncDispose]?.();
    },
  };
}

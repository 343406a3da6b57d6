export { GarbageCollection } from './garbage-collection.ts';
export type { GarbageCollectionDeps } from './garbage-collection.ts';
export type { Garbage } from './garbage.ts';
export type { GcParameters } from './gc-parameters.ts';
export type { GcDeps, GcRun } from './gc-work.ts';
export { scrub } from './scrub.ts';
export type { ScrubParameters, ScrubReport } from './scrub.ts';
export { recordDamage } from './damaged-content.ts';
export type { CollectorJob, CollectorJobDeps } from './collector-job.ts';

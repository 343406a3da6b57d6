import { VicError } from '@vic/errors';
import type { JsonObject } from '@vic/jobs';

/** What a collection is asked to do. */
export interface GcParameters {
  /** Deletes artifacts without a tag that no index lists and that belong to no other artifact. */
  readonly deleteUntagged: boolean;
  /** Only tells what would be removed. */
  readonly dryRun: boolean;
  /** How many blobs are removed at a time. */
  readonly workers: number;
  /** What was pushed or asked for within so many hours stays. */
  readonly timeWindowHours: number;
}

const MAX_WORKERS = 10;
const MAX_WINDOW_HOURS = 24 * 365;
/** As Harbor's, unless the installation says otherwise. */
export const DEFAULT_TIME_WINDOW_HOURS = 2;

/**
 * Reads the parameters of a request, in Harbor's words.
 *
 * `delete_tag` asks Harbor to remove tags from its storage backend, too; here a tag is nowhere else, so both of its
 * values mean the same.
 */
export function readGcParameters(parameters: JsonObject, timeWindowHours: number): GcParameters {
  const known = ['delete_untagged', 'delete_tag', 'dry_run', 'workers', 'time_window'];
  const unknown = Object.keys(parameters).find((name) => !known.includes(name));
  if (unknown !== undefined) throw invalid(`unknown parameter ${unknown.slice(0, 64)}`);
  flag(parameters, 'delete_tag');
  const workers = parameters['workers'] ?? 1;
  if (!isWhole(workers, 1, MAX_WORKERS)) {
    throw invalid(
      `Error: Invalid number of workers:${JSON.stringify(workers).slice(0, 20)}. Workers must be greater than 0 and less than or equal to ${MAX_WORKERS}.`,
    );
  }
  const hours = parameters['time_window'] ?? timeWindowHours;
  if (!isWhole(hours, 0, MAX_WINDOW_HOURS)) throw invalid(`time_window must be hours from 0 to ${MAX_WINDOW_HOURS}`);
  return {
    deleteUntagged: flag(parameters, 'delete_untagged'),
    dryRun: flag(parameters, 'dry_run'),
    workers,
    timeWindowHours: hours,
  };
}

/** The parameters in Harbor's words, as executions show them. */
export function gcParameterAttributes(parameters: GcParameters): JsonObject {
  return {
    delete_untagged: parameters.deleteUntagged,
    dry_run: parameters.dryRun,
    workers: parameters.workers,
    time_window: parameters.timeWindowHours,
  };
}

function flag(parameters: JsonObject, name: string): boolean {
  const value = parameters[name] ?? false;
  if (typeof value === 'boolean') return value;
  throw invalid(`${name} must be true or false`);
}

function isWhole(value: unknown, min: number, max: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max;
}

function invalid(message: string): VicError {
  return new VicError({ class: 'InvalidArgument', code: 'GC_PARAMETERS', message });
}

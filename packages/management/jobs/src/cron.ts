import { VicError } from '@vic/errors';
import { Cron } from 'croner';

const FIELDS = 6;

/** The first time after `afterMs` that a cron expression names; `undefined` when there is none. */
export function nextRun(cron: string, afterMs: number): number | undefined {
  return parse(cron).nextRun(new Date(afterMs))?.getTime();
}

/**
 * Refuses what is no cron expression of six fields (seconds, minutes, hours, day of month, month, day of week),
 * names a time that never comes, or would fire more than once a minute.
 */
export function validateCron(cron: string): void {
  if (nextRun(cron, Date.now()) === undefined) throw invalid(cron, 'it names no time that will come');
  if (!/^0+$/.test(cron.trim().split(/\s+/)[0] ?? '')) {
    throw new VicError({
      class: 'InvalidArgument',
      code: 'CRON_SECONDS',
      message: 'the 1st field (indicating Seconds of time) of the cron setting must be 0',
    });
  }
}

function parse(cron: string): Cron {
  const fields = cron.trim().split(/\s+/).length;
  if (fields !== FIELDS) throw invalid(cron, `expected exactly ${FIELDS} fields, found ${fields}`);
  try {
    return new Cron(cron.trim(), { timezone: 'UTC', mode: '6-part', paused: true });
  } catch (error) {
    throw invalid(cron, error instanceof Error ? error.message : String(error));
  }
}

function invalid(cron: string, reason: string): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'CRON_INVALID',
    message: `invalid cron ${cron.slice(0, 100)}: ${reason}`,
  });
}

import { delay } from '@vic/async';
import type { CommandContext } from '@vic/cli';
import { VicError } from '@vic/errors';
import { type Execution, JobRunner, isFinal } from '@vic/jobs';
import { createLogger } from '@vic/log';
import type { Installation } from './installation.ts';

const POLL_MS = 200;

/** Runs an execution that was started, in this process or in a server that is faster, to its end. */
export async function runExecution(
  { storage, parts }: Installation,
  executionId: number,
  { signal }: Pick<CommandContext, 'signal'>,
): Promise<Execution> {
  const { jobs } = parts.management;
  const logger = createLogger({ name: 'registry', level: 'warn', file: '/dev/stderr' });
  await using runner = new JobRunner(
    { database: storage.database, logger },
    { kinds: parts.jobKinds, vendors: parts.vendors },
  );
  runner.start();
  for (;;) {
    const execution = await jobs.findExecution(executionId);
    if (execution === undefined || isFinal(execution.status)) return succeeded(execution);
    if (signal.aborted) {
      await jobs.stopExecution(executionId);
      signal.throwIfAborted();
    }
    await delay(POLL_MS);
  }
}

function succeeded(execution: Execution | undefined): Execution {
  if (execution?.status === 'Success') return execution;
  throw new VicError({
    class: 'Internal',
    code: 'REGISTRY_JOB_FAILED',
    message: `The job did not succeed: ${execution?.statusMessage || (execution?.status ?? 'it is gone')}.`,
    remedy: 'Its log is at /api/v2.0/jobservice/jobs, and in what this command wrote to standard error.',
  });
}

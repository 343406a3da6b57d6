import { parseMoment, stdCopyFrame } from '@vic/docker-api';
import { formatRfc3339 } from '@vic/time';
import type { LogLine, LogOptions } from '@vic/port-layer';
import type { Call } from '../http/call.ts';
import { invalid } from '../http/docker-error.ts';
import type { PersonalityContext } from '../personality.ts';
import { pacedWrite } from '../streams/paced-write.ts';
import { logTypeOf } from './attach-container.ts';
import { findContainer } from './container-access.ts';

/** `GET /containers/{id}/logs`. */
export async function containerLogs(context: PersonalityContext, call: Call): Promise<void> {
  const options = logOptionsOf(call, context.clock());
  const { config } = findContainer(context.execution, call.param('id'));
  const { tty } = config.process;
  const prefix = { timestamps: call.flag('timestamps'), details: call.flag('details') };
  const body = call.stream(logTypeOf(call, tty));
  try {
    for await (const line of context.execution.logs(config.id, options, call.signal)) {
      const bytes = withPrefix(line, prefix);
      if (!(await pacedWrite(body, tty ? bytes : stdCopyFrame(line.stream, bytes)))) return;
    }
  } catch (error) {
    if (call.signal.aborted) return;
    const message = Buffer.from(`Error grabbing logs: ${error instanceof Error ? error.message : String(error)}\n`);
    body.write(tty ? message : stdCopyFrame('systemerr', message));
  } finally {
    body.end();
  }
}

function logOptionsOf(call: Call, nowNs: bigint): LogOptions {
  const stdout = call.flag('stdout');
  const stderr = call.flag('stderr');
  if (!stdout && !stderr) throw invalid('Bad parameters: you must choose at least one stream');
  return {
    stdout,
    stderr,
    follow: call.flag('follow'),
    tail: tailOf(call.query('tail') ?? 'all'),
    sinceNs: parseMoment(call.query('since'), nowNs),
    untilNs: parseMoment(call.query('until'), nowNs),
  };
}

/** Docker reads anything that is not a number of lines as all of them. */
function tailOf(text: string): number | undefined {
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

/** Details are a log driver's extra attributes, of which there are none: a space remains, as with Docker's. */
function withPrefix(line: LogLine, prefix: { readonly timestamps: boolean; readonly details: boolean }): Uint8Array {
  const time = prefix.timestamps ? `${formatRfc3339(line.timeNs)} ` : '';
  const details = prefix.details ? ' ' : '';
  return time === '' && details === '' ? line.payload : Buffer.concat([Buffer.from(`${time}${details}`), line.payload]);
}

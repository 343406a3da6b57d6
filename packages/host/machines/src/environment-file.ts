import { readFile } from 'node:fs/promises';
import { VicError } from '@vic/errors';

/** Reads `NAME=value` lines; empty lines and those that start with `#` are skipped. */
export async function readEnvironmentFile(path: string): Promise<Readonly<Record<string, string>>> {
  const environment: Record<string, string> = {};
  const lines = (await readFile(path, 'utf8')).split('\n');
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const match = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/.exec(line);
    if (match?.[1] === undefined) throw badLine(path, index + 1);
    environment[match[1]] = match[2] ?? '';
  }
  return environment;
}

function badLine(path: string, line: number): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'MACHINE_ENVIRONMENT_INVALID',
    message: `Line ${line} of ${path} is not of the form NAME=value.`,
  });
}

import { readFile } from 'node:fs/promises';
import { VicError } from '@vic/errors';
import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { type Document, LineCounter, isNode, parseDocument } from 'yaml';

const MAX_CONFIGURATION_BYTES = 1024 * 1024;

/**
 * Reads a YAML file, fills in the schema's defaults and checks the result.
 *
 * Throws `InvalidArgument` that names file, line, field and what the field should be.
 */
export async function readConfiguration<T extends TSchema>(schema: T, path: string): Promise<Static<T>> {
  const text = await readFile(path, 'utf8').catch((cause: Error) => {
    throw invalid(path, `cannot be read: ${cause.message}`);
  });
  return parseConfiguration(schema, text, path);
}

/** As {@link readConfiguration}, for text at hand; `source` names it in errors. */
export function parseConfiguration<T extends TSchema>(schema: T, text: string, source: string): Static<T> {
  if (text.length > MAX_CONFIGURATION_BYTES) throw invalid(source, 'is larger than 1 MiB');
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, uniqueKeys: true });
  const [syntaxError] = document.errors;
  if (syntaxError !== undefined) {
    throw invalid(`${source}:${syntaxError.linePos?.[0].line ?? 1}`, `is not YAML: ${firstLine(syntaxError.message)}`);
  }
  const value: unknown = Value.Default(schema, document.toJS({ maxAliasCount: 100 }) ?? {});
  const [problem] = Value.Errors(schema, value);
  if (problem === undefined) return value as Static<T>;
  const keys = keysOf(problem);
  const place = `${source}:${lineOf(document, lineCounter, keys)}`;
  // The schema of a field that may not be there is "false".
  const reason = problem.message === 'schema is false' ? 'is not a field of this file' : problem.message;
  throw invalid(place, `has a wrong field "${keys.join('.')}": it ${reason}`);
}

interface Problem {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params: object;
}

/** Where the problem is: for an unknown or missing field that field, otherwise the value that was refused. */
function keysOf({ keyword, instancePath, params }: Problem): string[] {
  const keys = instancePath.split('/').slice(1).map(unescapePointer);
  const named =
    keyword === 'additionalProperties'
      ? (params as { additionalProperties?: string[] }).additionalProperties
      : keyword === 'required'
        ? (params as { requiredProperties?: string[] }).requiredProperties
        : undefined;
  return [...keys, ...(named?.slice(0, 1) ?? [])];
}

/** The line of the deepest part of the path that is in the file. */
function lineOf(document: Document, lineCounter: LineCounter, keys: readonly string[]): number {
  for (let length = keys.length; length > 0; length--) {
    const node: unknown = document.getIn(keys.slice(0, length), true);
    if (isNode(node) && node.range !== null && node.range !== undefined) {
      return lineCounter.linePos(node.range[0]).line;
    }
  }
  return 1;
}

function unescapePointer(key: string): string {
  return key.replaceAll('~1', '/').replaceAll('~0', '~');
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? text;
}

function invalid(place: string, problem: string): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'CONFIGURATION_INVALID',
    message: `The configuration ${place} ${problem}.`,
    remedy: 'See the reference of its fields in docs/reference.',
  });
}

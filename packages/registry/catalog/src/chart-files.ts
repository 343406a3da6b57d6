import { createGunzip } from 'node:zlib';
import { pipeline } from 'node:stream';
import type { Readable } from 'node:stream';
import { parseConfiguration } from '@vic/config';
import { VicError } from '@vic/errors';
import { Type } from '@vic/http';
import { readTar } from '@vic/tar';
import { bounded, readBounded } from './read-bounded.ts';

/** Charts are small; what unpacks to more is not one. */
const MAX_CHART_BYTES = 64 * 1024 * 1024;
const MAX_ENTRIES = 10_000;
const MAX_FILE_BYTES = 4 * 1024 * 1024;

const Dependencies = Type.Object({
  dependencies: Type.Optional(Type.Array(Type.Object({ name: Type.String() }), { maxItems: 1000 })),
});

/** The text of the first of these files, in the order of `names`, that lies at the top of a chart. */
export async function readChartFile(archive: Readable, names: readonly string[]): Promise<string | undefined> {
  const found = new Map<string, string>();
  const unpacked = createGunzip();
  // Errors of either end reach the reader of `unpacked`; leaving the loop early destroys both.
  pipeline(archive, unpacked, () => undefined);
  try {
    let entries = 0;
    for await (const entry of readTar(bounded(unpacked, MAX_CHART_BYTES))) {
      entries += 1;
      if (entries > MAX_ENTRIES) throw notAChart(`it has more than ${MAX_ENTRIES} entries`);
      const [, name, ...deeper] = entry.path.toString().split('/');
      const wanted = names.find((candidate) => candidate.toLowerCase() === name?.toLowerCase());
      if (entry.type !== 'file' || wanted === undefined || deeper.length > 0) continue;
      found.set(wanted, (await readBounded(entry.content, MAX_FILE_BYTES)).toString('utf8'));
      if (found.size === names.length) break;
    }
  } catch (cause) {
    if (cause instanceof VicError) throw cause;
    throw notAChart(cause instanceof Error ? cause.message : 'it cannot be read', cause);
  } finally {
    archive.destroy();
    unpacked.destroy();
  }
  return names.map((name) => found.get(name)).find((text) => text !== undefined);
}

/** The dependencies that `Chart.yaml` or `requirements.yaml` lists, in Harbor's form. */
export function parseChartDependencies(yaml: string): readonly Record<string, unknown>[] {
  const { dependencies = [] } = parseConfiguration(Dependencies, yaml, 'Chart.yaml');
  return dependencies.map(
    (dependency: { readonly name: string; readonly version?: unknown; readonly repository?: unknown }) => ({
      name: dependency.name,
      version: textOf(dependency.version),
      repository: textOf(dependency.repository),
    }),
  );
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function notAChart(reason: string, cause?: unknown): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'CHART_INVALID',
    message: `The chart cannot be read: ${reason}.`,
    cause,
  });
}

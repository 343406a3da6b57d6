import { defineCommand } from '@vic/cli';
import { VicError } from '@vic/errors';
import { requestReevaluation } from '@vic/scanning';
import { INSTALLATION_OPTIONS, onInstallation } from './installation.ts';

/** `registry import advisories`. */
export const importAdvisories = defineCommand({
  name: 'import advisories',
  summary: 'Import vulnerability advisories in OSV format for the built-in scanner',
  options: {
    ...INSTALLATION_OPTIONS,
    feed: { kind: 'text', description: 'Name to keep them under, for example debian' },
    source: { kind: 'text', placeholder: 'file|directory|URL', description: 'A zip, directory or JSON file, or a URL' },
    merge: { kind: 'flag', description: 'Keep advisories of the feed that the source does not have' },
  },
  examples: [
    'registry import advisories --data /var/lib/vic/registry --feed debian --source https://osv-vulnerabilities.storage.googleapis.com/Debian/all.zip',
  ],
  run: async (options, context) =>
    onInstallation(options, context, async ({ parts }) => {
      const { feed, source } = options;
      if (feed === undefined || source === undefined) {
        throw new VicError({
          class: 'InvalidArgument',
          code: 'REGISTRY_FEED_UNNAMED',
          message: 'Both --feed and --source are needed.',
        });
      }
      const { advisories } = parts.scanning.deps;
      const changed = await advisories.import(
        { name: feed, source, mode: options.merge ? 'merge' : 'replace' },
        context.signal,
      );
      // Images that were scanned before are judged anew by the server, from what it knows of their packages.
      if (changed) await requestReevaluation(parts.scanning.deps);
      const { advisoryCount, feeds } = await advisories.status();
      context.result(
        { changed, advisoryCount, feeds },
        `${changed ? 'Imported' : 'Unchanged since the last import'}: ${advisoryCount} advisories are known.`,
      );
    }),
});

import { defineCommand } from '@vic/cli';
import { deleteVch, findPlace, parseDuration } from '@vic/vch';
import { withDeadline } from '@vic/async';
import { VCH_OPTIONS, findVch } from './find-vch.ts';
import { TARGET_OPTIONS, connect } from './target-options.ts';

/** `vic-machine delete`. */
export const remove = defineCommand({
  name: 'delete',
  summary: 'Delete a virtual container host with its containers and images',
  options: { ...TARGET_OPTIONS, ...VCH_OPTIONS },
  run: async (options, context) => {
    const timeoutMs = parseDuration(options.timeout ?? '3m', '--timeout');
    await using session = await connect(options, context);
    const vch = await findVch(session.client, options, context.signal);
    const names = {
      computeResource: options['compute-resource'],
      imageStore: { datastore: datastoreOf(vch.configuration?.folder), folder: '' },
      datacenter: session.target.datacenter,
    };
    const place = await findPlace(session.client, names, context.signal);
    context.say(`Removing VCH "${vch.name}"`);
    const deps = { client: session.client, place, report: (line: string) => context.say(line) };
    await withDeadline(
      `virtual container host ${vch.name} to be deleted`,
      timeoutMs,
      async (signal) => deleteVch(deps, vch, { force: options.force }, signal),
      context.signal,
    );
    context.result({ deleted: vch.name, id: vch.endpoint.value }, 'Completed successfully');
  },
});

function datastoreOf(folder: string | undefined): string {
  return /^\[([^\]]+)\]/.exec(folder ?? '')?.[1] ?? '';
}

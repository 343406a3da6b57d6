import { defineCommand, formatTable } from '@vic/cli';
import { folderPathOf, listVchs } from '@vic/vch';
import { TARGET_OPTIONS, connect } from './target-options.ts';
import { VERSION } from './version.ts';

/** `vic-machine ls`. */
export const ls = defineCommand({
  name: 'ls',
  summary: 'List virtual container hosts',
  options: TARGET_OPTIONS,
  run: async (options, context) => {
    await using session = await connect(options, context);
    const rows = [];
    for (const vch of await listVchs(session.client, context.signal)) {
      const version = vch.configuration?.createdByVersion ?? 'unknown';
      rows.push({
        id: vch.endpoint.value,
        path: await folderPathOf(session.client, vch, context.signal),
        name: vch.name,
        version,
        upgradeStatus: version === VERSION ? 'Up to date' : `Made by version ${version}`,
        poweredOn: vch.poweredOn,
      });
    }
    const cells = rows.map((row) => [row.id, row.path, row.name, row.version, row.upgradeStatus]);
    context.result(rows, formatTable(['ID', 'PATH', 'NAME', 'VERSION', 'UPGRADE STATUS'], cells));
  },
});

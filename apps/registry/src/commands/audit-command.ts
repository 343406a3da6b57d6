import { type ChainAnchor, type ChainReport, verifyChain } from '@vic/audit';
import { defineCommand } from '@vic/cli';
import { VicError } from '@vic/errors';
import { INSTALLATION_OPTIONS, onInstallation } from './installation.ts';

/** `registry audit verify`. */
export const verifyAudit = defineCommand({
  name: 'audit verify',
  summary: 'Check the hash chain of the audit log; exit status 1 where it is broken',
  options: {
    ...INSTALLATION_OPTIONS,
    anchor: {
      kind: 'text',
      placeholder: 'position:hash',
      description: 'The end of the chain as an earlier run printed it: shows a tail that was cut off, too',
    },
  },
  examples: ['registry audit verify --data /var/lib/vic/registry --anchor "$(cat anchor)"'],
  run: async (options, context) => {
    const anchor = options.anchor === undefined ? undefined : parseAnchor(options.anchor);
    await onInstallation(options, context, async ({ storage }) => {
      const { signal } = context;
      const report = await verifyChain(storage.database, { signal, ...(anchor === undefined ? {} : { anchor }) });
      const next = `${report.lastPosition}:${report.lastHash}`;
      context.result({ ...report, nextAnchor: next }, describe(report, next));
      if (!report.intact) throw broken(report, anchor);
    });
  },
});

function parseAnchor(text: string): ChainAnchor {
  const [, position, hash = ''] = /^(\d{1,15}):([\da-f]{64}|)$/.exec(text.trim()) ?? [];
  if (position !== undefined && (hash !== '' || Number(position) === 0)) return { position: Number(position), hash };
  throw new VicError({
    class: 'InvalidArgument',
    code: 'REGISTRY_ANCHOR_INVALID',
    message: `--anchor is not POSITION:HASH: ${text.slice(0, 100)}.`,
    remedy: 'Give the line "anchor" of an earlier run: a number, a colon and 64 hexadecimal digits.',
  });
}

function describe({ intact, checked, purged, problems }: ChainReport, next: string): string {
  return [
    `${intact ? 'intact' : 'broken'}: ${checked} records checked, ${purged} purged`,
    ...problems.map(({ position, problem }) => `record ${position}: ${problem}`),
    `anchor: ${next}`,
  ].join('\n');
}

function broken({ problems, anchor: verdict }: ChainReport, anchor: ChainAnchor | undefined): VicError {
  const [first] = problems;
  const found = [
    ...(first === undefined ? [] : [`it first breaks at record ${first.position}, which is ${first.problem}`]),
    ...(verdict === undefined || verdict === 'held' ? [] : [anchorSentence(verdict, anchor?.position ?? 0)]),
  ];
  return new VicError({
    class: 'DataLoss',
    code: 'REGISTRY_AUDIT_BROKEN',
    message: `The audit log is not what was recorded: ${found.join('; ')}.`,
    remedy:
      'Compare it with the records at the syslog server or in a backup, and find out who could write the database.',
  });
}

function anchorSentence(verdict: Exclude<ChainReport['anchor'], 'held' | undefined>, position: number): string {
  switch (verdict) {
    case 'changed':
      return `record ${position} is not the one that the anchor names`;
    case 'cut off':
      return `it ends before record ${position}, which the anchor names`;
    case 'purged':
      return `it begins behind record ${position}, which the anchor names, so a newer anchor is needed to tell`;
  }
}

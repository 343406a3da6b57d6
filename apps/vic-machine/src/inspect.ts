import { defineCommand } from '@vic/cli';
import { configurationOf } from '@vic/vch';
import { VCH_OPTIONS, findVch } from './find-vch.ts';
import { summaryOf } from './summary.ts';
import { TARGET_OPTIONS, connect } from './target-options.ts';
import { createLineOf } from './create-line-of.ts';
import type { CreateLine } from './create-line-of.ts';

const OPTIONS = { ...TARGET_OPTIONS, ...VCH_OPTIONS } as const;

/** `vic-machine inspect`. */
export const inspect = defineCommand({
  name: 'inspect',
  summary: 'Show how to use a virtual container host',
  options: {
    ...OPTIONS,
    'tls-cert-path': { kind: 'text', placeholder: 'directory', description: 'Where its certificates are' },
  },
  run: async (options, context) => {
    await using session = await connect(options, context);
    const vch = await findVch(session.client, options, context.signal);
    const summary = summaryOf(configurationOf(vch), vch.endpoint.value, options['tls-cert-path']);
    const state = vch.poweredOn ? [] : ['The endpoint is powered off.', ''];
    context.result({ ...summary.value, poweredOn: vch.poweredOn }, [...state, ...summary.lines].join('\n'));
  },
});

/** `vic-machine inspect config`. */
export const inspectConfig = defineCommand({
  name: 'inspect config',
  summary: 'Show the options that would create the same virtual container host',
  options: OPTIONS,
  run: async (options, context) => {
    await using session = await connect(options, context);
    const vch = await findVch(session.client, options, context.signal);
    const line = createLineOf(configurationOf(vch));
    context.result(line, textOf(line).join('\n'));
  },
});

/** One option a line; the rest is comments, so that the options can be taken by `grep -v '^#'`. */
function textOf({ options, files, leftOut }: CreateLine): readonly string[] {
  return [
    ...options.map(([name, value]) => (value === '' ? `--${name}` : `--${name} ${quoted(value)}`)),
    ...leftOut.map((what) => `# Left out: ${what}.`),
    ...files.flatMap((file) =>
      'from' in file
        ? [`# ${file.name} has to be there first: download it from ${file.from}, or leave the option out.`]
        : [`# ${file.name} has to be there first, with this in it:`, ...commented(file.content)],
    ),
  ];
}

function commented(text: string): readonly string[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => `# ${line}`);
}

/** For a shell, when it needs to be. */
function quoted(value: string): string {
  return /^[A-Za-z0-9_./:@%+=,-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`;
}

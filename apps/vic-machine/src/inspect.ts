import { defineCommand } from '@vic/cli';
import { configurationOf } from '@vic/vch';
import { VCH_OPTIONS, findVch } from './find-vch.ts';
import { summaryOf } from './summary.ts';
import { TARGET_OPTIONS, connect } from './target-options.ts';
import { createOptionsOf } from './create-options-of.ts';

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
    const createOptions = createOptionsOf(configurationOf(vch));
    context.result(
      createOptions,
      createOptions.map(([name, value]) => (value === '' ? `--${name}` : `--${name} ${quoted(value)}`)).join('\n'),
    );
  },
});

/** For a shell, when it needs to be. */
function quoted(value: string): string {
  return /^[A-Za-z0-9_./:@%+=,-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`;
}

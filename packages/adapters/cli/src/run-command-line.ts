import { VicError } from '@vic/errors';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { AnyCommand, CommandContext, OptionSpec, OptionSpecs } from './command.ts';
import { EXIT_FAILURE, EXIT_USAGE, reportError } from './report-error.ts';
import type { Terminal } from './terminal.ts';

/** A program with its commands. */
export interface ProgramSpec {
  readonly name: string;
  readonly summary: string;
  readonly version: string;
  readonly commands: readonly AnyCommand[];
}

const JSON_OPTION: OptionSpec = { kind: 'flag', description: 'Print the result as JSON' };

/**
 * Runs a command line (without the program's own name) and gives its exit status: 0 when the command succeeded,
 * 1 when it failed, 2 when it was not understood. Never throws.
 */
export async function runCommandLine(
  program: ProgramSpec,
  args: readonly string[],
  terminal: Terminal,
): Promise<number> {
  let failed = false;
  const root = new Command(program.name).description(program.summary).version(program.version);
  const onFailure = (): void => void (failed = true);
  for (const command of program.commands) addCommand(root, program, command, terminal, onFailure);
  for (const command of allCommands(root)) {
    command.exitOverride().configureOutput({ writeOut: terminal.out, writeErr: terminal.error });
    command.showHelpAfterError(`(see ${fullName(command)} --help)`);
  }
  try {
    await root.parseAsync(normaliseDashes(program, args), { from: 'user' });
    return failed ? EXIT_FAILURE : 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
    reportError(terminal, program.name, error, false);
    return EXIT_FAILURE;
  }
}

function addCommand(
  root: Command,
  program: ProgramSpec,
  spec: AnyCommand,
  terminal: Terminal,
  onFailure: () => void,
): void {
  const words = spec.name.split(' ');
  const parent = words.slice(0, -1).reduce((above, word) => subCommand(above, word), root);
  const command = subCommand(parent, words.at(-1) ?? spec.name);
  command.description(spec.summary).allowExcessArguments(false);
  const options: OptionSpecs = { ...spec.options, json: JSON_OPTION };
  for (const [name, option] of Object.entries(options)) command.addOption(toCommanderOption(name, option));
  if (spec.examples !== undefined) command.addHelpText('after', `\nExamples:\n  ${spec.examples.join('\n  ')}`);
  command.action(async () => {
    const given: Record<string, unknown> = command.optsWithGlobals();
    const json = given[keyOf('json')] === true;
    try {
      const values = valuesOf(options, (name) => given[keyOf(name)], terminal);
      await (spec.run as (options: unknown, context: CommandContext) => Promise<void>)(
        values,
        contextOf(terminal, json),
      );
    } catch (error) {
      reportError(terminal, `${program.name} ${spec.name}`, error, json);
      onFailure();
    }
  });
}

/** The sub-command of that name, made when missing: `inspect` exists both by itself and for `inspect config`. */
function subCommand(parent: Command, name: string): Command {
  return parent.commands.find((command) => command.name() === name) ?? parent.command(name);
}

function toCommanderOption(name: string, spec: OptionSpec): Option {
  const value = spec.kind === 'flag' ? '' : ` <${spec.placeholder ?? (spec.kind === 'number' ? 'number' : 'value')}>`;
  const short = spec.short === undefined ? '' : `-${spec.short}, `;
  const notes = [
    spec.defaultText === undefined ? undefined : `default: ${spec.defaultText}`,
    spec.environment === undefined ? undefined : `environment: ${spec.environment}`,
    spec.aliases === undefined ? undefined : `also: ${spec.aliases.map((alias) => `-${alias}`).join(', ')}`,
    spec.kind === 'list' ? 'may be repeated' : undefined,
  ].filter((note) => note !== undefined);
  const description = notes.length === 0 ? spec.description : `${spec.description} (${notes.join('; ')})`;
  const option = new Option(`${short}--${name}${value}`, description);
  // commander would turn --no-tls into "tls: false"; ours are options of that very name.
  option.negate = false;
  option.attributeName = () => keyOf(name);
  if (spec.refused !== undefined) option.hideHelp();
  if (spec.kind === 'number') option.argParser(parseWholeNumber);
  if (spec.kind === 'list') option.argParser((text: string, before: unknown) => [...asList(before), text]);
  return option;
}

function keyOf(name: string): string {
  return `option:${name}`;
}

function valuesOf(options: OptionSpecs, given: (name: string) => unknown, terminal: Terminal): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(options).map(([name, spec]) => {
      const value = given(name) ?? fromEnvironment(spec, terminal);
      if (spec.refused !== undefined && value !== undefined) throw refused(name, spec.refused);
      if (spec.kind === 'flag') return [name, value === true];
      return [name, spec.kind === 'list' ? asList(value) : value];
    }),
  );
}

function fromEnvironment(spec: OptionSpec, terminal: Terminal): unknown {
  const text = spec.environment === undefined ? undefined : terminal.environment[spec.environment];
  if (text === undefined || text === '') return undefined;
  switch (spec.kind) {
    case 'flag':
      return text === '1' || text.toLowerCase() === 'true';
    case 'number':
      return parseWholeNumber(text);
    case 'list':
      return text.split(',');
    case 'text':
      return text;
  }
}

function contextOf(terminal: Terminal, json: boolean): CommandContext {
  return {
    say: (line) => (json ? terminal.error : terminal.out)(`${line}\n`),
    result: (value, text) => {
      const shown = json ? JSON.stringify(value, undefined, 2) : text;
      if (shown !== '') terminal.out(`${shown}\n`);
    },
    askSecret: terminal.askSecret,
    environment: terminal.environment,
    signal: terminal.signal,
  };
}

/** Long names and aliases after a single dash, as Go's flag package takes them: `-target x`, `-pn x`. */
function normaliseDashes(program: ProgramSpec, args: readonly string[]): string[] {
  const longNames = new Map<string, string>();
  for (const command of program.commands) {
    for (const [name, spec] of Object.entries(command.options)) {
      for (const spelling of [name, ...(spec.aliases ?? [])]) longNames.set(spelling, name);
    }
  }
  return args.map((arg) => {
    const match = /^--?([a-z][a-z0-9-]+)(=.*)?$/s.exec(arg);
    const name = match?.[1] === undefined ? undefined : longNames.get(match[1]);
    return name === undefined ? arg : `--${name}${match?.[2] ?? ''}`;
  });
}

function parseWholeNumber(text: string): number {
  if (!/^-?\d{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function allCommands(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(allCommands)];
}

function fullName(command: Command): string {
  return command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;
}

function refused(name: string, sentence: string): VicError {
  return new VicError({
    class: 'NotSupported',
    code: 'CLI_OPTION_NOT_SUPPORTED',
    message: `--${name} is not supported yet: ${sentence}`,
    remedy: `Leave --${name} out.`,
  });
}

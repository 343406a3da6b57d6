export { defineCommand } from './command.ts';
export type { AnyCommand, CommandContext, CommandSpec, OptionSpec, OptionSpecs, OptionValues } from './command.ts';
export { runCommandLine } from './run-command-line.ts';
export type { ProgramSpec } from './run-command-line.ts';
export { processTerminal } from './terminal.ts';
export type { Terminal } from './terminal.ts';
export { formatTable } from './table.ts';

import { readFile } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { VicError } from '@vic/errors';

/** hostd's configuration file: JSON, every field below, unknown fields refused. */
export interface HostdConfiguration {
  /** Tells several hosts on one machine apart; part of the names of namespaces and interfaces. */
  readonly instance: string;
  /** Everything hostd keeps: inventory, datastores, running machines, keys, logs. Absolute. */
  readonly stateDirectory: string;
  /** The /24 of `VM Network`; a free one is chosen when absent. */
  readonly subnet: string | undefined;
  /** `nat` lets machines reach what this machine reaches; `none` keeps them apart. */
  readonly uplink: 'nat' | 'none';
  /** TCP port of the vSphere API. */
  readonly port: number;
  /** Least severe lines that are logged. */
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  /** First of the user and group ids that machines run as. */
  readonly machineUserBase: number;
  /** Programs that process VMs may run, by name. */
  readonly programs: Readonly<Record<string, { readonly command: readonly [string, ...string[]] }>>;
}

const DEFAULTS = { uplink: 'nat', port: 443, logLevel: 'info', machineUserBase: 700_000 } as const;

/** Reads and checks a configuration file; says which field is wrong and what it should be. */
export async function readConfiguration(path: string): Promise<HostdConfiguration> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw invalid(path, `cannot be read as JSON: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
  return parseConfiguration(value, path);
}

/** Checks a parsed configuration; `source` names it in errors. */
export function parseConfiguration(value: unknown, source: string): HostdConfiguration {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(source, 'is not a JSON object');
  const fields: Record<string, unknown> = { ...DEFAULTS, ...value };
  const take = <T>(name: string, expected: string, accept: (field: unknown) => field is T): T => {
    const field = fields[name];
    delete fields[name];
    if (!accept(field)) throw invalid(source, `field "${name}" must be ${expected}`);
    return field;
  };
  const configuration: HostdConfiguration = {
    instance: take('instance', 'a name of lower-case letters, digits and dashes', isString),
    stateDirectory: take('stateDirectory', 'an absolute path', isAbsolutePath),
    subnet: take('subnet', 'a /24 such as 192.168.251.0/24', isOptionalString),
    uplink: take('uplink', '"nat" or "none"', isOneOf(['nat', 'none'])),
    port: take('port', 'a TCP port', isIntegerBetween(1, 65_535)),
    logLevel: take('logLevel', '"debug", "info", "warn" or "error"', isOneOf(['debug', 'info', 'warn', 'error'])),
    machineUserBase: take('machineUserBase', 'a user id from 1000', isIntegerBetween(1000, 2 ** 31)),
    programs: take('programs', '{ "name": { "command": ["program", …] } }', isPrograms),
  };
  const [unknown] = Object.keys(fields);
  if (unknown !== undefined) throw invalid(source, `has an unknown field "${unknown}"`);
  return configuration;
}

function isString(field: unknown): field is string {
  return typeof field === 'string' && field !== '';
}

function isOptionalString(field: unknown): field is string | undefined {
  return field === undefined || isString(field);
}

function isAbsolutePath(field: unknown): field is string {
  return isString(field) && isAbsolute(field);
}

function isOneOf<const T extends string>(allowed: readonly T[]): (field: unknown) => field is T {
  return (field): field is T => allowed.some((value) => value === field);
}

function isIntegerBetween(low: number, high: number): (field: unknown) => field is number {
  return (field): field is number =>
    typeof field === 'number' && Number.isInteger(field) && field >= low && field <= high;
}

function isPrograms(field: unknown): field is HostdConfiguration['programs'] {
  return (
    typeof field === 'object' &&
    field !== null &&
    Object.values(field).every(
      (program: unknown) =>
        typeof program === 'object' &&
        program !== null &&
        Object.keys(program).join() === 'command' &&
        'command' in program &&
        Array.isArray(program.command) &&
        program.command.length > 0 &&
        program.command.every(isString),
    )
  );
}

function invalid(source: string, problem: string): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'HOSTD_CONFIGURATION_INVALID',
    message: `The configuration ${source} ${problem}.`,
    remedy: 'See docs/reference/hostd.md for every field.',
  });
}

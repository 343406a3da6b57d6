import type { ContainerConfig } from '@vic/docker-api';
import type { ImageRuntimeConfig } from '../backends.ts';
import { invalid } from '../http/docker-error.ts';
import type { MergedConfig } from './container-record.ts';

/** The container's configuration with what the image says where the user said nothing, as Docker merges. */
export function mergeImageConfig(user: ContainerConfig, image: ImageRuntimeConfig): MergedConfig {
  const { Cmd, Entrypoint, ...rest } = user;
  const command = mergeCommand(asList(Cmd), asList(Entrypoint), image);
  return {
    ...rest,
    ...command,
    ...presentText('User', user.User, image.User),
    ...presentText('WorkingDir', user.WorkingDir, image.WorkingDir),
    ...presentText('StopSignal', user.StopSignal, image.StopSignal),
    Env: mergeEnv(user.Env ?? [], image.Env ?? []),
    ExposedPorts: { ...image.ExposedPorts, ...user.ExposedPorts },
    Volumes: { ...image.Volumes, ...user.Volumes },
    Labels: { ...image.Labels, ...user.Labels },
    ...(user.Healthcheck === undefined && image.Healthcheck !== undefined ? { Healthcheck: image.Healthcheck } : {}),
  };
}

/** Program and arguments of a merged configuration; there must be some. */
export function argsOf(config: MergedConfig): string[] {
  const args = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
  if (args.length === 0 || args[0] === '') throw invalid('no command specified');
  return args;
}

/** A command given as a list or as one string. */
function asList(value: string | readonly string[] | undefined): string[] | undefined {
  if (value === undefined) return undefined;
  return typeof value === 'string' ? [value] : [...value];
}

function mergeCommand(
  cmd: string[] | undefined,
  entrypoint: string[] | undefined,
  image: ImageRuntimeConfig,
): Pick<MergedConfig, 'Cmd' | 'Entrypoint'> {
  const ownEntrypoint = entrypoint !== undefined && entrypoint.length > 0;
  const ownCmd = cmd !== undefined && cmd.length > 0;
  const mergedCmd = ownCmd || ownEntrypoint ? cmd : image.Cmd;
  // `--entrypoint ""` arrives as a list of one empty string and clears the image's.
  const cleared = entrypoint?.length === 1 && entrypoint[0] === '';
  const mergedEntrypoint = cleared ? undefined : ownEntrypoint ? entrypoint : image.Entrypoint;
  return {
    ...(mergedCmd === undefined ? {} : { Cmd: [...mergedCmd] }),
    ...(mergedEntrypoint === undefined ? {} : { Entrypoint: [...mergedEntrypoint] }),
  };
}

/** The user's variables, then those of the image the user did not set. */
function mergeEnv(user: readonly string[], image: readonly string[]): string[] {
  const set = new Set(user.map(variableName));
  return [...user, ...image.filter((variable) => !set.has(variableName(variable)))];
}

function variableName(variable: string): string {
  return variable.split('=', 1)[0] ?? '';
}

function presentText<K extends string>(
  key: K,
  own: string | undefined,
  inherited: string | undefined,
): { [P in K]?: string } {
  const value = own === undefined || own === '' ? inherited : own;
  return (value === undefined || value === '' ? {} : { [key]: value }) as { [P in K]?: string };
}

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The environment the process really gets: Docker's defaults, then the configured variables; a name without value removes one. */
export function processEnv(config: MergedConfig, hostname: string): string[] {
  const env = new Map([
    ['PATH', `PATH=${DEFAULT_PATH}`],
    ['HOSTNAME', `HOSTNAME=${hostname}`],
  ]);
  if (config.Tty === true) env.set('TERM', 'TERM=xterm');
  for (const variable of config.Env ?? []) {
    if (variable.includes('=')) env.set(variableName(variable), variable);
    else env.delete(variable);
  }
  return [...env.values()];
}

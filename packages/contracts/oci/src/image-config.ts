import { parseDigest } from './digest.ts';
import type { Digest } from './digest.ts';
import { arrayOf, malformed, objectOf, parseJsonObject, textOf, textsOf, textTableOf } from './fields.ts';
import { MAX_LAYERS } from './manifest.ts';

/** How an image wants its containers' health checked; times in nanoseconds. */
export interface Healthcheck {
  readonly test: readonly string[];
  readonly intervalNs: number;
  readonly timeoutNs: number;
  readonly startPeriodNs: number;
  readonly startIntervalNs: number;
  readonly retries: number;
}

/** What an image says about containers made from it. Absent lists differ from empty ones when options are merged. */
export interface ContainerDefaults {
  readonly user: string;
  readonly workingDirectory: string;
  readonly environment: readonly string[];
  readonly entrypoint: readonly string[] | undefined;
  readonly command: readonly string[] | undefined;
  readonly shell: readonly string[] | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly exposedPorts: readonly string[];
  readonly volumes: readonly string[];
  readonly stopSignal: string;
  readonly stopTimeoutSeconds: number | undefined;
  readonly onBuild: readonly string[];
  readonly healthcheck: Healthcheck | undefined;
}

/** One step of how an image was made. */
export interface HistoryEntry {
  readonly created: string;
  readonly createdBy: string;
  readonly author: string;
  readonly comment: string;
  readonly emptyLayer: boolean;
}

/** An image's configuration; its digest is the image's id. */
export interface ImageConfig {
  readonly os: string;
  readonly architecture: string;
  readonly variant: string;
  readonly created: string;
  readonly author: string;
  /** Digests of the uncompressed layers, lowest first. */
  readonly diffIds: readonly Digest[];
  readonly history: readonly HistoryEntry[];
  readonly defaults: ContainerDefaults;
}

/** Docker refuses larger ones when pulling. */
export const MAX_CONFIG_BYTES = 4 * 1024 * 1024;
const MAX_HISTORY = 10_000;

/** Parses an image's configuration. */
export function parseImageConfig(text: string): ImageConfig {
  const json = parseJsonObject(text, MAX_CONFIG_BYTES, 'configuration');
  const rootfs = objectOf(json['rootfs'], 'configuration rootfs');
  if (rootfs['type'] !== 'layers') throw malformed('configuration rootfs', 'is not made of layers');
  const field = (name: string): string => textOf(json[name], `configuration ${name}`);
  return {
    os: field('os'),
    architecture: field('architecture'),
    variant: field('variant'),
    created: field('created'),
    author: field('author'),
    diffIds: arrayOf(rootfs['diff_ids'], MAX_LAYERS, 'configuration diff_ids').map((id) => parseDigest(id, 'diff_id')),
    history: arrayOf(json['history'], MAX_HISTORY, 'configuration history').map(historyEntryOf),
    defaults: defaultsOf(json['config'] ?? {}),
  };
}

function defaultsOf(value: unknown): ContainerDefaults {
  const json = objectOf(value, 'configuration config');
  const keysOf = (name: string): readonly string[] => Object.keys(objectOf(json[name] ?? {}, `configuration ${name}`));
  const stopTimeout = json['StopTimeout'];
  return {
    user: textOf(json['User'], 'configuration User'),
    workingDirectory: textOf(json['WorkingDir'], 'configuration WorkingDir'),
    environment: textsOf(json['Env'], 'configuration Env') ?? [],
    entrypoint: textsOf(json['Entrypoint'], 'configuration Entrypoint'),
    command: textsOf(json['Cmd'], 'configuration Cmd'),
    shell: textsOf(json['Shell'], 'configuration Shell'),
    labels: textTableOf(json['Labels'], 'configuration Labels'),
    exposedPorts: keysOf('ExposedPorts'),
    volumes: keysOf('Volumes'),
    stopSignal: textOf(json['StopSignal'], 'configuration StopSignal'),
    stopTimeoutSeconds: typeof stopTimeout === 'number' ? stopTimeout : undefined,
    onBuild: textsOf(json['OnBuild'], 'configuration OnBuild') ?? [],
    healthcheck: json['Healthcheck'] == null ? undefined : healthcheckOf(json['Healthcheck']),
  };
}

function healthcheckOf(value: unknown): Healthcheck {
  const json = objectOf(value, 'configuration Healthcheck');
  const number = (name: string): number => {
    const field = json[name] ?? 0;
    if (typeof field !== 'number') throw malformed(`configuration Healthcheck ${name}`, 'is not a number');
    return field;
  };
  return {
    test: textsOf(json['Test'], 'configuration Healthcheck') ?? [],
    intervalNs: number('Interval'),
    timeoutNs: number('Timeout'),
    startPeriodNs: number('StartPeriod'),
    startIntervalNs: number('StartInterval'),
    retries: number('Retries'),
  };
}

function historyEntryOf(value: unknown): HistoryEntry {
  const json = objectOf(value, 'configuration history');
  const field = (name: string): string => textOf(json[name], `configuration history ${name}`);
  return {
    created: field('created'),
    createdBy: field('created_by'),
    author: field('author'),
    comment: field('comment'),
    emptyLayer: json['empty_layer'] === true,
  };
}

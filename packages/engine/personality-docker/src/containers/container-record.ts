import { type ContainerConfig, ContainerCreateSchema, type HostConfig, parseBody } from '@vic/docker-api';
import type { Container } from '@vic/port-layer';

/** Docker's view of a container that the port layer keeps word for word: the merged configuration. */
export interface ContainerRecord {
  readonly config: MergedConfig;
  readonly hostConfig: HostConfig;
}

/** A container's configuration after the image's was merged in; commands are lists. */
export type MergedConfig = Omit<ContainerConfig, 'Cmd' | 'Entrypoint'> & {
  readonly Cmd?: string[];
  readonly Entrypoint?: string[];
};

/** Parsed records by container, so that a list of many containers does not parse them all each time. */
const parsedRecords = new WeakMap<Container['config'], ContainerRecord>();

/** The text the port layer keeps. */
export function encodeRecord(record: ContainerRecord): string {
  return JSON.stringify({ ...record.config, HostConfig: record.hostConfig });
}

/** The record of a container. One that was damaged at the infrastructure is rebuilt from what the port layer knows. */
export function recordOf(container: Container): ContainerRecord {
  const known = parsedRecords.get(container.config);
  if (known !== undefined) return known;
  const record = decodeRecord(container);
  parsedRecords.set(container.config, record);
  return record;
}

/** The labels of a container. */
export function labelsOf(container: Container): Readonly<Record<string, string>> {
  return recordOf(container).config.Labels ?? {};
}

function decodeRecord(container: Container): ContainerRecord {
  try {
    const {
      HostConfig: hostConfig = {},
      NetworkingConfig: _,
      Cmd,
      Entrypoint,
      ...rest
    } = parseBody(ContainerCreateSchema, container.config.personality);
    const config = { ...rest, ...listField('Cmd', Cmd), ...listField('Entrypoint', Entrypoint) };
    return { config, hostConfig };
  } catch {
    return rebuiltRecord(container);
  }
}

function listField<K extends string>(key: K, value: string | string[] | undefined): { [P in K]?: string[] } {
  if (value === undefined) return {};
  return { [key]: typeof value === 'string' ? [value] : value } as { [P in K]?: string[] };
}

function rebuiltRecord({ config }: Container): ContainerRecord {
  return {
    config: {
      Hostname: config.hostname,
      Domainname: config.domainname,
      User: config.process.user,
      Tty: config.process.tty,
      OpenStdin: config.process.openStdin,
      StdinOnce: config.process.stdinOnce,
      Env: [...config.process.env],
      Cmd: [...config.process.args],
      Image: config.imageReference,
      WorkingDir: config.process.cwd,
      Labels: {},
    },
    hostConfig: { NetworkMode: config.network ?? 'bridge', AutoRemove: config.autoRemove },
  };
}

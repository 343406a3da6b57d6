import type { ContainerSummary } from '@vic/docker-api';
import type { Container } from '@vic/port-layer';
import type { Call } from '../http/call.ts';
import type { PersonalityContext } from '../personality.ts';
import { ContainerFilters } from './container-filters.ts';
import { networksOf, portSummariesOf } from './container-network.ts';
import { type MergedConfig, labelsOf, recordOf } from './container-record.ts';
import { statusText } from './container-state.ts';

/** `GET /containers/json`: newest first. */
export function listContainers(context: PersonalityContext, call: Call): void {
  const filters = new ContainerFilters(call.query('filters'), context, {
    before: call.query('before'),
    since: call.query('since'),
  });
  const limit = call.integer('limit') ?? 0;
  const all = call.flag('all') || limit > 0 || filters.includesStopped;
  const found = newestFirst(context.execution.list()).filter(
    (container) => (all || container.state.status === 'running') && filters.matches(container),
  );
  const nowMs = Number(context.clock() / 1_000_000n);
  const listed = limit > 0 ? found.slice(0, limit) : found;
  call.json(
    200,
    listed.map((container) => ({
      ...summaryOf(context, container, nowMs),
      ...(call.flag('size') ? sizesOf(context, container) : {}),
    })),
  );
}

/** A container of a list. */
export function summaryOf(context: PersonalityContext, container: Container, nowMs: number): ContainerSummary {
  const { config, state } = container;
  return {
    Id: config.id,
    Names: [`/${config.name}`],
    Image: imageNameOf(context, container),
    ImageID: config.imageId,
    Command: commandText(recordOf(container).config),
    Created: Math.floor(Date.parse(container.createdAt) / 1000),
    Ports: portSummariesOf(container),
    Labels: labelsOf(container),
    State: state.status,
    Status: statusText(state, nowMs),
    HostConfig: { NetworkMode: config.network ?? 'bridge' },
    NetworkSettings: { Networks: networksOf(container) },
    Mounts: [],
  };
}

/** Sizes as far as they are known: the image's layers; a container's own layer is only known to its disk. */
export function sizesOf(context: PersonalityContext, container: Container): { SizeRw: number; SizeRootFs: number } {
  const image = context.images.list().find(({ id }) => id === container.config.imageId);
  return { SizeRw: 0, SizeRootFs: image?.sizeBytes ?? 0 };
}

function newestFirst(containers: readonly Container[]): Container[] {
  return [...containers].sort((a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt));
}

/** The reference the container was made from while it still names the same image, the image's id otherwise. */
function imageNameOf(context: PersonalityContext, { config }: Container): string {
  try {
    return context.images.get(config.imageReference).id === config.imageId ? config.imageReference : config.imageId;
  } catch {
    return config.imageReference === '' ? config.imageId : config.imageReference;
  }
}

function commandText(config: MergedConfig): string {
  const [program = '', ...args] = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
  const quoted = args.map((arg) => (/\s/.test(arg) || arg === '' ? `'${arg}'` : arg));
  return [program, ...quoted].join(' ');
}

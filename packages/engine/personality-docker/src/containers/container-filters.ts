import { type Filters, parseFilters } from '@vic/docker-api';
import type { Container } from '@vic/port-layer';
import { invalid } from '../http/docker-error.ts';
import type { PersonalityContext } from '../personality.ts';
import { findContainer } from './container-access.ts';
import { labelsOf, recordOf } from './container-record.ts';
import { parsePort } from './port-options.ts';

const KEYS = [
  'ancestor',
  'before',
  'expose',
  'exited',
  'health',
  'id',
  'isolation',
  'is-task',
  'label',
  'name',
  'network',
  'publish',
  'since',
  'status',
  'volume',
];
const STATUSES = ['created', 'restarting', 'running', 'removing', 'paused', 'exited', 'dead'];
const HEALTHS = ['none', 'starting', 'healthy', 'unhealthy'];

/** The filters of a container list, checked, with what depends on other containers and images resolved once. */
export class ContainerFilters {
  readonly #filters: Filters;
  readonly #context: PersonalityContext;
  readonly #ancestors: ReadonlySet<string>;
  readonly #before: Container | undefined;
  readonly #since: Container | undefined;

  constructor(
    text: string | undefined,
    context: PersonalityContext,
    older: { before?: string | undefined; since?: string | undefined } = {},
  ) {
    this.#filters = parseFilters(text, KEYS);
    this.#context = context;
    checkValues(this.#filters);
    this.#ancestors = this.#imageIds();
    this.#before = this.#reference(this.#filters.get('before')[0] ?? older.before);
    this.#since = this.#reference(this.#filters.get('since')[0] ?? older.since);
  }

  /** Whether containers that do not run are listed although not all were asked for. */
  get includesStopped(): boolean {
    return this.#filters.has('status');
  }

  /** Whether the container passes every filter. */
  matches(container: Container): boolean {
    const { config, state } = container;
    const f = this.#filters;
    return (
      this.#matchesTime(container) &&
      f.matchesAny('ancestor', () => this.#ancestors.has(config.imageId)) &&
      f.matchesExactly('status', state.status) &&
      f.matchesAny('exited', (code) => state.status === 'exited' && state.exitCode === Number(code)) &&
      f.matchesAny('health', (health) => health === 'none') &&
      f.matchesAny('id', (id) => config.id.startsWith(id)) &&
      f.matchesAny('isolation', (isolation) => isolation === '' || isolation === 'default') &&
      f.boolean('is-task') !== true &&
      f.matchesLabels('label', labelsOf(container)) &&
      f.matchesPattern('name', [`/${config.name}`, config.name]) &&
      f.matchesAny('network', (network) => isInNetwork(container, network)) &&
      f.matchesAny('volume', () => false) &&
      f.matchesAny('expose', (port) => exposes(container, port)) &&
      f.matchesAny('publish', (port) => publishes(container, port))
    );
  }

  #matchesTime(container: Container): boolean {
    const isBefore = this.#before === undefined || container.createdAt < this.#before.createdAt;
    const isSince = this.#since === undefined || container.createdAt > this.#since.createdAt;
    return isBefore && isSince;
  }

  #reference(reference: string | undefined): Container | undefined {
    return reference === undefined || reference === '' ? undefined : findContainer(this.#context.execution, reference);
  }

  /** The named images and those built on them: an image descends from another when it starts with the same layers. */
  #imageIds(): ReadonlySet<string> {
    const all = this.#filters.has('ancestor') ? this.#context.images.list() : [];
    const named = this.#filters.get('ancestor').flatMap((reference) => {
      try {
        return [this.#context.images.get(reference)];
      } catch {
        // Docker lists nothing for an image that is not there.
        return [];
      }
    });
    const descends = (layers: readonly string[], of: readonly string[]): boolean =>
      of.every((layer, index) => layers[index] === layer);
    return new Set(
      named.flatMap((image) => [
        image.id,
        ...all.filter((one) => descends(one.diffIds, image.diffIds)).map((one) => one.id),
      ]),
    );
  }
}

function checkValues(filters: Filters): void {
  for (const status of filters.get('status'))
    if (!STATUSES.includes(status)) throw invalid(`invalid filter 'status=${status}'`);
  for (const health of filters.get('health'))
    if (!HEALTHS.includes(health)) throw invalid(`invalid filter 'health=${health}'`);
  for (const code of filters.get('exited'))
    if (!/^-?\d{1,9}$/.test(code)) throw invalid(`invalid filter 'exited=${code}'`);
  for (const port of [...filters.get('expose'), ...filters.get('publish')]) parseFilterPort(port);
}

/** `80`, `80/udp`, or a range `80-90/tcp`. */
function parseFilterPort(text: string): { readonly first: number; readonly last: number; readonly protocol: string } {
  const [range = '', protocol = 'tcp'] = text.split('/');
  const [from = '', to = from] = range.split('-');
  const first = parsePort(`${from}/${protocol}`).containerPort;
  return { first, last: parsePort(`${to}/${protocol}`).containerPort, protocol };
}

function exposes(container: Container, wanted: string): boolean {
  const { first, last, protocol } = parseFilterPort(wanted);
  return Object.keys(recordOf(container).config.ExposedPorts ?? {}).some((text) => {
    const port = parsePort(text);
    return port.protocol === protocol && port.containerPort >= first && port.containerPort <= last;
  });
}

function publishes(container: Container, wanted: string): boolean {
  const { first, last, protocol } = parseFilterPort(wanted);
  return container.publishedPorts.some(
    (port) => port.protocol === protocol && port.hostPort >= first && port.hostPort <= last,
  );
}

function isInNetwork({ endpoint, config }: Container, network: string): boolean {
  const id = endpoint?.networkId ?? '';
  return (endpoint?.network ?? config.network) === network || (id !== '' && id.startsWith(network));
}

import { type Filters, parseFilters } from '@vic/docker-api';
import type { Container } from '@vic/port-layer';
import type { NetworkDescription } from '../backends.ts';
import { endpointIdOf } from '../containers/container-network.ts';
import type { Call } from '../http/call.ts';
import { invalid, notFound } from '../http/docker-error.ts';
import type { PersonalityContext } from '../personality.ts';

const KEYS = ['dangling', 'driver', 'id', 'label', 'name', 'scope', 'type'];
const BUILT_IN = ['bridge', 'none', 'host'];

/** `GET /networks`. The containers in a network are only listed for the oldest clients, as Docker does. */
export function listNetworks(context: PersonalityContext, call: Call): void {
  const filters = parseFilters(call.query('filters'), KEYS);
  for (const type of filters.get('type')) {
    if (type !== 'builtin' && type !== 'custom') throw invalid(`invalid filter 'type=${type}'`);
  }
  const used = new Set(context.execution.list().map((container) => container.endpoint?.networkId));
  const found = context.networks.list().filter((network) => matches(filters, network, used.has(network.id)));
  const detailed = !call.speaks('1.28');
  call.json(
    200,
    found.map((network) => networkAnswer(network, detailed ? membersOf(context, network) : [])),
  );
}

/** `GET /networks/{id}`, by name, id or unique id prefix. */
export function inspectNetwork(context: PersonalityContext, call: Call): void {
  const reference = call.param('id');
  const scope = call.query('scope') ?? '';
  if (!['', 'local', 'global', 'swarm'].includes(scope)) throw invalid(`invalid scope: ${scope.slice(0, 64)}`);
  const network = findNetwork(context, reference);
  call.json(200, networkAnswer(network, membersOf(context, network)));
}

/** The network a client means: by name, id or unique id prefix. */
export function findNetwork(context: Pick<PersonalityContext, 'networks'>, reference: string): NetworkDescription {
  const all = context.networks.list();
  const exact = all.find(({ id, name }) => id === reference || name === reference);
  if (exact !== undefined) return exact;
  const [only, ...others] = all.filter(({ id }) => id.startsWith(reference));
  if (others.length > 0)
    throw invalid(`network ${reference} is ambiguous (${others.length + 1} matches found on ID prefix)`);
  if (only === undefined || reference === '') throw notFound(`network ${reference} not found`);
  return only;
}

function matches(filters: Filters, network: NetworkDescription, used: boolean): boolean {
  const builtIn = BUILT_IN.includes(network.name);
  const dangling = filters.boolean('dangling');
  return (
    filters.matchesAny('driver', (driver) => driver === network.driver) &&
    filters.matchesAny('id', (id) => network.id.includes(id)) &&
    filters.matchesAny('name', (name) => network.name.includes(name)) &&
    filters.matchesAny('scope', (scope) => scope === 'local') &&
    filters.matchesAny('type', (type) => (type === 'builtin') === builtIn) &&
    filters.matchesLabels('label', network.labels) &&
    (dangling === undefined || dangling === (!builtIn && !used))
  );
}

function membersOf(context: PersonalityContext, network: NetworkDescription): Container[] {
  return context.execution
    .list()
    .filter(
      ({ endpoint, config, state }) =>
        state.status === 'running' &&
        (endpoint?.networkId === network.id || (endpoint === undefined && config.network === network.name)),
    );
}

function networkAnswer(network: NetworkDescription, members: readonly Container[]): Record<string, unknown> {
  const { subnet, gateway } = network;
  const ipam =
    subnet === undefined ? null : [{ Subnet: subnet, ...(gateway === undefined ? {} : { Gateway: gateway }) }];
  return {
    Name: network.name,
    Id: network.id,
    Created: network.createdAt,
    Scope: 'local',
    Driver: network.driver,
    EnableIPv4: true,
    EnableIPv6: false,
    IPAM: { Driver: 'default', Options: null, Config: ipam },
    Internal: network.internal,
    Attachable: false,
    Ingress: false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Containers: Object.fromEntries(members.map((container) => [container.config.id, memberAnswer(container)])),
    Options: {},
    Labels: network.labels,
  };
}

function memberAnswer(container: Container): Record<string, string> {
  const { endpoint, config } = container;
  return {
    Name: config.name,
    EndpointID: endpointIdOf(container),
    MacAddress: endpoint?.mac ?? '',
    IPv4Address: endpoint === undefined ? '' : `${endpoint.address}/${endpoint.prefixLength}`,
    IPv6Address: '',
  };
}

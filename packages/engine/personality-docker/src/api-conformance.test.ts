import { Ajv } from 'ajv';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { request } from './testing/api-client.ts';
import { contractFixture } from './testing/api-schema.ts';
import { type MemoryVch, startMemoryVch } from './testing/memory-vch.ts';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const api = parse(contractFixture('docker-api-1.50.yaml')) as { [key: string]: Json };

/**
 * The published schema is Swagger 2.0, and written for readers more than for validators: Go answers `null` for
 * empty lists and maps everywhere, and examples carry format words no validator knows.
 */
function asJsonSchema(node: Json): Json {
  if (Array.isArray(node)) return node.map(asJsonSchema);
  if (typeof node !== 'object' || node === null) return node;
  const { type, format: _, example: __, ...rest } = node;
  const converted = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, asJsonSchema(value)]));
  const nullable = type === 'array' || type === 'object' || node['x-nullable'] === true;
  if (typeof type !== 'string') return type === undefined ? converted : { ...converted, type: asJsonSchema(type) };
  return { ...converted, type: nullable ? [type, 'null'] : type };
}

const ajv = new Ajv({ strict: false, allErrors: true });
ajv.addSchema({ $id: 'docker', definitions: asJsonSchema(api['definitions'] ?? {}) as object });

/** The schema of an operation's answer. */
function responseSchema(method: string, path: string, status: number): object {
  const paths = api['paths'] as Record<string, Record<string, { responses: Record<string, { schema?: Json }> }>>;
  const schema = paths[path]?.[method.toLowerCase()]?.responses[String(status)]?.schema;
  if (schema === undefined) throw new Error(`no schema for ${method} ${path} ${status}`);
  return JSON.parse(
    JSON.stringify(asJsonSchema(schema)).replaceAll('"#/definitions/', '"docker#/definitions/'),
  ) as object;
}

/** Numbers for which Docker itself answers `null` although its schema says otherwise. */
const NULL_IN_PRACTICE = /^\/(HostConfig\/MemorySwappiness|ExitCode)$/;

let vch: MemoryVch;
let running: string;
let exec: string;
beforeAll(async () => {
  vch = await startMemoryVch({ images: ['busybox', 'web:1'] });
  const created = await request(vch.url, 'POST', '/containers/create?name=smp', {
    Image: 'web:1',
    HostConfig: { PortBindings: { '80/tcp': [{ HostPort: '8099' }] }, Memory: 268_435_456 },
  });
  running = (created.json() as { Id: string }).Id;
  await request(vch.url, 'POST', `/containers/${running}/start`);
  await request(vch.url, 'POST', '/containers/create?name=stopped', { Image: 'busybox', Cmd: ['sh', '-c', 'exit 4'] });
  await request(vch.url, 'POST', '/containers/stopped/start');
  await request(vch.url, 'POST', '/containers/stopped/wait');
  exec = ((await request(vch.url, 'POST', `/containers/${running}/exec`, { Cmd: ['cat'] })).json() as { Id: string })
    .Id;
});
afterAll(async () => vch[Symbol.asyncDispose]());

describe('answers match the published schema', () => {
  it.each([
    ['GET', '/version', '/version', 200],
    ['GET', '/info', '/info', 200],
    ['GET', '/system/df', '/system/df', 200],
    ['GET', '/containers/json', '/containers/json?all=1&size=1', 200],
    ['GET', '/containers/{id}/json', '/containers/smp/json?size=1', 200],
    ['GET', '/containers/{id}/json', '/containers/stopped/json', 200],
    ['GET', '/containers/{id}/json', '/containers/nosuch/json', 404],
    ['POST', '/containers/{id}/wait', '/containers/stopped/wait', 200],
    ['POST', '/containers/prune', '/containers/prune?filters={"label":["none"]}', 200],
    ['GET', '/images/json', '/images/json', 200],
    ['GET', '/images/{name}/json', '/images/web:1/json', 200],
    ['GET', '/images/{name}/history', '/images/web:1/history', 200],
    ['POST', '/images/prune', '/images/prune', 200],
    ['GET', '/networks', '/networks', 200],
    ['GET', '/networks/{id}', '/networks/bridge', 200],
    ['GET', '/volumes', '/volumes', 200],
    ['GET', '/plugins', '/plugins', 200],
    ['GET', '/exec/{id}/json', '/exec/EXEC/json', 200],
    ['GET', '/nodes', '/nodes', 503],
  ])('%s %s as %s, %i', async (method, path, target, status) => {
    const answer = await request(vch.url, method, target.replace('EXEC', exec));
    expect(answer.status).toBe(status);
    const validate = ajv.compile(responseSchema(method, path, status));
    validate(answer.json());
    expect((validate.errors ?? []).filter((error) => !NULL_IN_PRACTICE.test(error.instancePath))).toEqual([]);
  });

  it('creates with an id and warnings', async () => {
    const answer = await request(vch.url, 'POST', '/containers/create', { Image: 'busybox' });
    const validate = ajv.compile(responseSchema('POST', '/containers/create', 201));
    expect(validate(answer.json()) ? [] : validate.errors).toEqual([]);
    expect((answer.json() as { Warnings: unknown }).Warnings).toEqual([]);
  });
});

/** Keys of objects, with lists taken as their first element and maps with free keys left alone. */
function keysOf(value: Json, at = ''): string[] {
  if (Array.isArray(value)) return value[0] === undefined ? [] : keysOf(value[0], `${at}[]`);
  if (typeof value !== 'object' || value === null || FREE_KEYS.test(at)) return [];
  return Object.entries(value).flatMap(([key, inner]) => [`${at}.${key}`, ...keysOf(inner, `${at}.${key}`)]);
}

const FREE_KEYS =
  /\.(Labels|Options|Ports|PortBindings|ExposedPorts|Runtimes|IndexConfigs|Containers|Networks|Data|Config\.Healthcheck|Volumes|Details)$/;

/** What a real engine has and a VCH has not, or says only when there is something to say. */
const NOT_OURS = [
  /^\.State\.Health/,
  /^\.Config\.Healthcheck/,
  /^\[\]\.IPAM\.Config\[\]/,
  /^\.FirewallBackend/,
  /^\.Containerd(\.|$)/,
  /^\.(ContainerdCommit|RuncCommit)\.Expected$/,
  /^\.(Runtimes|Warnings|DriverStatus)/,
];
/** What a VCH adds: values our sample has and the recorded one lacks. */
const OURS = [
  /^\.Config\.(StopSignal|Volumes|WorkingDir|User|Labels|ExposedPorts|Entrypoint)/,
  /^\.Warnings/,
  /^\.SystemStatus/,
  /^\[\]\.IPAM\.Config/,
];

const without = (keys: readonly string[], patterns: readonly RegExp[]): string[] =>
  [...new Set(keys)].filter((key) => !patterns.some((pattern) => pattern.test(key))).sort();

describe.each(['1.24', '1.41', '1.44', '1.50'])('at API %s answers have the keys Docker 28.2.2 has', (version) => {
  it.each([
    ['inspect', '/containers/smp/json'],
    ['containers-json', '/containers/json?all=1'],
    ['image', '/images/busybox/json'],
    ['images', '/images/json'],
    ['info', '/info'],
    ['version', '/version'],
    ['networks', '/networks'],
  ])('%s', async (name, path) => {
    const recorded = JSON.parse(contractFixture(`samples/${name}-${version}.json`)) as Json;
    const ours = (await request(vch.url, 'GET', `/v${version}${path}`)).json() as Json;
    const expected = without(keysOf(recorded), NOT_OURS);
    const actual = without(keysOf(ours), NOT_OURS);
    expect(
      expected.filter((key) => !actual.includes(key)),
      'missing',
    ).toEqual([]);
    expect(
      without(
        actual.filter((key) => !expected.includes(key)),
        OURS,
      ),
      'added',
    ).toEqual([]);
  });
});

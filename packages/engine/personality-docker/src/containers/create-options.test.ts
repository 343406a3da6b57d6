import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { NewContainer } from '@vic/port-layer';
import { request } from '../testing/api-client.ts';
import { contractFixture } from '../testing/api-schema.ts';
import { type MemoryVch, startMemoryVch } from '../testing/memory-vch.ts';

/** A schema of the published API. */
interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly items?: Schema;
  readonly allOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly minimum?: number;
}

const definitions = (parse(contractFixture('docker-api-1.50.yaml')) as { definitions: Record<string, Schema> })
  .definitions;

let vch: MemoryVch;
beforeAll(async () => {
  vch = await startMemoryVch();
});
afterAll(async () => vch[Symbol.asyncDispose]());

let made = 0;
async function create(
  body: object,
): Promise<{ status: number; warnings: string[]; message: string; request: NewContainer | undefined }> {
  const answer = await request(vch.url, 'POST', `/v1.50/containers/create?name=option-${++made}`, {
    Image: 'busybox',
    Cmd: ['true'],
    ...body,
  });
  const json = answer.json() as { Id?: string; Warnings?: string[]; message?: string };
  return {
    status: answer.status,
    warnings: json.Warnings ?? [],
    message: json.message ?? '',
    request: json.Id === undefined ? undefined : vch.execution.get(json.Id).config,
  };
}

function resolve(schema: Schema): Schema {
  const target = schema.$ref === undefined ? schema : definitions[schema.$ref.split('/').pop() ?? ''];
  if (target === undefined) throw new Error(`unknown ${schema.$ref}`);
  const parts = (target.allOf ?? []).map(resolve);
  return {
    ...target,
    properties: Object.assign({}, ...parts.map((part) => part.properties), target.properties) as Record<string, Schema>,
  };
}

/** A value of the schema that is not its default. */
function sample(schema: Schema): unknown {
  const { type, enum: values, items, properties, additionalProperties, minimum } = resolve(schema);
  if (values !== undefined) return values.at(-1);
  switch (type) {
    case 'string':
      return 'sample';
    case 'boolean':
      return true;
    case 'integer':
    case 'number':
      return Math.max(7, minimum ?? 0);
    case 'array':
      return [sample(items ?? { type: 'string' })];
    default:
      if (additionalProperties !== undefined) return { sample: sample(additionalProperties) };
      return Object.fromEntries(Object.entries(properties ?? {}).map(([name, property]) => [name, sample(property)]));
  }
}

/** Values that pass validation for options whose sample would not, and what must be seen of each honoured option. */
const HONOURED: Readonly<
  Record<string, readonly [value: unknown, seen: (made: NewContainer) => unknown, expected: unknown]>
> = {
  Hostname: ['h1', (c) => c.hostname, 'h1'],
  Domainname: ['d.test', (c) => c.domainname, 'd.test'],
  User: ['u', (c) => c.process.user, 'u'],
  AttachStdin: [true, kept, expect.stringContaining('"AttachStdin":true')],
  AttachStdout: [true, kept, expect.stringContaining('"AttachStdout":true')],
  AttachStderr: [true, kept, expect.stringContaining('"AttachStderr":true')],
  ExposedPorts: [{ '80/tcp': {} }, kept, expect.stringContaining('"ExposedPorts":{"80/tcp":{}}')],
  Tty: [true, (c) => c.process.tty, true],
  OpenStdin: [true, (c) => c.process.openStdin, true],
  StdinOnce: [true, (c) => c.process.stdinOnce, true],
  Env: [['A=1'], (c) => c.process.env, expect.arrayContaining(['A=1'])],
  Cmd: [['echo', 'x'], (c) => c.process.args, ['echo', 'x']],
  Image: ['busybox:latest', (c) => c.imageReference, 'busybox:latest'],
  WorkingDir: ['/w', (c) => c.process.cwd, '/w'],
  Entrypoint: [['e'], (c) => c.process.args, ['e', 'true']],
  NetworkDisabled: [true, (c) => c.network, 'none'],
  Labels: [{ a: 'b' }, kept, expect.stringContaining('"Labels":{"a":"b"}')],
  StopSignal: ['QUIT', (c) => c.stopSignal, 'SIGQUIT'],
  StopTimeout: [3, (c) => c.stopTimeoutSeconds, 3],
  'HostConfig.Memory': [268_435_456, (c) => c.shape, { cpus: 2, memoryMiB: 256 }],
  'HostConfig.NanoCpus': [3_000_000_000, (c) => c.shape?.cpus, 3],
  'HostConfig.CpuCount': [4, (c) => c.shape?.cpus, 4],
  'HostConfig.CpusetCpus': ['0-2', (c) => c.shape?.cpus, 3],
  'HostConfig.Ulimits': [
    [{ Name: 'nofile', Soft: 1, Hard: 2 }],
    (c) => c.ulimits,
    [{ name: 'nofile', soft: 1, hard: 2 }],
  ],
  'HostConfig.ContainerIDFile': ['/cid', kept, expect.stringContaining('"ContainerIDFile":"/cid"')],
  'HostConfig.NetworkMode': ['none', (c) => c.network, 'none'],
  'HostConfig.PortBindings': [
    { '80/tcp': [{ HostPort: '81' }] },
    (c) => c.ports,
    [{ containerPort: 80, protocol: 'tcp', hostAddress: '', hostPort: 81 }],
  ],
  'HostConfig.AutoRemove': [true, (c) => c.autoRemove, true],
  'HostConfig.Mounts': [
    [{ Type: 'tmpfs', Target: '/m', TmpfsOptions: { SizeBytes: 9, Mode: 448 } }],
    (c) => c.tmpfs,
    [{ path: '/m', options: 'size=9,mode=700' }],
  ],
  'HostConfig.ConsoleSize': [[3, 4], (c) => c.process.consoleSize, { rows: 3, columns: 4 }],
  'HostConfig.Dns': [['1.1.1.1'], (c) => c.dns.servers, ['1.1.1.1']],
  'HostConfig.DnsOptions': [['ndots:2'], (c) => c.dns.options, ['ndots:2']],
  'HostConfig.DnsSearch': [['x.test'], (c) => c.dns.search, ['x.test']],
  'HostConfig.ExtraHosts': [
    ['a:1.2.3.4', 'g:host-gateway'],
    (c) => c.extraHosts,
    [
      { name: 'a', address: '1.2.3.4' },
      { name: 'g', address: '172.16.0.1' },
    ],
  ],
  'HostConfig.GroupAdd': [['wheel'], (c) => c.process.groups, ['wheel']],
  'HostConfig.PublishAllPorts': [true, kept, expect.stringContaining('"PublishAllPorts":true')],
  'HostConfig.ReadonlyRootfs': [true, (c) => c.readonlyRootfs, true],
  'HostConfig.Tmpfs': [{ '/t': 'size=1m' }, (c) => c.tmpfs, [{ path: '/t', options: 'size=1m' }]],
  'HostConfig.ShmSize': [1024, (c) => c.shmSizeBytes, 1024],
  'Endpoint.Aliases': [['al'], (c) => c.networkAliases, ['al']],
  'Endpoint.IPAMConfig': [{ IPv4Address: '172.16.0.9' }, (c) => c.requestedAddress, '172.16.0.9'],
};

/** Values that make sense for options that are judged by value. */
const JUDGED: Readonly<Record<string, unknown>> = {
  'HostConfig.RestartPolicy': { Name: 'always' },
  'HostConfig.LogConfig': { Type: 'syslog' },
  'HostConfig.Isolation': 'process',
  'HostConfig.CpusetMems': '0',
};

function kept(container: NewContainer): string {
  return container.personality;
}

function bodyOf(option: string, value: unknown): object {
  const [group = '', name = ''] = option.includes('.') ? option.split('.') : ['', option];
  if (group === 'HostConfig') return { HostConfig: { [name]: value } };
  if (group === 'Endpoint') return { NetworkingConfig: { EndpointsConfig: { bridge: { [name]: value } } } };
  return { [name]: value };
}

const optionsOf = (definition: string, prefix: string): (readonly [string, Schema])[] =>
  Object.entries(resolve({ $ref: `#/definitions/${definition}` }).properties ?? {}).map(
    ([name, schema]) => [`${prefix}${name}`, schema] as const,
  );

const OPTIONS = [
  ...optionsOf('ContainerConfig', ''),
  ...optionsOf('HostConfig', 'HostConfig.'),
  ...optionsOf('EndpointSettings', 'Endpoint.'),
];

describe('every option of API 1.50 is honoured, refused or named in the warnings', () => {
  it('knows the schema', () => {
    expect(OPTIONS.length).toBeGreaterThan(105);
    expect(Object.keys(resolve({ $ref: '#/definitions/NetworkingConfig' }).properties ?? {})).toEqual([
      'EndpointsConfig',
    ]);
  });

  it.each(OPTIONS)('%s', async (option, schema) => {
    const name = option.split('.').pop() ?? option;
    const honoured = HONOURED[option];
    const value = honoured?.[0] ?? JUDGED[option] ?? sample(schema);
    const answer = await create(bodyOf(option, value));
    // One sentence per way out: honoured, named in a warning, or refused by name.
    const seen = answer.request === undefined ? undefined : honoured?.[1](answer.request);
    const named = answer.status === 201 ? answer.warnings.join('\n') : answer.message;
    expect([201, 400, 501]).toContain(answer.status);
    const isNamed: unknown = expect.stringContaining(name);
    const expected = honoured?.[2] ?? isNamed;
    expect(honoured === undefined ? named : seen).toEqual(expected);
  });

  it('warns about an option it has never heard of', async () => {
    expect((await create({ HostConfig: { Brand: 'new' }, New: 1 })).warnings).toEqual([
      'New is not an option VIC knows; it was ignored.',
      'Brand is not an option VIC knows; it was ignored.',
    ]);
  });

  it('says nothing about what the command line always sends', async () => {
    const defaults = {
      HostConfig: {
        Binds: null,
        LogConfig: { Type: '', Config: {} },
        RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
        ConsoleSize: [0, 0],
        MemorySwappiness: -1,
        Dns: [],
        Devices: [],
        PidsLimit: 0,
        Isolation: '',
        MaskedPaths: null,
        CgroupnsMode: '',
        NetworkMode: 'default',
        PortBindings: {},
      },
      NetworkingConfig: {
        EndpointsConfig: {
          default: { IPAMConfig: null, Links: null, Aliases: null, MacAddress: '', NetworkID: '', DNSNames: null },
        },
      },
    };
    const answer = await create(defaults);
    expect([answer.status, answer.warnings, answer.request?.network]).toEqual([201, [], 'bridge']);
  });
});

describe('values that make no sense are refused in a sentence', () => {
  it.each([
    [{ HostConfig: { Memory: 1 } }, 400, 'Minimum memory limit allowed is 6MB'],
    [{ HostConfig: { Memory: 536_870_912, MemorySwap: 1 } }, 400, 'Minimum memoryswap limit'],
    [
      { HostConfig: { PortBindings: { '80/tcp': [{ HostPort: '80-90' }] } } },
      400,
      'host port ranges are not supported',
    ],
    [{ HostConfig: { PortBindings: { '99999/tcp': [{}] } } }, 400, 'invalid port specification'],
    [{ HostConfig: { PortBindings: { '80/sctp': [{}] } } }, 501, 'SCTP'],
    [{ HostConfig: { PortBindings: { '80/tcp': [{ HostIp: '::1' }] } } }, 501, 'IPv6 port bindings'],
    [{ HostConfig: { Dns: ['nonsense'] } }, 400, 'invalid IP address'],
    [{ HostConfig: { ExtraHosts: ['nonsense'] } }, 400, 'add-host'],
    [{ HostConfig: { Ulimits: [{ Name: 'nosuch', Soft: 1, Hard: 1 }] } }, 400, 'invalid ulimit type'],
    [{ HostConfig: { Ulimits: [{ Name: 'nofile', Soft: 3, Hard: 1 }] } }, 400, 'soft limit'],
    [
      { HostConfig: { AutoRemove: true, RestartPolicy: { Name: 'always' } } },
      400,
      "can't create 'AutoRemove' container with restart policy",
    ],
    [{ HostConfig: { NetworkMode: 'host' } }, 501, 'NetworkMode "host"'],
    [{ HostConfig: { NetworkMode: 'container:x' } }, 501, 'NetworkMode'],
    [{ HostConfig: { Binds: ['/a:/b'] } }, 501, 'Binds'],
    [{ HostConfig: { Mounts: [{ Type: 'bind', Source: '/a', Target: '/b' }] } }, 501, 'Mounts of type "bind"'],
    [{ HostConfig: { Tmpfs: { relative: '' } } }, 400, 'invalid tmpfs mount path'],
    [{ HostConfig: { CpusetCpus: 'x' } }, 400, 'cpuset'],
    [{ HostConfig: { NanoCpus: 64_000_000_000 } }, 400, 'range of CPUs is from 1 to 4, as there are only 4 CPUs'],
    [{ HostConfig: { CpusetCpus: '0-4' } }, 400, 'range of CPUs is from 1 to 4'],
    [{ HostConfig: { ShmSize: -1 } }, 400, 'SHM size'],
    [{ HostConfig: { Memory: 999 * 2 ** 30 } }, 400, 'range of memory is up to 4096 MiB'],
    [{ HostConfig: { CapAdd: ['NOSUCH'] } }, 400, 'invalid CapAdd: unknown capability: "CAP_NOSUCH"'],
    [{ HostConfig: { CapDrop: ['all', 'cap_x'] } }, 400, 'invalid CapDrop: unknown capability: "CAP_X"'],
    [{ Hostname: 'h'.repeat(65) }, 400, 'is too long (maximum 64 bytes)'],
    [{ Image: '' }, 400, 'no image specified'],
    [{ WorkingDir: 'relative' }, 400, 'absolute path'],
    [{ StopSignal: 'NOSUCH' }, 400, 'Invalid signal: NOSUCH'],
    [{ Cmd: [], Entrypoint: [''] }, 400, 'no command specified'],
  ])('%j', async (body, status, words) => {
    const answer = await create(body);
    expect(answer.status).toBe(status);
    expect(answer.message).toContain(words);
  });
});

it('rounds CPUs and memory up, and says so', async () => {
  const answer = await create({ HostConfig: { NanoCpus: 1_500_000_000, Memory: 104_857_601 } });
  expect(answer.request?.shape).toEqual({ cpus: 2, memoryMiB: 101 });
  expect(answer.warnings).toHaveLength(2);
});

it('takes the names of capabilities and hosts that Docker takes', async () => {
  const known = await create({ Hostname: 'bad_host!', HostConfig: { CapAdd: ['all', 'net_admin', 'CAP_SYS_TIME'] } });
  expect([known.status, known.request?.hostname]).toEqual([201, 'bad_host!']);
});

it('refuses a request without a configuration', async () => {
  for (const body of [{}, { HostConfig: { Memory: 0 } }]) {
    const answer = await request(vch.url, 'POST', '/v1.50/containers/create', body);
    expect([answer.status, answer.json()]).toEqual([
      400,
      { message: 'config cannot be empty in order to create a container' },
    ]);
  }
});

it('says that nothing starts a container again', async () => {
  const { warnings } = await create({ HostConfig: { RestartPolicy: { Name: 'always' } } });
  expect(warnings).toEqual(['RestartPolicy: "always" has no effect; a container that has ended is not started again.']);
});

it('says that --init starts nothing, and what that means', async () => {
  const { warnings } = await create({ HostConfig: { Init: true } });
  expect(warnings).toEqual([expect.stringMatching(/^Init: no init is started.*has to reap/)]);
});

it('publishes all exposed ports that are not bound already', async () => {
  const answer = await create({
    ExposedPorts: { '80/tcp': {}, '53/udp': {} },
    HostConfig: { PublishAllPorts: true, PortBindings: { '80/tcp': [{ HostPort: '8080' }] } },
  });
  expect(answer.request?.ports).toEqual([
    { containerPort: 80, protocol: 'tcp', hostAddress: '', hostPort: 8080 },
    { containerPort: 53, protocol: 'udp', hostAddress: '', hostPort: 0 },
  ]);
});

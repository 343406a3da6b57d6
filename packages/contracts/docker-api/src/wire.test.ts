import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ContainerCreateSchema,
  StdCopyDecoder,
  type StdStream,
  compareVersions,
  decodeRegistryAuth,
  dockerBool,
  layerProgress,
  parseBody,
  parseContainerName,
  parseOptionalBody,
  progressLine,
  refuseVersion,
  sizeText,
  splitVersion,
  stdCopyFrame,
} from './index.ts';

describe('stdcopy', () => {
  it("has Docker's eight-byte header", () => {
    expect([...stdCopyFrame('stderr', Uint8Array.of(65, 66))]).toEqual([2, 0, 0, 0, 0, 0, 0, 2, 65, 66]);
  });

  it('gives back what was framed, however it is cut', () => {
    const frame = fc.record({
      stream: fc.constantFrom<StdStream>('stdout', 'stderr', 'systemerr'),
      payload: fc.uint8Array({ maxLength: 50 }),
    });
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 10 }), fc.integer({ min: 1, max: 17 }), (sent, step) => {
        const bytes = Buffer.concat(sent.map(({ stream, payload }) => stdCopyFrame(stream, payload)));
        const decoder = new StdCopyDecoder();
        const received = [];
        for (let at = 0; at < bytes.length; at += step) received.push(...decoder.push(bytes.subarray(at, at + step)));
        expect(received.map(({ stream, payload }) => [stream, [...payload]])).toEqual(
          sent.map(({ stream, payload }) => [stream, [...payload]]),
        );
        expect(decoder.incomplete).toBe(false);
      }),
    );
  });

  it('refuses what is no frame, and frames too large to hold', () => {
    expect(() => new StdCopyDecoder().push(Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0))).toThrow(
      /not a Docker multiplexed stream/,
    );
    expect(() => new StdCopyDecoder().push(Uint8Array.of(1, 0, 0, 0, 255, 0, 0, 0))).toThrow(
      /not a Docker multiplexed stream/,
    );
  });
});

describe('versions', () => {
  it('splits the path, and takes the newest without a prefix', () => {
    expect(splitVersion('/v1.44/containers/json')).toEqual({ path: '/containers/json', version: '1.44' });
    expect(splitVersion('/version')).toEqual({ path: '/version', version: '1.50' });
    expect(splitVersion('/volumes/v1')).toEqual({ path: '/volumes/v1', version: '1.50' });
  });

  it('compares numbers, not text', () => {
    expect(compareVersions('1.9', '1.24')).toBeLessThan(0);
    expect(compareVersions('1.50', '1.5')).toBeGreaterThan(0);
    expect(compareVersions('1.24', '1.24')).toBe(0);
    expect(refuseVersion('1.24')).toBeUndefined();
    expect(refuseVersion('1.9')?.plainText).toBe(true);
    expect(refuseVersion('2.0')?.plainText).toBe(false);
  });
});

it.each([
  [undefined, false],
  ['', false],
  ['0', false],
  ['False', false],
  [' no ', false],
  ['none', false],
  ['1', true],
  ['true', true],
  ['anything', true],
])('dockerBool(%j) is %s', (text, expected) => {
  expect(dockerBool(text)).toBe(expected);
});

describe('container names', () => {
  it.each(['ab', '/ab', 'a.b-c_d', '0x'])('takes %s', (name) => {
    expect(parseContainerName(name)).toBe(name.replace('/', ''));
  });
  it.each(['', 'a', '-ab', 'a b', 'a/b', '//ab', 'é1', `a${'b'.repeat(300)}`, 'ab\n'])('refuses %j', (name) => {
    expect(() => parseContainerName(name)).toThrow(/only \[a-zA-Z0-9\]\[a-zA-Z0-9_\.-\] are allowed/);
  });
});

describe('X-Registry-Auth', () => {
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  it('decodes base64url JSON', () => {
    expect(decodeRegistryAuth(encode({ username: 'u', password: 'p?>', serveraddress: 'r' }))).toEqual({
      username: 'u',
      password: 'p?>',
      serverAddress: 'r',
      identityToken: '',
      registryToken: '',
    });
  });
  it.each([undefined, '', 'e30=', '%%%', 'bnVsbA', encode([]), encode({ username: 7 })])(
    'takes %j for none',
    (header) => {
      expect(decodeRegistryAuth(header)).toBeUndefined();
    },
  );
});

describe('request bodies', () => {
  it('reads null as absent, as Go does', () => {
    expect(parseBody(ContainerCreateSchema, '{"Image":"x","Cmd":null,"HostConfig":{"Binds":null,"Memory":5}}')).toEqual(
      { Image: 'x', HostConfig: { Memory: 5 } },
    );
    expect(parseOptionalBody(ContainerCreateSchema, ' ')).toEqual({});
  });
  it("refuses in Docker's words", () => {
    expect(() => parseBody(ContainerCreateSchema, '')).toThrow('invalid JSON: got EOF while reading request body');
    expect(() => parseBody(ContainerCreateSchema, '{"Image"')).toThrow(/^invalid JSON: /);
    expect(() => parseBody(ContainerCreateSchema, '{"HostConfig":{"Memory":"much"}}')).toThrow(
      /^invalid JSON: HostConfig\.Memory /,
    );
    expect(() => parseBody(ContainerCreateSchema, '"text"')).toThrow(/^invalid JSON: /);
    expect(() => parseBody(ContainerCreateSchema, `${'['.repeat(100)}${']'.repeat(100)}`)).toThrow('nested too deeply');
  });
});

describe('progress', () => {
  it('has whole numbers, a bar, and one line per message', () => {
    const message = layerProgress('abc', 'Downloading', 992_106.5, 1_984_213);
    expect(message.progressDetail).toEqual({ current: 992_106, total: 1_984_213 });
    expect(message.progress).toBe(`[${'='.repeat(24)}>${' '.repeat(26)}]  992.1kB/1.984MB`);
    expect(progressLine({ status: 'x' })).toBe('{"status":"x"}\r\n');
  });
  it.each([
    [0, '0B'],
    [999, '999B'],
    [1000, '1kB'],
    [1_984_213, '1.984MB'],
    [2e12, '2TB'],
  ])('says %i as %s', (size, text) => {
    expect(sizeText(size)).toBe(text);
  });
});

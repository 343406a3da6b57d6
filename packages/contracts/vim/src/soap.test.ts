import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isVicError } from '@vic/errors';
import {
  decodeRequest,
  decodeResponse,
  encodeFault,
  encodeRequest,
  encodeResponse,
  isA,
  isFault,
  make,
  NAMESPACE,
  REQUEST_LIMITS,
  soapAction,
  TypedValue,
  versionOfSoapAction,
  VimFault,
} from './index.ts';

const ENVELOPE = `<e:Envelope xmlns:e="${NAMESPACE.soap}" xmlns:xsd="${NAMESPACE.xsd}" xmlns:i="${NAMESPACE.xsi}"><e:Body>`;
const END = '</e:Body></e:Envelope>';
const CONFIG_SPEC = '<spec><name>a</name><numCPUs>2</numCPUs></spec>';

function request(inner: string, method = 'ReconfigVM_Task'): string {
  return `${ENVELOPE}<${method} xmlns="urn:vim25"><_this type="VirtualMachine">vm-1</_this>${inner}</${method}>${END}`;
}

function thrownBy(action: () => unknown): unknown {
  try {
    action();
    return undefined;
  } catch (error) {
    return error;
  }
}

function faultOf(body: string | Uint8Array): VimFault {
  const error = thrownBy(() => decodeRequest(body));
  if (error instanceof VimFault) return error;
  throw new Error('the request was not refused with a fault', { cause: error });
}

describe('decodeRequest()', () => {
  it('gives the method, the receiver and typed arguments', () => {
    const { method, self, args } = decodeRequest(request(CONFIG_SPEC));
    expect(method).toMatchObject({ name: 'ReconfigVM_Task', owner: 'VirtualMachine', taskResult: 'void' });
    expect(self).toEqual({ type: 'VirtualMachine', value: 'vm-1' });
    expect(args).toEqual({ spec: { $type: 'VirtualMachineConfigSpec', name: 'a', numCPUs: 2 } });
  });

  it('resolves xsi:type through whatever prefix the client chose', () => {
    const device = '<device i:type="v:VirtualE1000" xmlns:v="urn:vim25"><key>-1</key></device>';
    const { args } = decodeRequest(request(`<spec><deviceChange>${device}</deviceChange></spec>`));
    expect(args).toMatchObject({ spec: { deviceChange: [{ device: { $type: 'VirtualE1000', key: -1 } }] } });
  });

  it('takes the prefix xsd for what it always means when govmomi does not declare it', () => {
    const value = `<a:value xmlns:a="urn:vim25" i:type="xsd:string">b</a:value>`;
    const call = `<e:Envelope xmlns:e="${NAMESPACE.soap}" xmlns:i="${NAMESPACE.xsi}"><e:Body><ReconfigVM_Task xmlns="urn:vim25"><_this type="VirtualMachine">vm-1</_this><spec><extraConfig i:type="OptionValue"><key>a</key>${value}</extraConfig></spec></ReconfigVM_Task></e:Body></e:Envelope>`;
    expect(decodeRequest(call).args).toMatchObject({ spec: { extraConfig: [{ key: 'a', value: 'b' }] } });
  });

  it.each([
    ['elements in the wrong order', '<spec><numCPUs>2</numCPUs><name>a</name></spec>', 'ReconfigVM_Task.spec.name'],
    ['an unknown element', '<spec><nome>a</nome></spec>', 'nome'],
    ['an element of another namespace', '<spec><name xmlns="urn:other">a</name></spec>', 'name'],
    ['a missing argument', '', 'ReconfigVM_Task.spec is missing'],
    ['a repeated element', '<spec><name>a</name><name>b</name></spec>', 'ReconfigVM_Task.spec.name'],
    ['text that is no number', '<spec><numCPUs>two</numCPUs></spec>', 'ReconfigVM_Task.spec.numCPUs'],
    ['an int that does not fit', '<spec><numCPUs>4294967296</numCPUs></spec>', 'ReconfigVM_Task.spec.numCPUs'],
    ['a long that a number cannot hold', '<spec><memoryMB>9007199254740993</memoryMB></spec>', 'spec.memoryMB'],
    ['elements where text belongs', '<spec><name><b/></name></spec>', 'ReconfigVM_Task.spec.name'],
    ['a type that does not derive from the declared one', '<spec i:type="VirtualDisk"/>', 'ReconfigVM_Task.spec'],
    ['a type without a namespace', '<spec i:type="q:VirtualDisk"/>', 'VirtualDisk'],
  ])('refuses %s', (_case, inner, named) => {
    const fault = faultOf(request(inner));
    expect(isFault(fault, 'InvalidRequest')).toBe(true);
    expect(fault.class).toBe('InvalidArgument');
    expect(fault.message).toContain(named);
  });

  it('refuses a receiver that does not have the method', () => {
    expect(faultOf(request('', 'CurrentTime')).faultType).toBe('InvalidRequest');
    expect(faultOf(request('', 'NoSuchMethod')).faultType).toBe('MethodNotFound');
  });

  it('takes what it knows of a newer client in lenient mode', () => {
    const { args } = decodeRequest(request('<spec><numCPUs>2</numCPUs><brandNew>x</brandNew></spec>'), {
      mode: 'lenient',
    });
    expect(args).toEqual({ spec: { $type: 'VirtualMachineConfigSpec', numCPUs: 2 } });
  });
});

describe('hostile XML', () => {
  const laughs = `<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>${request('<spec><name>&b;</name></spec>')}`;
  it.each([
    ['entities', laughs],
    ['an unknown entity', request('<spec><name>&b;</name></spec>')],
    ['deep nesting', ENVELOPE + '<a>'.repeat(100_000)],
    ['too many elements', request('<a/>'.repeat(REQUEST_LIMITS.maxElements + 1))],
    ['too many attributes', request(`<spec ${Array.from({ length: 100 }, (_, index) => `a${index}="1"`).join(' ')}/>`)],
    ['a huge attribute', request(`<spec a="${'x'.repeat(REQUEST_LIMITS.maxBytes)}"/>`)],
    ['a cut message', request(CONFIG_SPEC).slice(0, -30)],
    ['invalid UTF-8', new Uint8Array([0x3c, 0x61, 0x3e, 0xff, 0xfe, 0x3c, 0x2f, 0x61, 0x3e])],
    ['nothing', ''],
    ['no envelope', '<a/>'],
    ['no body', `<e:Envelope xmlns:e="${NAMESPACE.soap}"/>`],
  ])('with %s is refused as an invalid request', (_case, body) => {
    expect(faultOf(body).faultType).toBe('InvalidRequest');
  });

  it('only ever causes typed errors', () => {
    const good = request(
      '<spec><name>a</name><deviceChange><device i:type="VirtualDisk"><key>1</key></device></deviceChange></spec>',
    );
    const piece = fc.constantFrom(
      '<',
      '>',
      '&',
      '"',
      '</spec>',
      '<name>',
      'i:type="',
      'xmlns=""',
      '\u0000',
      '<![CDATA[',
      '<?',
      ' ',
      '<!--',
    );
    const edit = fc.record({ at: fc.nat(good.length), cut: fc.nat(20), piece });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        const bad = edits.reduce(
          (text, { at, cut, piece: put }) => text.slice(0, at) + put + text.slice(at + cut),
          good,
        );
        for (const read of [() => decodeRequest(bad), () => decodeResponse('ReconfigVM_Task', bad)]) {
          const error = thrownBy(read);
          // Damage to the method's name makes it one that does not exist.
          const isExpected = isVicError(error, { class: 'InvalidArgument' }) || isFault(error, 'MethodNotFound');
          expect(error === undefined || isExpected).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('encodeRequest()', () => {
  const vm = { type: 'VirtualMachine', value: 'vm-<1>&"' };

  it('carries text that needs escaping', () => {
    const name = 'a<b>&"\r\n\t]]>\u{1F600}';
    const { self, args } = decodeRequest(encodeRequest('Rename_Task', vm, { newName: name }));
    expect(self).toEqual(vm);
    expect(args).toEqual({ newName: name });
  });

  it('replaces characters that XML cannot carry', () => {
    const { args } = decodeRequest(encodeRequest('Rename_Task', vm, { newName: 'a\u0000b\uD800c' }));
    expect(args).toEqual({ newName: 'a\uFFFDb\uFFFDc' });
  });

  it.each([
    [
      'a missing required value',
      { deviceChange: [make('VirtualDeviceConfigSpec', { device: {} as never })] },
      'device.key',
    ],
    ['an unknown property', { nome: 'x' } as object, 'spec.nome'],
    ['a number that does not fit', { numCPUs: 1.5 }, 'spec.numCPUs'],
    ['a value of another type', { name: 5 as never }, 'spec.name'],
    [
      'an enumeration value that does not exist',
      { cpuAllocation: { shares: { shares: 1, level: 'most' as never } } },
      'shares.level',
    ],
  ])('refuses %s', (_case, spec, named) => {
    expect(() => encodeRequest('ReconfigVM_Task', vm, { spec })).toThrow(named);
  });

  it('leaves out what the version agreed on does not have', () => {
    const spec = { name: 'a', createDate: new Date(0) };
    expect(encodeRequest('ReconfigVM_Task', vm, { spec }, { version: '6.5' })).not.toContain('createDate');
    expect(encodeRequest('ReconfigVM_Task', vm, { spec }, { version: '6.7.1' })).toContain('createDate');
    expect(() => encodeRequest('ReconfigVM_Task', vm, { spec }, { version: '6.5', tooNew: 'refuse' })).toThrow('6.7');
  });
});

describe('responses', () => {
  it('carry polymorphic values and lists inside anyType', () => {
    const disk = make('VirtualDisk', { key: 2000, capacityInKB: 2 ** 40 });
    const result = {
      objects: [
        {
          obj: { type: 'VirtualMachine', value: 'vm-1' },
          propSet: [
            { name: 'config.hardware.device', val: new TypedValue('VirtualDevice[]', [disk]) },
            { name: 'runtime.powerState', val: new TypedValue('VirtualMachinePowerState', 'poweredOn') },
            { name: 'capacity', val: new TypedValue('long', 5) },
          ],
        },
      ],
    };
    const xml = encodeResponse('RetrievePropertiesEx', result);
    expect(xml).toContain('<val xsi:type="ArrayOfVirtualDevice"><VirtualDevice xsi:type="VirtualDisk">');
    expect(xml).toContain('<val xsi:type="xsd:long">5</val>');
    const decoded = decodeResponse('RetrievePropertiesEx', xml)?.objects[0]?.propSet?.map(({ val }) => val);
    expect(decoded).toEqual([[disk], 'poweredOn', 5]);
  });

  it('that are faults are thrown with their type and fields', () => {
    const sent = new VimFault({
      fault: make('InvalidPowerState', { existingState: 'poweredOff', requestedState: 'poweredOn' }),
      message: 'The machine is off.',
    });
    const error = thrownBy(() => decodeResponse('PowerOffVM_Task', encodeFault(sent)));
    expect(isFault(error, 'InvalidState')).toBe(true);
    expect(isVicError(error, { class: 'Conflict', code: 'VIM_INVALID_POWER_STATE' })).toBe(true);
    expect(error).toMatchObject({ fault: sent.fault, message: 'PowerOffVM_Task: The machine is off.' });
  });

  it('round a long that a number cannot hold, so that the rest can be read', () => {
    const xml = `${ENVELOPE}<LookupVmOverheadMemoryResponse/>${END}`;
    expect(() => decodeResponse('CurrentTime', xml)).toThrow('CurrentTime');
    const wwn = `${ENVELOPE}<FetchResponse xmlns="urn:vim25"><returnval i:type="xsd:long">9223372036854775807</returnval></FetchResponse>${END}`;
    expect(decodeResponse('Fetch', wwn)).toBe(2 ** 63);
  });

  it('of unknown types are read as the nearest known one', () => {
    const body = `<FetchResponse xmlns="urn:vim25"><returnval i:type="ArrayOfVirtualDevice"><VirtualDevice i:type="VirtualQuantumCard"><key>7</key><spin>1</spin></VirtualDevice></returnval></FetchResponse>`;
    const [device] = decodeResponse('Fetch', ENVELOPE + body + END) as readonly unknown[];
    expect(isA(device, 'VirtualDevice') && device.key).toBe(7);
  });

  it('with a fault of an unknown type are still faults', () => {
    const fault = `<e:Fault><faultcode>x</faultcode><faultstring>New.</faultstring><detail><QuantumFault i:type="QuantumFault"/></detail></e:Fault>`;
    expect(() => decodeResponse('CurrentTime', ENVELOPE + fault + END)).toThrow(VimFault);
  });
});

it('methods nobody has documented are called under a namespace of their own', () => {
  const call =
    '<QueryVirtualDiskInfo_Task xmlns="urn:internalvim25"><_this type="VirtualDiskManager">m</_this><name>[d] a</name><includeParents>true</includeParents></QueryVirtualDiskInfo_Task>';
  expect(decodeRequest(ENVELOPE + call + END).args).toEqual({ name: '[d] a', includeParents: true });
});

it('SOAPAction names a version and is understood', () => {
  expect(soapAction('6.5')).toBe('"urn:vim25/6.5"');
  expect(versionOfSoapAction('urn:vim25/8.0.2.0')).toBe('8.0.2.0');
  expect(versionOfSoapAction('"urn:other"')).toBeUndefined();
});
